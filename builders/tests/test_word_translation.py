from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pivotlens.bench
import pytest
from pivotlens.bench.wordlist import parse_word_list
from scipy.stats import binom

import word_translation
from everyday_nouns.wordnet import Pointer, Synset, WordNet
from word_translation import clean
from word_translation.check import table_of_first_version, table_problems
from word_translation.datasheet import DATASHEET
from word_translation.distractors import (
    choose,
    pair_problem,
    spelling_links,
    translation_links,
    wordnet_links,
)
from word_translation.evidence import Finding, plurals
from word_translation.flags import shared_flags
from word_translation.relations import Relations
from word_translation.review import (
    Listed,
    parse_decision,
    parse_whys,
    read_candidates,
    read_reasons,
    read_reviews,
)
from word_translation.sample import draw, exact_interval, read_verdicts, report
from word_translation.splits import choose_shots, mark_bands, mark_calibration, proportional
from word_translation.table import LANGUAGES, Row, read_rows, shape_problem, stems, write_rows

DATA = Path(pivotlens.bench.__file__).parent / "data"
TABLE = DATA / "word_translation.tsv"
CANDIDATES = Path(word_translation.__file__).parent / "candidates.tsv"


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return read_rows(TABLE)


# The shipped files


def test_the_table_keeps_its_promises(rows: list[Row]) -> None:
    assert table_problems(rows) == []


def test_the_bench_stage_reads_the_table(rows: list[Row]) -> None:
    parsed = parse_word_list(TABLE.read_bytes(), TABLE.name)
    assert [concept.concept_id for concept in parsed] == [row.concept_id for row in rows]
    assert [concept.words for concept in parsed] == [row.words for row in rows]


def test_notes_of_words_are_those_of_the_first_version(rows: list[Row]) -> None:
    assert [row.flags_note for row in rows] == [row.flags_note for row in table_of_first_version(DATA)]


def test_writing_the_table_again_changes_nothing(rows: list[Row]) -> None:
    assert write_rows(rows) == TABLE.read_text(encoding="utf-8")


def test_every_concept_is_a_candidate(rows: list[Row]) -> None:
    candidates = read_candidates(CANDIDATES)
    assert [row.concept_id for row in rows if candidates[row.concept_id].pos != row.pos] == []


# The builder


def row(name: str, pos: str = "n", synset: str = "00000001-n", notes: str = "", **words: str) -> Row:
    cells = {language: tuple(words.get(language, f"{name}{language}").split("|")) for language in LANGUAGES}
    return Row(f"{name}.{pos}", "test", False, pos, synset, notes, cells)


@pytest.mark.parametrize(
    ("language", "pos", "word", "problem"),
    [
        ("de", "n", "Hund", ""),
        ("de", "n", "hund", "is a German noun without its capital"),
        ("de", "v", "Essen", "has a capital"),
        ("en", "n", "TV", ""),
        ("fr", "n", "petit pois", "is not one word in the script of its language"),
        ("fr", "v", "mangé", "is no verb in its dictionary form"),
        ("fr", "v", "manger", ""),
        ("es", "v", "reír", ""),
        ("es", "v", "arrepentirse", ""),
        ("de", "v", "sein", ""),
        ("ja", "v", "食べる", ""),
        ("ja", "v", "勉強", "is no verb in its dictionary form"),
        ("ja", "a", "静かな", "is an adjective with its ending な or の"),
        ("ja", "n", "コーヒー", ""),
        ("zh", "n", "ＤＮＡ", "is not one word in the script of its language"),
        ("es", "n", "an\u0303o", "is not NFC"),
    ],
)
def test_shape(language: str, pos: str, word: str, problem: str) -> None:
    assert shape_problem(language, pos, word) == problem


def test_stems_are_what_dictionaries_list() -> None:
    assert stems("ja", "v", "勉強する") == {"勉強する", "勉強"}
    assert stems("ja", "v", "する") == {"する"}
    assert stems("zh", "a", "红色的") == {"红色的", "红色"}
    assert stems("es", "v", "arrepentirse") == {"arrepentirse", "arrepentir"}
    assert stems("es", "v", "besarse") == {"besarse", "besar"}
    assert stems("de", "n", "Straße") == {"strasse"}


def test_plurals_keep_the_word() -> None:
    assert plurals(frozenset({"cost", "city"})) >= {"cost", "costs", "city", "cities"}


def test_a_decision_is_parsed() -> None:
    cells = "en=dog|hound;fr=chien;de=Hund;es=perro;zh=狗;ja=犬|いぬ"
    decision = parse_decision(
        f"dog.n\tkeep\t{cells}\tsynset=02084071-n;zh/狗:no-source:common;de:plural_only", "00.tsv"
    )
    assert decision.keep
    assert decision.words["ja"] == ("犬", "いぬ")
    assert decision.synset == "02084071-n"
    assert decision.whys == {("zh", "狗"): "common"}
    assert decision.marks == {"de:plural_only"}


@pytest.mark.parametrize(
    "line",
    ["dog.n\tmaybe\t\t", "dog.n\tkeep\ten=dog\t", "dog.n\tkeep\ten=dog;en=dog\t", "dog.n", "dog.n\tkeep\tdog\t"],
)
def test_an_unreadable_decision_is_refused(line: str) -> None:
    with pytest.raises(ValueError):
        parse_decision(line, "00.tsv")


def test_reasons_in_notes() -> None:
    assert parse_whys("es:why not;zh/词:a, b") == {("es", ""): "why not", ("zh", "词"): "a, b"}
    assert parse_whys("ja:kana") == {}
    assert parse_whys("fr prêt = ready") == {}


def test_the_second_pass_overrides_the_first(tmp_path: Path) -> None:
    header = "concept_id\tdecision\tcells\tnote\n"
    cells = ";".join(f"{language}=x" for language in LANGUAGES)
    (tmp_path / "00.tsv").write_text(f"{header}dog.n\tkeep\t{cells}\t\ncat.n\tdrop\t\tvague\nowl.n\tdrop\t\t\n")
    (tmp_path / "second_pass.tsv").write_text(f"{header}dog.n\tdrop\t\tambiguous\n")
    candidates = {f"{name}.n": Listed(f"{name}.n", "n", "00000001-n", 0) for name in ("dog", "cat", "cow")}
    candidates["far.n"] = Listed("far.n", "n", "00000002-n", 1)  # of a chunk that nobody has reviewed
    decisions, problems = read_reviews(tmp_path, candidates)
    assert not decisions["dog.n"].keep
    assert problems == ["00.tsv:4: owl.n is no candidate", "cow.n: no review decides about it"]


def test_reasons_apart_from_the_reviews(tmp_path: Path) -> None:
    path = tmp_path / "reasons.tsv"
    assert read_reasons(path) == []
    path.write_text("concept_id\tlanguage\tword\twhy\ndog.n\tzh\t狗\tcommon word\n", encoding="utf-8")
    assert read_reasons(path) == [("dog.n", "zh", "狗", "common word")]
    path.write_text("concept_id\tlanguage\tword\twhy\ndog.n\tzh\t狗\ta;b\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"reasons\.tsv:2"):
        read_reasons(path)


def good(name: str, number: int, **words: str) -> Row:
    kanji = chr(0x4E00 + number)
    cells = {"en": name, "fr": name, "de": name.capitalize(), "es": name, "zh": kanji, "ja": kanji}
    return row(name, synset=f"{number:08}-n", **(cells | words))


def test_misshapen_words_and_concepts_are_dropped() -> None:
    rows = [good("dog", 1, zh="狗|G|狗|貓"), good("cat", 2, de="katze")]
    kept, removals = clean.without_misshapen(rows, frozenset("貓"))
    assert [one.concept_id for one in kept] == ["dog.n"]
    assert kept[0].words["zh"] == ("狗",)
    assert len(removals) == 4


def test_unattested_words_need_a_reason() -> None:
    dog = good("dog", 1, fr="chien|clebs|cabot")
    found = {
        "dog.n": [
            Finding("dog.n", "fr", "chien", True, ()),
            Finding("dog.n", "fr", "clebs", False, ()),
            Finding("dog.n", "fr", "cabot", False, ()),
        ]
    }
    kept, removals, unattested = clean.without_unattested([dog], found, {"dog.n": {("fr", "clebs"): "slang"}})
    assert kept[0].words["fr"] == ("chien", "clebs")
    assert kept[0].flags_note == "fr/clebs:no-source:slang"
    assert kept[0].reason("fr", "clebs") == "slang"
    assert [one.word for one in removals] == ["cabot"]
    assert [(one.word, one.detail) for one in unattested] == [("chien", "")]


def test_nearly_the_same_concept_stands_once() -> None:
    frequency = {"big": 5.0, "large": 4.0, "great": 3.0, "huge": 2.0}
    rows = [
        good("big", 1, fr="grand"),
        good("large", 2, fr="large|grand|vaste"),
        good("great", 3, fr="grand", es="gordo"),
        good("huge", 4, fr="grand", es="gordo"),
    ]
    kept, removals = clean.without_shared(rows, frequency.__getitem__)
    assert {one.concept_id: one.words["fr"] for one in kept} == {
        "big.n": ("grand",),
        "large.n": ("large", "grand", "vaste"),
        "great.n": ("grand",),
    }
    assert sorted((one.concept_id, one.word) for one in removals) == [("huge.n", "gordo"), ("huge.n", "grand")]
    assert [one.flags for one in shared_flags(kept)] == [("fr:shared",), ("fr:shared",), ()]


def test_a_synset_has_one_owner() -> None:
    rows = [good("sofa", 1), replace(good("couch", 2), synset="00000001-n")]
    kept, _ = clean.without_shared(rows, {"sofa": 4.0, "couch": 3.0}.__getitem__)
    assert [one.concept_id for one in kept] == ["sofa.n"]


def many(count: int) -> list[Row]:
    names = [chr(97 + i // 26) + chr(97 + i % 26) + "x" for i in range(count)]
    return [row(name, pos="nnnvvar"[i % 7]) for i, name in enumerate(names)]


def test_shots_are_proportional_and_share_no_word() -> None:
    rows = many(70)
    rows[0] = replace(rows[0], words=rows[0].words | {"fr": ("same",)})
    rows[1] = replace(rows[1], words=rows[1].words | {"fr": ("other", "same")})
    marked = choose_shots(rows, rows, count=14)
    shots = [one for one in marked if one.split == "shot"]
    assert Counter(one.pos for one in shots) == {"n": 6, "v": 4, "a": 2, "r": 2}
    assert not {rows[0].concept_id, rows[1].concept_id} & {one.concept_id for one in shots}
    assert [one.split for one in choose_shots(rows[::-1], rows, count=14)] == [one.split for one in marked[::-1]]


def test_too_few_shots_are_an_error() -> None:
    rows = [replace(one, flags_note="zh:no-source:x") for one in many(14)]
    with pytest.raises(ValueError, match="can be shots"):
        choose_shots(rows, rows, count=7)


def test_proportional_quotas_add_up() -> None:
    assert proportional(Counter({"n": 60, "v": 25, "a": 15}), 10) == {"n": 6, "v": 2, "a": 2}
    assert sum(proportional(Counter({"n": 1237, "v": 268, "a": 257, "r": 47}), 120).values()) == 120


def test_calibration_leaves_adverbs_out() -> None:
    marked = [one for one in mark_calibration(many(70), count=20) if one.calibration]
    assert len(marked) == 20
    assert "r" not in {one.pos for one in marked}


def test_bands_are_tertiles() -> None:
    rows = many(9)
    order = {one.concept_id: i for i, one in enumerate(rows)}
    frequency = {word: 9.0 - order[one.concept_id] for one in rows for words in one.words.values() for word in words}
    bands = [one.band for one in mark_bands(rows, lambda language, word: frequency[word])]
    assert bands == ["high"] * 3 + ["middle"] * 3 + ["low"] * 3


class TinyWordNet(WordNet):
    def __init__(self) -> None:
        self.synsets = {
            "00000001-n": Synset("03", ("animal",), ()),
            "00000002-n": Synset("05", ("dog",), (Pointer("@", "00000001-n", 0, 0),)),
            "00000003-n": Synset("05", ("cat",), (Pointer("@", "00000001-n", 0, 0),)),
            "00000004-n": Synset("06", ("chair",), ()),
            "00000005-a": Synset("00", ("hot",), (Pointer("!", "00000006-a", 1, 1), Pointer("&", "00000007-a", 0, 0))),
            "00000006-a": Synset("00", ("cold",), (Pointer("!", "00000005-a", 1, 1), Pointer("&", "00000008-a", 0, 0))),
            "00000007-a": Synset("00", ("torrid",), (Pointer("&", "00000005-s", 0, 0),)),
            "00000008-a": Synset("00", ("icy",), (Pointer("&", "00000006-a", 0, 0),)),
            "00000009-a": Synset("00", ("green",), ()),
        }
        self._senses = {(one[-1], lemma): {one} for one, synset in self.synsets.items() for lemma in synset.lemmas}
        self.closure = self._closure


def test_wordnet_forbids_what_lies_above_and_antonym_clusters() -> None:
    relations = Relations(TinyWordNet())
    words = {lemma: (one[-1], one) for one, synset in TinyWordNet().synsets.items() for lemma in synset.lemmas}
    rows = {lemma: row(lemma, pos, synset, en=lemma) for lemma, (pos, synset) in words.items()}
    assert relations.linked(rows["dog"], rows["animal"])
    assert not relations.linked(rows["dog"], rows["cat"])
    assert relations.tier("00000002-n", "00000003-n") == 0
    assert relations.tier("00000002-n", "00000004-n") == 3
    for other in ("cold", "torrid", "icy"):
        assert relations.linked(rows["hot"], rows[other])
    assert relations.linked(rows["torrid"], rows["icy"])
    assert not relations.linked(rows["hot"], rows["green"])
    everything = list(rows.values())
    fast = wordnet_links(everything, relations)
    for one in everything:
        slow = {o.concept_id for o in everything if o is not one and o.pos == one.pos and relations.linked(one, o)}
        assert fast[one.concept_id] == slow


def test_translation_links_go_both_ways_and_through_stems() -> None:
    study, learn, swim = (
        row(name, "v", ja=ja) for name, ja in (("study", "勉強する"), ("learn", "学ぶ"), ("swim", "泳ぐ"))
    )
    nothing = {language: frozenset[str]() for language in LANGUAGES}
    translations = {"study.v": nothing, "learn.v": nothing | {"ja": frozenset({"勉強"})}, "swim.v": nothing}
    assert translation_links([study, learn, swim], translations) == {"study.v": {"learn.v"}, "learn.v": {"study.v"}}


def test_spelling_links_cross_languages() -> None:
    gift, poison = row("gift", en="gift"), row("poison", de="Gift")
    assert spelling_links([gift, poison]) == {"gift.n": {"poison.n"}, "poison.n": {"gift.n"}}


class FlatRelations(Relations):
    def __init__(self) -> None:
        pass

    def forbidden(self, row: Row) -> frozenset[str]:
        return frozenset({row.synset})

    marks = forbidden

    def tier(self, first: str, second: str) -> int:
        return int(second[7]) % 4


def test_distractors_are_nine_within_the_bound_or_the_nearest() -> None:
    rows = [replace(one, pos="n", synset=f"{i:08}-n") for i, one in enumerate(many(30))]
    translations = {one.concept_id: {language: one.forms(language) for language in LANGUAGES} for one in rows}
    # The last one is far from all others in frequency.
    frequency = {one.words["en"][0]: 3.0 + 0.03 * i for i, one in enumerate(rows)} | {rows[-1].words["en"][0]: 7.0}
    chosen, dropped = choose(rows, translations, FlatRelations(), frequency.__getitem__)
    assert dropped == {}
    assert set(Counter(one.concept_id for one in chosen).values()) == {9}
    far = {one.concept_id for one in chosen if one.far_in_frequency}
    assert far == {rows[-1].concept_id}
    by_id = {one.concept_id: one for one in rows}
    for one in chosen:
        first, second = by_id[one.concept_id], by_id[one.distractor_id]
        problem = pair_problem(first, second, translations, FlatRelations(), frequency.__getitem__)
        assert problem == ("is far in frequency" if one.far_in_frequency else "")
    near = Counter((one.concept_id, one.tier) for one in chosen if one.tier < 3 and not one.far_in_frequency)
    assert max(near.values()) <= 3  # two each, more only when the far tier runs out
    again, _ = choose(rows[::-1], translations, FlatRelations(), frequency.__getitem__)
    assert sorted(again, key=repr) == sorted(chosen, key=repr)


def test_a_concept_without_nine_distractors_is_left_out() -> None:
    rows = [replace(one, pos="n", synset=f"{i:08}-n") for i, one in enumerate(many(12))]
    nothing = {language: frozenset[str]() for language in LANGUAGES}
    translations = {one.concept_id: nothing for one in rows}
    translations[rows[0].concept_id] = nothing | {"fr": frozenset(one.words["fr"][0] for one in rows[1:5])}
    chosen, dropped = choose(rows, translations, FlatRelations(), lambda word: 3.0)
    assert dropped == {rows[0].concept_id: 7}
    assert rows[0].concept_id not in {one.distractor_id for one in chosen}


def test_the_sample_is_seeded_and_of_test_cells_only() -> None:
    rows = [replace(one, synset="00000002-n", split="shot" if i < 5 else "test") for i, one in enumerate(many(20))]
    text = draw(rows, TinyWordNet(), 1, 30)
    lines = [line.split("\t") for line in text.splitlines()]
    assert len(lines) == 31
    assert len({(line[0], line[4]) for line in lines[1:]}) == 30
    assert not {line[0] for line in lines[1:]} & {one.concept_id for one in rows[:5]}
    assert draw(rows[::-1], TinyWordNet(), 1, 30) == text
    assert draw(rows, TinyWordNet(), 2, 30) != text
    with pytest.raises(ValueError, match="91 cells"):
        draw(rows, TinyWordNet(), 1, 91)


def test_verdicts_and_their_interval(tmp_path: Path) -> None:
    path = tmp_path / "judged.tsv"
    path.write_text("concept_id\tverdict\n" + "a\tright\n" * 297 + "b\twrong\n" * 3)
    verdicts = read_verdicts(path)
    assert report(verdicts) == "3 of 300 cells wrong: 1.00% (95 % interval 0.21% to 2.89%, Clopper-Pearson)"
    path.write_text("concept_id\tverdict\na\t\n")
    with pytest.raises(ValueError, match=r"judged\.tsv:2"):
        read_verdicts(path)


@pytest.mark.parametrize(("wrong", "cells"), [(0, 10), (3, 300), (10, 10), (7, 25)])
def test_the_interval_is_the_exact_one(wrong: int, cells: int) -> None:
    low, high = exact_interval(wrong, cells)
    assert (low == 0.0) if wrong == 0 else binom.sf(wrong - 1, cells, low) == pytest.approx(0.025)
    assert (high == 1.0) if wrong == cells else binom.cdf(wrong, cells, high) == pytest.approx(0.025)


def test_the_published_error_rate_is_that_of_the_published_sample() -> None:
    folder = Path(word_translation.__file__).parent / "samples"
    stated = (Path(pivotlens.bench.__file__).parent / "data" / DATASHEET).read_text(encoding="utf-8")
    rows = {row.concept_id: row for row in table_of_first_version(DATA)}  # the sample is of version 1.0
    samples = sorted(folder.glob("*.tsv"))
    assert samples
    verdicts = read_verdicts(samples[-1])
    assert len(verdicts) >= 300
    assert sum(verdicts) / len(verdicts) <= 0.01
    assert report(verdicts) in stated
    for line in samples[-1].read_text(encoding="utf-8").splitlines()[1:]:
        concept, _, _, _, language, word, accepted, *_ = line.split("\t")
        assert rows[concept].words[language] == (word, *filter(None, accepted.split("|")))
