"""What users rely on in the shipped word lists; `builders` checks them against their sources."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import pytest

import pivotlens.bench
from pivotlens.bench.versions import answers_only, restored, split_version
from pivotlens.bench.wordlist import ListedConcept, parse_word_list
from pivotlens.errors import DataError
from pivotlens.text import fold

DATA = Path(pivotlens.bench.__file__).parent / "data"
STEM = "word_translation"
LANGUAGES = ("en", "fr", "de", "es", "zh", "ja")
MIN_TESTS = 2000
FIRST_VERSION = {
    "words": "2eba2224e67cc2c7437847f909418d7c272e583276485c76f0bce0de57ea6c84",
    "distractors": "8d54496bb041095a2257e6ef3a88c5fef62d72e3ec8ea371d969a436618803a2",
    "links": "933a0e167e3239e80832ac8ee8b2921b5ba1429a0e04bcc012fdb49c086aa2a6",
}


@pytest.fixture(scope="module")
def rows() -> list[ListedConcept]:
    return parse_word_list(shipped()["words"], STEM)


def shipped() -> dict[str, bytes]:
    suffixes = {"words": "", "distractors": "_distractors", "links": "_links"}
    return {part: (DATA / f"{STEM}{suffix}.tsv").read_bytes() for part, suffix in suffixes.items()}


def first_version() -> dict[str, bytes]:
    return restored(shipped(), (DATA / f"{STEM}_changes.tsv").read_bytes())


def distractors() -> list[tuple[str, str, int]]:
    header, *lines = shipped()["distractors"].decode().splitlines()
    assert header == "concept_id\tdistractor_id\ttier"
    return [(one, other, int(tier)) for one, other, tier in (line.split("\t") for line in lines)]


# -- the table


def test_there_are_enough_concepts_of_every_part_of_speech(rows: list[ListedConcept]) -> None:
    assert all(tuple(row.words) == LANGUAGES for row in rows)
    pos = Counter(row.pos for row in rows if row.split == "test")
    assert sum(pos.values()) >= MIN_TESTS
    assert set(pos) == {"n", "v", "a", "r"}
    assert {row.pos for row in rows if row.split == "shot"} == set(pos)
    assert sum(bool(row.calibration) for row in rows) == 200


def test_shots_share_no_word_with_a_test_concept(rows: list[ListedConcept]) -> None:
    forms: dict[str, set[tuple[str, str]]] = {split: set() for split in ("test", "shot")}
    for row in rows:
        forms[row.split] |= {(language, word.casefold()) for language in LANGUAGES for word in row.words[language]}
    assert not forms["test"] & forms["shot"]


def test_no_two_concepts_display_the_same_words_in_two_languages(rows: list[ListedConcept]) -> None:
    shown = [frozenset((language, row.words[language][0].casefold()) for language in LANGUAGES) for row in rows]
    by_word: dict[tuple[str, str], list[int]] = {}
    for index, words in enumerate(shown):
        for word in words:
            by_word.setdefault(word, []).append(index)
    for (language, _), ones in by_word.items():
        assert language != "en" or len(ones) == 1
        for one in ones:
            assert ("shared" in rows[one].flags.get(language, ())) == (len(ones) > 1)
            assert all(len(shown[one] & shown[other]) == 1 for other in ones if other != one)


def test_every_test_concept_has_nine_distractors_of_its_part_of_speech(rows: list[ListedConcept]) -> None:
    by_id = {row.concept_id: row for row in rows}
    pairs = distractors()
    assert Counter(one for one, _, _ in pairs) == {row.concept_id: 9 for row in rows if row.split == "test"}
    assert len({(one, other) for one, other, _ in pairs}) == len(pairs)
    for one, other, tier in pairs:
        assert one != other
        assert by_id[one].pos == by_id[other].pos
        assert by_id[other].split == "test"
        assert tier in range(4)


def test_no_distractor_is_spelled_like_its_concept_in_any_language(rows: list[ListedConcept]) -> None:
    spellings = {row.concept_id: {words[0].casefold() for words in row.words.values()} for row in rows}
    for one, other, _ in distractors():
        assert not spellings[one] & spellings[other], (one, other)


def test_no_concept_accepts_a_word_of_its_distractor(rows: list[ListedConcept]) -> None:
    forms = {row.concept_id: {(code, fold(word)) for code in LANGUAGES for word in row.words[code]} for row in rows}
    for one, other, _ in distractors():
        assert not forms[one] & forms[other]


def test_links_are_of_known_concepts_and_never_their_own_words(rows: list[ListedConcept]) -> None:
    own = {row.concept_id: {word.casefold() for code in LANGUAGES for word in row.words[code]} for row in rows}
    lines = shipped()["links"].decode().splitlines()
    assert lines[0] == "concept_id\tlanguage\tword\trelation"
    assert lines[1:] == sorted(lines[1:])
    for line in lines[1:]:
        concept_id, language, word, relation = line.split("\t")
        assert language == "en"
        assert word not in own[concept_id]
        assert relation in {"synonym", "hypernym", "hyponym", "meronym", "holonym", "derived"}


def test_the_files_end_lines_with_a_single_line_feed() -> None:
    for path in sorted(DATA.glob("word_translation*.tsv")):
        content = path.read_bytes()
        assert content.endswith(b"\n")
        assert b"\r" not in content
        assert not content.startswith(b"\xef\xbb\xbf")


def test_the_datasheet_states_the_size_and_the_licence(rows: list[ListedConcept]) -> None:
    text = (DATA / "WORD_TRANSLATION.md").read_text(encoding="utf-8")
    tests = sum(row.split == "test" for row in rows)
    assert f"{tests:,} test concepts" in text
    assert "CC BY-SA 4.0" in text
    assert (DATA / "LICENSE-CC-BY-SA-4.0.txt").read_text(encoding="utf-8").startswith("Attribution-ShareAlike 4.0")


# -- versions


def test_the_first_version_is_made_again_byte_for_byte() -> None:
    assert {part: hashlib.sha256(content).hexdigest() for part, content in first_version().items()} == FIRST_VERSION


def test_the_new_version_only_accepts_other_words(rows: list[ListedConcept]) -> None:
    first = parse_word_list(first_version()["words"], STEM)
    assert [row.concept_id for row in rows] == [row.concept_id for row in first]
    for row, old in zip(rows, first, strict=True):
        fixed = ("split", "calibration", "pos", "synset", "band", "flags")
        assert [getattr(row, name) for name in fixed] == [getattr(old, name) for name in fixed]
        for language in LANGUAGES:
            words, before = row.words[language], old.words[language]
            assert words[0] == before[0]
            kept = [word for word in before if word in words]
            assert list(words[: len(kept)]) == kept  # what was added stands behind


def test_a_change_list_restores_words_links_and_places() -> None:
    content = {
        "words": b"concept_id\ten\tfr\na\tx\tun|trois|neuf\nb\ty\tdeux\n",
        "distractors": b"concept_id\n",
        "links": b"concept_id\tlanguage\tword\trelation\na\ten\tz\tsynonym\n",
    }
    changes = (
        "concept_id\tlanguage\tchange\tplace\tword\trule\n"
        "a\tfr\tadded\t\tneuf\tspelling\na\tfr\tremoved\t1\tdeux\treview\na\ten\tunlinked\t\tk\thyponym\n"
    )
    first = restored(content, changes.encode())
    assert first["words"] == b"concept_id\ten\tfr\na\tx\tun|deux|trois\nb\ty\tdeux\n"
    assert first["links"] == b"concept_id\tlanguage\tword\trelation\na\ten\tk\thyponym\na\ten\tz\tsynonym\n"
    assert first["distractors"] == content["distractors"]


def test_naming_a_version() -> None:
    assert split_version("word-translation") == ("word-translation", "1.1")
    assert split_version("word-translation@1.0") == ("word-translation", "1.0")
    assert split_version("my@list.tsv") == ("my@list.tsv", "")
    with pytest.raises(DataError, match=r"no version '2'.*"):
        split_version("word-translation@2")


# -- the words, by kind of what version 1.0 missed


@pytest.fixture(scope="module")
def concepts(rows: list[ListedConcept]) -> dict[str, ListedConcept]:
    return {row.concept_id: row for row in rows}


@pytest.mark.parametrize(
    ("concept", "language", "words"),
    [
        ("important.a", "ja", "重要な 大切な"),  # na-adjectives
        ("unknown.a", "ja", "未知の"),  # no-adjectives
        ("modern.a", "ja", "現代的な"),
        ("happy.a", "zh", "快乐的 高興 高興的"),  # 的, traditional, both
        ("beautiful.a", "fr", "belle"),
        ("beautiful.a", "es", "hermosa bella"),
        ("farmer.n", "fr", "fermière agricultrice"),
        ("farmer.n", "de", "Bäuerin"),
        ("waiter.n", "es", "camarera"),
        ("prisoner.n", "de", "Gefangene"),
        ("blue.a", "ja", "青 青色 青色の"),
        ("blue.a", "zh", "藍色的"),
        ("noodle.n", "zh", "麵條"),
        ("software.n", "zh", "軟體"),
        ("tiger.n", "ja", "とら"),
        ("use.v", "en", "utilise"),
        ("fetus.n", "fr", "foetus"),
        ("video.n", "es", "video"),
    ],
)
def test_systematically_missing_words_are_accepted(
    concepts: dict[str, ListedConcept], concept: str, language: str, words: str
) -> None:
    assert set(words.split()) <= set(concepts[concept].words[language])


@pytest.mark.parametrize(
    ("concept", "language", "word"),
    [
        ("musician.n", "es", "música"),  # music
        ("doctor.n", "fr", "médecine"),  # medicine
        ("prisoner.n", "es", "presa"),  # prey
        ("king.n", "fr", "reine"),
        ("actor.n", "fr", "actrice"),  # an actress is a concept of her own
        ("low.a", "fr", "base"),
        ("engineer.n", "fr", "ingénieuse"),
        ("eat.v", "zh", "喫"),
        ("face.n", "zh", "麵孔"),
        ("grey.a", "ja", "灰"),  # ash
        ("bone.n", "ja", "こつ"),  # a knack
        ("instinctively.r", "zh", "本能"),
        ("leather.n", "ja", "レーザー"),  # laser
        ("mosquito.n", "ja", "か"),  # particles
    ],
)
def test_words_that_look_like_a_form_and_are_others_are_not(
    concepts: dict[str, ListedConcept], concept: str, language: str, word: str
) -> None:
    assert word not in concepts[concept].words[language]


@pytest.mark.parametrize(
    ("concept", "language", "word"),
    [
        ("deer.n", "ja", "しか"),  # only
        ("oak.n", "ja", "なら"),  # if
        ("trout.n", "ja", "ます"),  # an ending of verbs
        ("reach.v", "zh", "到"),
    ],
)
def test_answers_that_text_is_full_of_in_other_senses_are_accepted_and_not_counted(
    concepts: dict[str, ListedConcept], concept: str, language: str, word: str
) -> None:
    left_out = answers_only((DATA / f"{STEM}_changes.tsv").read_bytes())[concept, language]
    assert word in concepts[concept].words[language]
    assert word in left_out
    assert concepts[concept].words[language][0] not in left_out
