from __future__ import annotations

import unicodedata

import numpy as np
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from pivotlens.arrays import ragged, ragged_take, sorted_distinct
from pivotlens.errors import DataError
from pivotlens.text import has_spaces_between_words
from pivotlens.text.matching import (
    WordMatcher,
    _separated_forms,
    joins_words,
    matching_form,
    takes_apostrophes,
    written_together,
)

WORDS = {
    "en": ("eau", "ice", "ice cream", "co-op", "op", "Straße", "be", "cream", "İzmir"),
    "fr": ("eau", "l'eau", "aujourd’hui", "e\u0301te\u0301", "eau de vie", "vie"),
    "zh": ("山", "水", "OK", "山水", "卡拉OK"),
    "ja": ("山", "カレー", "カレーライス"),
    "th": ("แม", "แม่น้ำ"),
    "ko": ("물",),
    "uk": ("п'ять", "ять", "п"),
    "ar": ("كتاب", "كَتَبَ"),
    "fa": ("می", "خواهم", "می‌خواهم"),
    "he": ("מים",),
}
LEXICON = {"zh": ("登山", "山人"), "th": ("แมว",)}
EXAMPLES = [
    ("l’EAU", [("en", "eau"), ("fr", "eau"), ("fr", "l'eau")]),
    ("eaux beau eau_ eau2", []),
    ("AUJOURD'HUI", [("fr", "aujourd’hui")]),
    ("Été STRASSE", [("en", "Straße"), ("fr", "e\u0301te\u0301")]),
    ("ice\ncream", [("en", "ice"), ("en", "ice cream"), ("en", "cream")]),
    ("xice cream", [("en", "cream")]),
    ("xco-op", [("en", "op")]),
    ("登山 山人", [("ja", "山")]),
    ("山eau水", [("en", "eau"), ("fr", "eau"), ("zh", "山"), ("zh", "水"), ("ja", "山")]),
    ("山水", [("zh", "山水"), ("ja", "山")]),
    ("卡拉OK! OKAY ok", [("zh", "OK"), ("zh", "卡拉OK")]),
    ("カレーライス", [("ja", "カレーライス")]),
    ("แม่น้ำ แมว", [("th", "แม่น้ำ")]),
    ("แม่", []),
    ("물을", []),
    ("eau\u0301", []),
    ("", []),
]


def _edges_allow(text: str, start: int, end: int) -> bool:
    if start > 0 and joins_words(text[start - 1]) and joins_words(text[start]):
        return False
    if start > 1 and text[start - 1] == "'" and takes_apostrophes(text[start - 2]) and takes_apostrophes(text[start]):
        return False
    following = text[end : end + 2]
    if following[:1] == "'" and all(map(takes_apostrophes, text[end - 1] + following[1:])) and following[1:]:
        return False
    if end < len(text):
        if joins_words(text[end - 1]) and joins_words(text[end]):
            return False
        if regex.match(r"\p{M}", text[end]):
            return False
    return True


def slow_match(text: str) -> list[tuple[str, str]]:
    """Look for one word after another, in an obvious way."""
    text = matching_form(text)
    found = []
    for language, words in WORDS.items():
        forms = {word: matching_form(word) for word in words}
        if has_spaces_between_words(language):
            for word, form in forms.items():
                spans = [match.span() for match in regex.finditer(regex.escape(form), text, overlapped=True)]
                if any(_edges_allow(text, *span) for span in spans):
                    found.append((language, word))
            continue
        everything = sorted({*forms.values(), *map(matching_form, LEXICON.get(language, ()))}, key=len, reverse=True)
        taken = regex.finditer("|".join(map(regex.escape, everything)), text)
        there = {match.group() for match in taken if _edges_allow(text, *match.span())}
        found += [(language, word) for word, form in forms.items() if form in there]
    return found


@pytest.fixture(scope="module")
def matcher() -> WordMatcher:
    return WordMatcher(WORDS, LEXICON)


@pytest.mark.parametrize(("text", "expected"), EXAMPLES)
def test_examples(matcher: WordMatcher, text: str, expected: list[tuple[str, str]]) -> None:
    assert [matcher.entries[word] for word in matcher.match(text)] == expected
    assert slow_match(text) == expected


_PIECES = [word for words in (*WORDS.values(), *LEXICON.values()) for word in words]
_PIECES += [
    "l",
    "’",
    "'",
    "-",
    " ",
    "\n",
    "\u00a0",
    "\u0301",
    "x",
    "_",
    "1",
    "登",
    "人",
    "ー",
    "\u0e48",
    "。",
    "\0",
    "𠮷",
    "\u02bc",
    "\u0303",
    "\u00ad",
    "\u200c",
    "\u0640",
    "\u064e",
    "İ",
    "ять",
    "п",
]
_TEXTS = st.lists(st.sampled_from(_PIECES), max_size=12).map("".join)


@settings(deadline=None)
@given(st.lists(_TEXTS, max_size=5))
def test_agrees_with_the_slow_search(texts: list[str]) -> None:
    matcher = _shared()
    found_texts, words = matcher.match_batch(texts)
    pairs = list(zip(found_texts.tolist(), [matcher.entries[word] for word in words], strict=True))
    assert pairs == [(number, entry) for number, text in enumerate(texts) for entry in slow_match(text)]


def _shared(matchers: list[WordMatcher] = []) -> WordMatcher:  # noqa: B006 - made once for all examples
    if not matchers:
        matchers.append(WordMatcher(WORDS, LEXICON))
    return matchers[0]


@pytest.mark.parametrize(
    ("kind", "language", "word", "text", "found"),
    [
        ("letter apostrophe", "uk", "п'ять", "п\u02bcять яблук", True),
        ("typographic apostrophe", "uk", "п\u02bcять", "п’ять яблук", True),
        ("within an apostrophe's word", "uk", "ять", "п\u02bcять яблук", False),
        ("within an apostrophe's word", "uk", "ять", "п'ять яблук", False),
        ("within an apostrophe's word", "uk", "п", "п’ять яблук", False),
        ("within an apostrophe's word", "he", "ק", "צ׳ק", False),
        ("quoted, not joined", "uk", "вода", "'вода' і ‘вода’", True),
        ("elision stays", "fr", "eau", "l\u02bceau", True),
        ("letter apostrophe", "haw", "Hawai'i", "Hawai\u02bbi", True),
        ("full width apostrophe", "fr", "l'eau", "l＇eau", True),
        ("tilde", "gn", "a", "g\u0303a", False),
        ("dot below", "yo", "a", "m\u0323a", False),
        ("overline", "en", "a", "x\u0305a", False),
        ("macron below", "en", "a", "q\u0331a", False),
        ("caron letter", "en", "a", "x\u02c7a", False),
        ("dotted capital", "tr", "insan", "İnsan geldi", True),
        ("dotted capital", "tr", "İnsan", "insan geldi", True),
        ("dotted capital", "tr", "insan", "I\u0307nsan geldi", True),
        ("its lower case elsewhere", "tr", "insan", "i\u0307nsan geldi", True),
        ("dot over an accent", "lt", "lit", "li\u0307t", True),
        ("soft hyphen", "de", "Wasser", "Was\u00adser", True),
        ("soft hyphen", "de", "Wasser", "Was\u00adser\u00adfall", False),
        ("soft hyphen in the list", "de", "Was\u00adser", "Wasser", True),
        ("vowel marks", "ar", "كتاب", "كِتَابٌ", True),
        ("vowel marks in the list", "ar", "كِتَاب", "كتاب", True),
        ("tatweel", "ar", "كتاب", "كتـــاب", True),
        ("hamza is no vowel mark", "ar", "أب", "اب", False),
        ("superscript alef", "ar", "هذا", "هٰذا", True),
        ("points", "he", "שלום", "שָׁלוֹם", True),
        ("no joiner within", "fa", "خواهم", "می\u200cخواهم", False),
        ("no joiner within", "fa", "می", "می\u200cخواهم", False),
        ("no joiner", "fa", "می‌خواهم", "میخواهم", True),
        ("joiner", "ml", "നന്മ", "നന്\u200dമ", True),
        ("marks of direction", "he", "כוס מים", "\u200fכוס\u200f מים\u200e", True),
        ("word joiner", "en", "ice cream", "ice\u2060 cream", True),
        ("byte-order mark", "en", "water", "\ufeffwater", True),
        ("space of no width parts", "en", "water", "eau\u200bwater", True),
        ("variation selector", "ja", "葛", "葛\U000e0100", True),
        ("narrow space", "fr", "eau de vie", "eau\u202fde\tvie", True),
        ("hyphens", "en", "co-op", "co\u2011op", True),
    ],
)  # fmt: skip
def test_what_is_written_or_left_out_at_will(kind: str, language: str, word: str, text: str, found: bool) -> None:
    assert bool(WordMatcher({language: (word,)}).match(text).size) == found, kind


@pytest.mark.parametrize(
    ("language", "word", "text"),
    [("ko", "물", "물을 마셔요"), ("he", "בית", "הבית הגדול"), ("ar", "كتاب", "الكتاب"), ("am", "ቤት", "የቤት")],
)
def test_words_written_together_with_others_are_a_limit_that_is_told(language: str, word: str, text: str) -> None:
    assert WordMatcher({language: (word,)}).match(text).size == 0
    assert written_together([language]) == [language]


def test_languages_whose_words_stand_alone() -> None:
    assert written_together(["en", "uk", "fa", "tr", "zh", "ar-Latn", "ko", "en"]) == ["ar-Latn", "ko"]


@settings(deadline=None)
@given(st.text(max_size=30))
def test_the_form_of_a_form_is_itself(text: str) -> None:
    form = matching_form(text)
    assert matching_form(form) == form
    assert unicodedata.is_normalized("NFC", form)


@settings(deadline=None)
@given(st.lists(st.text(max_size=5), max_size=5))
def test_texts_in_a_batch_are_folded_as_alone(texts: list[str]) -> None:
    forms = b"".join(_separated_forms(texts)).decode("utf-8", "surrogatepass")
    assert forms == "".join(f"{matching_form(text.replace(chr(0), chr(0xFDD0)))}\0" for text in texts)


def test_one_language_only(matcher: WordMatcher) -> None:
    assert [matcher.entries[word] for word in matcher.match("eau 山", "fr")] == [("fr", "eau")]


def test_no_words_and_impossible_words() -> None:
    assert WordMatcher({}).match("eau").size == 0
    assert WordMatcher({"fr": ()}).match("eau").size == 0
    for word in ("", " \n", "a\0b"):
        with pytest.raises(DataError, match="no word to look for"):
            WordMatcher({"fr": (word,)})


def test_what_joins_words() -> None:
    assert all(joins_words(character) for character in "aé1_я물\u0301٣")
    assert not any(joins_words(character) for character in "山あカーก -'、〇")


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 9), max_size=4), min_size=1, max_size=6), st.data())
def test_ragged_rows(rows: list[list[int]], data: st.DataObject) -> None:
    taken = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=8))
    origins, values = ragged_take(*ragged(rows), np.array(taken, dtype=np.int64))
    assert list(zip(origins, values, strict=True)) == [
        (number, value) for number, row in enumerate(taken) for value in rows[row]
    ]


@settings(deadline=None)
@given(st.lists(st.integers(-5, 5)))
def test_sorted_distinct(values: list[int]) -> None:
    assert sorted_distinct(np.array(values, dtype=np.int64)).tolist() == sorted(set(values))
