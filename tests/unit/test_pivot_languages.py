"""In which language a pivot is written."""

import pytest

from pivotlens.artifacts import Concept
from pivotlens.text import Direction
from pivotlens.text.word_lists import WordLists, bundled_word_lists
from pivotlens.trace.pivot_languages import PivotLanguages
from pivotlens.trace.token_sets import TokenLink

_LINES = sorted({
    "water": "en:55", "table": "en:50 fr:49 es:31", "viande": "fr:45", "législation": "fr:38", "législatif": "fr:36",
    "form": "en:52 de:47", "hand": "en:54 de:50 fr:39", "governo": "it:55 pt:56", "动物": "zh:51", "動物": "ja:50",
    "水": "zh:53 ja:53", "山水": "ja:40", "animal": "en:48 fr:46 es:47", "governess": "en:30", "katzen": "de:45",
    "mano": "es:51 it:52",
}.items())  # fmt: skip
_LISTS = WordLists(
    frozenset({"en", "fr", "de", "es", "zh", "ja", "it", "pt"}),
    tuple(word for word, _ in _LINES),
    tuple(cells for _, cells in _LINES),
)
_WORDS = {"en": "water", "fr": "eau", "de": "Wasser", "es": "agua", "zh": "水", "ja": "水"}
_CONCEPT = Concept(
    "water", "test", True, "noun", _WORDS, {code: (word,) for code, word in _WORDS.items()}, (),
    (("en", "abyss", "hyponym"),),
)  # fmt: skip
_EN, _PIECE = TokenLink("translation:en", ("en",)), TokenLink("translation:en (piece)", ("en",))


@pytest.fixture
def languages():
    told = PivotLanguages.of([_CONCEPT])
    return PivotLanguages(told.own, told.words, _LISTS)


@pytest.mark.parametrize(
    ("text", "link", "expected"),
    [
        (" viande", None, "target"), (" législ", None, "target"), (" Water", None, "english"),
        (" eau", None, "target"),  # of the benchmark alone
        (" abyss", None, "english"),  # linked with another concept of the benchmark
        (" table", None, "several"), (" animal", TokenLink("hypernym", ("en",)), "several"),
        (" hand", None, "several"), (" Katzen", None, "third"),
        (" mano", None, "third"),  # Spanish is of the benchmark: Italian does not count
        (" governo", None, "third"),  # of no language of the benchmark, though an English word begins with gover
        ("动物", None, "source"), ("動物", None, "third"), ("山", None, "third"), ("水物", None, "several"),
        (" вода", None, "third"), (" 물", None, "third"), (" wqxzk", None, "not_told"), (" a", None, "not_told"),
        # What the benchmark says of the concept itself goes first; a piece may be of anything.
        (" table", _EN, "english"), (" viande", _PIECE, "target"), (" wqxzk", _PIECE, "english"),
        (" tables", TokenLink("translation:en (form)", ("en",)), "english"),
    ],
)  # fmt: skip
def test_what_a_pivot_is_written_in(languages, text, link, expected):
    assert languages.kind(text, link, Direction("zh", "fr")) == expected


def test_an_english_pivot_is_a_sides_own_where_a_side_is_english(languages):
    assert languages.kind(" water", None, Direction("en", "fr")) == "source"
    assert languages.kind(" water", None, Direction("fr", "en")) == "target"
    assert languages.kind(" table", None, Direction("en", "fr")) == "several"
    assert languages.kind(" form", None, Direction("zh", "fr")) == "several"


def test_two_third_languages_are_one_kind(languages):
    assert languages.told("水", None) == {"zh", "ja"}
    assert languages.kind("水", None, Direction("fr", "de")) == "third"
    assert languages.kind("水", None, Direction("fr", "zh")) == "several"


def test_bundled_lists_know_common_words():
    lists = bundled_word_lists()
    assert list(lists.words) == sorted(lists.words)
    for code, word in (
        ("en", "meat"),
        ("fr", "viande"),
        ("de", "fleisch"),
        ("es", "carne"),
        ("zh", "肉"),
        ("ja", "肉"),
    ):
        assert max(lists.of(word), key=lists.of(word).__getitem__) in ({code, "zh", "ja"} if code in "zh ja" else code)
    assert lists.of("wqxzk") == lists.beginning("wqxzk") == {}
    assert set(lists.beginning("législ")) == {"fr"}
    assert "物" in lists.characters["ja"]
