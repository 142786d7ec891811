"""Joining dictionaries into concepts, their distractors, and the benchmark that comes of it."""

from __future__ import annotations

import gzip
import hashlib
import json

import pytest

from lexicon_files import SMALL, WORDS, cedict, freedict, jmdict, jmdict_bytes, pairs, table, write_dictd
from pivotlens.bench.config import BenchConfig
from pivotlens.bench.design import draw_distractors, with_enough_distractors
from pivotlens.bench.join import join_lexicons
from pivotlens.bench.lexicon import Entry, Lexicon
from pivotlens.bench.links import Links
from pivotlens.bench.pairs import parse_pairs, parse_table
from pivotlens.bench.sources import find_lexicon
from pivotlens.bench.stage import STAGE, build_benchmark
from pivotlens.bench.wordlist import ListedConcept
from pivotlens.errors import ConfigError, DataError


def lexicon(*entries: Entry, **how) -> Lexicon:
    return Lexicon("test", entries, len(entries), {}, {}, **how)


def entry(language: str, word: str, other: str, *senses: str, **how) -> Entry:
    """Make an entry whose senses are strings with commas."""
    return Entry(language, word, tuple((n, other, tuple(text.split(","))) for n, text in enumerate(senses)), **how)


def shown(joined) -> dict[str, tuple[str, ...]]:
    return {c.concept_id: tuple(words[0] for words in c.words.values()) for c in joined.concepts}


# -- joining


def test_displayed_words_are_each_others_first():
    joined = join_lexicons(
        [
            lexicon(
                entry("en", "dog", "fr", "chien,cabot"),
                entry("en", "hound", "fr", "vieux limier,chien"),  # chien is dog first
                entry("en", "bank", "fr", "banque", "rive"),
                entry("en", "shore", "fr", "rive"),
                entry("en", "hotdog", "fr", "hot dog"),  # no word
                entry("en", "set", "fr", "hot dog", "jeu"),  # its first sense has no word
            )
        ],
        (),
    )
    assert shown(joined) == {"dog": ("dog", "chien"), "bank": ("bank", "banque"), "shore": ("shore", "rive")}
    assert joined.path == (("en", "fr"),)
    assert joined.lost == {"fr": 3}, "hound, hotdog, set"
    assert not joined.ranked


def test_accepted_words_of_the_first_sense_or_of_all():
    entries = [
        entry("en", "dog", "fr", "chien,cabot", "suivre", pos="noun"),
        entry("fr", "chien", "en", "dog,hound", "percussion", pos="noun"),
        entry("fr", "talonner", "en", "dog", pos="verb"),
        entry("en", "bitch", "fr", "chien", pos="noun"),
    ]
    first, every = (join_lexicons([lexicon(*entries)], (), senses).concepts[0].words for senses in ("first", "all"))
    assert first == {"en": ("dog", "bitch", "hound"), "fr": ("chien", "cabot")}
    assert every == {"en": ("dog", "bitch", "hound", "percussion"), "fr": ("chien", "talonner", "cabot", "suivre")}


def test_both_directions_confirm_a_translation():
    there = lexicon(entry("en", "car", "fr", "auto,voiture"), in_order=False)
    back = lexicon(entry("fr", "voiture", "en", "car,coach"), entry("fr", "auto", "en", "self"), in_order=False)
    assert shown(join_lexicons([there, back], ())) == {"car": ("car", "voiture"), "self": ("self", "auto")}


def test_common_words_go_before_rare_ones_where_nothing_orders_them():
    phrases = ["guard dog", "dog food", "dog-tired"]
    words = Lexicon(
        "test", (entry("fr", "chien", "en", "dog,cur,pooch"),), 1, {}, {"en": tuple(phrases)}, in_order=False
    )
    assert Links([words], ("en", "fr")).translations("fr", "en", "chien") == ["dog", "cur", "pooch"]
    chinese = lexicon(
        entry("zh", "犬", "en", "dog"), entry("zh", "狗", "en", "dog"),
        entry("zh", "狗屎", "en", "dung"), entry("zh", "热狗", "en", "sausage"), entry("zh", "狗狗", "en", "doggy"),
    )  # fmt: skip
    links = Links([chinese], ("zh", "en"))
    assert links.translations("en", "zh", "dog") == ["狗", "犬"]
    assert (links.held("zh", "狗"), links.held("zh", "犬"), links.held("zh", "狗屎")) == (3, 0, 0)


def test_three_lexicons_meet_in_the_language_they_share(tmp_path):
    en_fr = parse_pairs("".join(f"{en} {fr}\n" for en, fr, *_ in WORDS).encode(), "a", "en", "fr")
    en_zh = parse_pairs("".join(f"{zh} {en}\n" for en, _, zh, *_ in WORDS).encode(), "b", "zh", "en")
    en_ja = parse_pairs("".join(f"{en} {ja}\n" for en, _, _, ja, _ in WORDS).encode(), "c", "en", "ja")
    joined = join_lexicons([en_fr, en_zh, en_ja], ("zh", "ja", "fr"))
    assert joined.path == (("en", "zh"), ("en", "ja"), ("en", "fr"))
    assert list(joined.concepts[0].words) == ["zh", "ja", "fr"], "as asked; English only leads to them"
    assert len(joined.concepts) == len(WORDS)
    assert joined.concepts[0].concept_id == "water"
    assert joined.ranked
    assert ("en", "water") in joined.related["water"]
    chain = join_lexicons([en_zh, en_fr], ("zh", "fr"))
    assert chain.path == (("zh", "en"), ("en", "fr")), "as near, and begins with a wanted language"
    assert shown(chain)["狗"] == ("狗", "chien")


def test_what_cannot_be_joined():
    en_fr, de_it = (lexicon(entry(*pair)) for pair in (("en", "dog", "fr", "chien"), ("de", "Hund", "it", "cane")))
    with pytest.raises(ConfigError, match=r"language 'zh'.*in no lexicon"):
        join_lexicons([en_fr], ("en", "zh"))
    with pytest.raises(ConfigError, match="is one language"):
        join_lexicons([en_fr], ("en",))
    with pytest.raises(ConfigError, match="do not join en, fr, de, it"):
        join_lexicons([en_fr, de_it], ())
    assert shown(join_lexicons([en_fr, de_it], ("it", "de"))) == {"Hund": ("cane", "Hund")}


def test_case_and_composition_make_no_other_word():
    joined = join_lexicons(
        [
            lexicon(
                entry("en", "March", "fr", "mars"),
                entry("en", "march", "fr", "marche"),
                entry("en", "cafe", "fr", "Café,CAFÉ"),
            )
        ],
        (),
    )
    assert {fr for _, fr in shown(joined).values()} == {"mars", "Café"} or len(joined.concepts) == 2
    assert len({concept.words["fr"][0].casefold() for concept in joined.concepts}) == len(joined.concepts)


def test_a_german_noun_has_a_capital():
    found = join_lexicons(
        [
            lexicon(
                entry("ja", "戦争", "de", "bekriegen,Krieg", pos="noun"),
                entry("ja", "歩く", "de", "Gang,gehen", pos="verb"),
            )
        ],
        (),
    )
    assert shown(found) == {"戦争": ("戦争", "Krieg"), "歩く": ("歩く", "gehen")}


def test_ranks_order_the_concepts():
    content = "\n".join(["en\tfr", *(f"w{chr(97 + n)}x\tm{chr(97 + n)}" for n in reversed(range(20)))]).encode()
    joined = join_lexicons([parse_table(content, "t")], ())
    assert [concept.concept_id for concept in joined.concepts] == [f"w{chr(97 + n)}x" for n in reversed(range(20))]


# -- distractors


def test_no_translation_link_in_any_sense():
    entries = [entry("en", f"word{chr(97 + n)}", "fr", f"mot{chr(97 + n)}") for n in range(12)]
    entries += [
        entry("en", "bank", "fr", "banque", "rive"),
        entry("en", "shore", "fr", "rive", "bord de mer"),
        entry("en", "coast", "fr", "côte", "bord de mer"),
    ]
    joined = join_lexicons([lexicon(*entries)], ())
    concepts = [ListedConcept(c.concept_id, "test", None, "", "", c.words) for c in joined.concepts]
    drawn = draw_distractors(concepts, 12, 0, joined.related)
    assert set(drawn["shore"]) == {f"word{chr(97 + n)}" for n in range(12)}, "bank shares rive, coast a phrase"
    assert "coast" in draw_distractors(concepts, 13, 0, joined.related | {"shore": frozenset()})["bank"]
    kept = with_enough_distractors(concepts, 13, joined.related)
    assert {c.concept_id for c in concepts} - {c.concept_id for c in kept} == {"shore"}


# -- the stage


def build(tmp_path, *specs, **settings):
    return build_benchmark(BenchConfig(lexicon=tuple(map(str, specs)), **{**SMALL, **settings}), tmp_path / "run")


def test_a_lexicon_has_parts_too(tmp_path):
    path, settings = table(tmp_path), {"parts": ("a=0.5", "b=0.5"), "distractors": 2, "shot_pool": 5}
    made = {part: build(tmp_path / part, path, part=part, **settings) for part in ("a", "b")}
    tests = {part: {concept.concept_id for concept in bench.test_concepts()} for part, bench in made.items()}
    assert tests["a"]
    assert tests["b"]
    assert not tests["a"] & tests["b"]
    for part, other in (("a", "b"), ("b", "a")):
        words = {word for concept in made[other].test_concepts() for of in concept.accepted.values() for word in of}
        assert made[part].words_of_other_parts == words


@pytest.mark.parametrize(
    ("write", "languages"),
    [(table, ("en", "fr", "zh")), (pairs, ("en", "fr")), (freedict, ("en", "fr")), (jmdict, ("ja", "en", "fr")),
     (cedict, ("zh", "en"))],
)  # fmt: skip
def test_a_benchmark_from_every_format(tmp_path, write, languages):
    path = write(tmp_path)
    benchmark = build(tmp_path, path)
    assert benchmark.languages == languages
    columns = dict(zip(("en", "fr", "zh", "ja"), zip(*WORDS, strict=True), strict=False))
    expected = set(zip(*(columns[code] for code in languages), strict=True))
    assert {tuple(c.words.values()) for c in benchmark.concepts.values()} == expected
    assert (len(benchmark.test_concepts()), len(benchmark.shot_concepts())) == (11, 5)
    details = benchmark.manifest.details
    assert details["lexicons"][0]["entries_read"] in (16, 16 * len(languages))
    assert details["lexicons"][0]["spec"] == str(path)
    assert "no WordNet" in details["distractor_rule"]
    assert "no translation link in the lexicon in any sense" in details["distractor_rule"]
    assert details["joined_concepts"] == 16
    assert "first sense" in details["senses"]
    assert "frequenc" in details["order"]
    for concept in benchmark.test_concepts():
        assert len(set(concept.distractors)) == 4
        assert concept.tiers == {}
        assert concept.band == ""
    sums = {name.split(": ")[1]: value for name, value in benchmark.manifest.inputs.items()}
    assert sums[path.name] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_lexicons_in_three_formats_make_four_languages(tmp_path):
    benchmark = build(
        tmp_path, jmdict(tmp_path), cedict(tmp_path), freedict(tmp_path), languages=("en", "fr", "zho", "ja")
    )
    assert benchmark.languages == ("en", "fr", "zh", "ja")
    rows = {tuple(concept.words.values()) for concept in benchmark.concepts.values()}
    assert rows == {tuple(row[:4]) for row in WORDS}
    assert len(benchmark.manifest.inputs) == 4
    assert [found["format"] for found in benchmark.manifest.details["lexicons"]] == ["JMdict", "CC-CEDICT", "dictd"]
    assert set(benchmark.manifest.details["lexicons"][0]["languages"]) == {"ja", "en", "fr"}


def test_two_runs_give_the_same_bytes_and_a_change_is_seen(tmp_path):
    path = pairs(tmp_path)
    one = build(tmp_path, path)
    config = BenchConfig(lexicon=(str(path),), **SMALL)
    other = build_benchmark(config, tmp_path / "other")
    for name in ("items.parquet", "distractors.parquet", "manifest.json"):
        assert (one.folder / name).read_bytes() == (other.folder / name).read_bytes()
    assert STAGE.plan(config, tmp_path / "run").reason is None
    with path.open("a") as file:
        file.write("sun soleil\n")
    assert "input lexicon 1: en-fr.txt changed" in str(STAGE.plan(config, tmp_path / "run").reason)


def test_the_first_concepts_are_kept_and_what_was_skipped_is_told(tmp_path):
    path = pairs(tmp_path)
    with path.open("a") as file:
        file.write("hot-dog 2019\nice\tcrème glacée\n")
    benchmark = build(tmp_path, path, concepts=7)
    assert len(benchmark.test_concepts()) == 7
    assert set(benchmark.concepts) == {en for en, *_ in WORDS[:12]}
    assert any("2 of 18 entries were skipped (2 of several words" in text for text in benchmark.manifest.warnings)
    assert len(build(tmp_path, path, limit_concepts=6).test_concepts()) == 6
    with pytest.raises(ConfigError, match="limit_concepts = 3 leaves too few"):
        build(tmp_path, path, limit_concepts=3)


def test_parts_of_speech_without_company_are_left_out(tmp_path):
    rows = [f"w{chr(97 + n)}\tm{chr(97 + n)}\t{'noun' if n < 12 else 'verb'}" for n in range(14)]
    (tmp_path / "t.tsv").write_text("\n".join(["en\tfr\tpos", *rows]) + "\n")
    benchmark = build(tmp_path, tmp_path / "t.tsv")
    assert {concept.pos for concept in benchmark.test_concepts()} == {"noun"}
    assert any("were left out: fewer than 4 others" in text for text in benchmark.manifest.warnings)
    assert sum(concept.calibration for concept in benchmark.test_concepts()) == 5
    rows = [f"w{chr(97 + n)}\tm{chr(97 + n)}\tpos{n}" for n in range(14)]
    (tmp_path / "t.tsv").write_text("\n".join(["en\tfr\tpos", *rows]) + "\n")
    with pytest.raises(DataError, match="0 test concepts are left with 4 distractors each"):
        build(tmp_path, tmp_path / "t.tsv")


def test_too_few_words_in_common(tmp_path):
    (tmp_path / "en-zh.txt").write_text("water 水\ncat 猫\n")
    with pytest.raises(
        DataError, match="2 words with a counterpart in every language, too few for a shot pool of 5"
    ) as caught:
        build(tmp_path, pairs(tmp_path), tmp_path / "en-zh.txt")
    assert "have none in 'zh'" in caught.value.message
    assert "fewer `languages`" in caught.value.hint


def test_words_and_lexicon_exclude_each_other():
    with pytest.raises(ConfigError, match=r"\[bench\] words = 'a.tsv' and lexicon = 'b.txt' exclude each other"):
        BenchConfig.build({"run.toml": {"words": "a.tsv"}, "command line": {"lexicon": ("b.txt",)}})


def test_readings_are_accepted(tmp_path):
    benchmark = build(tmp_path, jmdict(tmp_path))
    assert benchmark.concepts["犬"].accepted["ja"] == ("犬", "いぬ")


def test_a_bad_line_of_word_pairs_stands_in_the_manifest(tmp_path):
    path = pairs(tmp_path)
    path.write_text(path.read_text() + "hot dog chien chaud\n")
    manifest = build(tmp_path, path).manifest
    (reason,) = manifest.details["lexicons"][0]["skipped"]
    assert reason.startswith("bad lines (line ")
    assert any(reason in warning for warning in manifest.warnings)


def test_a_later_sense_is_no_right_answer_unless_asked_for(tmp_path):
    entries = "".join(
        f"<entry><k_ele><keb>{ja}</keb></k_ele><r_ele><reb>{kana}</reb></r_ele><sense><pos>&n;</pos><gloss>{en}</gloss></sense>"
        f"<sense><gloss>{en}ness</gloss></sense></entry>"
        for en, _, _, ja, kana in WORDS
    )
    (tmp_path / "j.xml.gz").write_bytes(gzip.compress(jmdict_bytes(entries)))
    assert build(tmp_path, tmp_path / "j.xml.gz").concepts["犬"].accepted["en"] == ("dog",)
    every = build(tmp_path, tmp_path / "j.xml.gz", senses="all")
    assert every.concepts["犬"].accepted["en"] == ("dog", "dogness")
    assert "any sense" in every.manifest.details["senses"]
    assert json.loads((every.folder / "manifest.json").read_bytes())["algorithm_version"] == 5


def test_a_headword_in_several_articles(tmp_path):
    index = write_dictd(
        tmp_path, "eng-fra", {"March": "March /x/\nmars\n", "march": "march /x/\nmarche\n", "dog": "dog\nchien\n"}
    )
    joined = join_lexicons([find_lexicon(str(index)).read()], ())
    assert set(shown(joined)) == {"March", "dog"}
