from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st
from tools.plain_count.matching import is_other_kana

from pivotlens.arrays import ragged, ragged_take, sorted_distinct
from pivotlens.errors import DataError
from pivotlens.text import has_spaces_between_words
from pivotlens.text.clitics import (
    AFTER_ELISION,
    ANYWHERE,
    ARABIC,
    ARTICLE_ALONE,
    ELIDED,
    HEBREW,
    KOREAN,
    NOWHERE,
    SHORTEST_AFTER,
    coda_of,
    follows,
    particles,
    prefixes,
    rule_of,
    whole_words,
    written_together,
)
from pivotlens.text.folding import (
    Texts,
    character_flags,
    fold,
    joins_words,
    matching_form,
    tables,
    takes_apostrophes,
)
from pivotlens.text.matching import WordMatcher, tokens_of

WORDS = {
    "en": ("eau", "ice", "ice cream", "co-op", "op", "Straße", "be", "cream", "İzmir"),
    "fr": ("eau", "l'eau", "aujourd’hui", "e\u0301te\u0301", "eau de vie", "vie"),
    "zh": ("山", "水", "OK", "山水", "卡拉OK"),
    "ja": ("山", "カレー", "カレーライス", "イス", "はな", "ま", "ー"),
    "th": ("แม", "แม่น้ำ"),
    "ko": ("물", "아이스 물", "나무", "책", "PC"),
    "uk": ("п'ять", "ять", "п"),
    "ar": ("كتاب", "كَتَبَ", "كرة", "كرة كتاب", "يد"),
    "fa": ("می", "خواهم", "می‌خواهم"),
    "he": ("מים", "בית", "בית ספר", "ים", "ספר"),
    "tr": ("ışık", "İnsan"),
    "uz": ("o'zbek", "zbek", "tog'"),
}
LEXICON = {"zh": ("登山", "山人"), "th": ("แมว",), "ko": ("물은",), "he": ("וספר",)}
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
    ("デバイスではなく", []),
    ("イスとはな、はな", [("ja", "イス"), ("ja", "はな")]),
    ("แม่น้ำ แมว", [("th", "แม่น้ำ")]),
    ("แม่", []),
    ("물을", [("ko", "물")]),
    ("물은", []),
    ("aujourd'hui", [("fr", "aujourd’hui")]),
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


def _cut(text: str) -> list[str]:
    """Cut a text wherever a word may begin or end."""
    places = [place for place in range(1, len(text)) if _edges_allow(text, place, place)]
    return [text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True) if end]


def _readings(token: str, language: str) -> list[str]:
    """Return what a token may be without what is written together with it, the longest first."""
    clitics = rule_of(language).clitics
    found = [token]
    if clitics == KOREAN:
        found += [
            token.removesuffix(particle)
            for particle, condition in particles().items()
            if token.endswith(particle)
            and token != particle
            and follows(condition, coda_of(token[: -len(particle)][-1]))
        ]
    elif clitics:
        found += [
            token.removeprefix(prefix)
            for prefix, kind in prefixes(clitics).items()
            if token.startswith(prefix) and len(token) - len(prefix) >= SHORTEST_AFTER[kind]
        ]
    return sorted(found, key=len, reverse=True)


def _without_article(token: str, language: str) -> list[str]:
    clitics = rule_of(language).clitics
    if clitics not in (HEBREW, ARABIC):
        return [token]
    article = next(prefix for prefix, kind in prefixes(clitics).items() if kind == ARTICLE_ALONE)
    return [
        token,
        *([token.removeprefix(article)] if token.startswith(article) and len(token) > len(article) + 1 else []),
    ]


def _may_begin(tokens: list[str], at: int, language: str) -> bool:
    after = at > 1 and tokens[at - 1].startswith("'") and joins_words(tokens[at - 2][-1])
    how = rule_of(language).apostrophes
    return how == ANYWHERE or not after or (how == AFTER_ELISION and tokens[at - 2] in ELIDED[language])


def _may_end(tokens: list[str], at: int, language: str) -> bool:
    before = "".join(tokens[at:])[:2]
    joined = before[:1] == "'" and len(before) == 2 and joins_words(before[1]) and joins_words(tokens[at - 1][-1])
    return rule_of(language).apostrophes != NOWHERE or not joined


def _slow_spaced(text: str, language: str, forms: list[str], further: Iterable[str] = ()) -> set[str]:
    """Look for one word after another in the tokens of a text."""
    tokens, found = _cut(text), set()
    single = {form for form in (*forms, *further) if len(_cut(form)) == 1}
    for at, token in enumerate(tokens):
        if not _may_begin(tokens, at, language) or regex.match(r"\p{M}", token):
            continue
        known = [reading for reading in _readings(token, language) if reading in single]
        for form in forms:
            parts = _cut(form)
            here = tokens[at : at + len(parts)]
            if len(here) < len(parts):
                continue
            if len(parts) == 1:
                is_there = known[:1] == parts
            elif rule_of(language).clitics == KOREAN:
                is_there = parts[:-1] == here[:-1] and parts[-1] in _readings(here[-1], language)
            else:
                is_there = parts[0] in _readings(here[0], language) and all(
                    part in _without_article(one, language) for part, one in zip(parts[1:], here[1:], strict=True)
                )
            if is_there and _may_end(tokens, at + len(parts), language):
                found.add(form)
    return found


def slow_match(
    text: str, words: Mapping[str, Sequence[str]] = WORDS, lexicon: Mapping[str, Sequence[str]] = LEXICON
) -> list[tuple[str, str]]:
    """Look for one word after another, in an obvious way."""
    found = []
    for language, listed in words.items():
        folded = matching_form(text, language)
        forms = {word: matching_form(word, language) for word in listed}
        further = [matching_form(word, language) for word in lexicon.get(language, ())]
        if has_spaces_between_words(language):
            further += [matching_form(word) for word in whole_words().get(language, ())]
            there = _slow_spaced(folded, language, list(forms.values()), further)
        else:
            everything = sorted({*forms.values(), *further}, key=len, reverse=True)
            taken = regex.finditer("|".join(map(regex.escape, everything)), folded)
            places = [match.span() for match in taken]
            there = {
                folded[start:end]
                for start, end in places
                if _edges_allow(folded, start, end) and not is_other_kana(folded, start, end)
            }
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
    *("은", "이", "을", "으로", "로", "에서는", "들이", "리"),
    *("ה", "ו", "כש", "ל", "מ"),
    *("ال", "و", "ب", "لل", "ف"),
    *("I", "ı", "i", "IŞIK", "oʻ", "aujourd", "c"),
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


def _traps() -> list[tuple[str, ...]]:
    lines = (Path(__file__).parent / "words_in_text.tsv").read_text(encoding="utf-8").removesuffix("\n").split("\n")
    return [tuple(cell.replace("\\t", "\t") for cell in line.split("\t")) for line in lines[1:]]


def test_traps_in_many_languages() -> None:
    traps = _traps()
    assert len(traps) >= 150
    assert len({language for language, *_ in traps}) >= 12
    wrong = []
    for language, word, text, occurs, why in traps:
        assert occurs in ("yes", "no", "yes, missed", "no, found")
        expected = [word] if occurs in ("yes", "no, found") else []
        found = [form for _, form in slow_match(text, {language: (word,)}, {})]
        if not bool(WordMatcher({language: (word,)}).match(text).size) == bool(found) == bool(expected):
            wrong.append((language, word, text, why))
    assert wrong == []


def test_languages_whose_words_stand_alone() -> None:
    assert written_together(["en", "uk", "fa", "tr", "zh", "ar-Latn", "ko", "am", "ar", "he", "en"]) == [
        "am",
        "ar-Latn",
    ]


@settings(deadline=None)
@given(_TEXTS)
def test_tokens_are_cut_where_words_may_begin_or_end(text: str) -> None:
    form = matching_form(text)
    if form:
        assert tokens_of(form) == _cut(form)


_CODES = sorted({ord(character) for pieces in _PIECES for character in pieces})
_COMBINED = [0x0301, 0x0323, 0x05B0, 0x05BC, 0x093C, 0x0DCF, 0x0E38, 0x0E48, 0x1161, 0x11A8, 0x3099, 0x0345, 0x0653]
_COMBINED += [0x1100, 0xAC00, 0x0390, 0x0149, 0x1E9E, 0x0130, 0x00AD, 0x0627, 0x05D1, 0x0958, 0x212B, 0xFB01, 0xD800]
_NASTY = st.text(st.sampled_from([chr(code) for code in (*_CODES, *_COMBINED)]) | st.characters(), max_size=12)


def _slow_forms(texts: Sequence[str], language: str = "") -> bytes:
    forms = [matching_form(text.replace("\0", "\ufdd0"), language) for text in texts]
    return "".join(f"{form}\0" for form in forms).encode("utf-8", "surrogatepass")


@settings(deadline=None, max_examples=400)
@given(st.lists(_NASTY, max_size=5), st.sampled_from(["", "tr", "az", "fr"]))
def test_compiled_folding_is_that_of_texts_alone(texts: list[str], language: str) -> None:
    assert fold(Texts.of(texts), language).tobytes() == _slow_forms(texts, language)


@pytest.mark.parametrize("around", ["{}", "e{}", "{}\u0301", "\u05d1{}\u05bc"])
def test_every_character_is_folded_as_alone(around: str) -> None:
    codes = [
        *range(0x3200),
        *range(0xA640, 0xAC10),
        *range(0xD7A0, 0x10500),
        *range(0x1D100, 0x1D200),
        *range(0x1E900, 0x1E960),
    ]
    texts = [around.format(chr(code)) for code in codes]
    assert fold(Texts.of(texts)).tobytes() == _slow_forms(texts)


def test_clusters_are_folded_apart() -> None:
    """What `fold_texts` takes for granted: no form begins with what is composed with, or sorted before, another."""
    by_code = tables("")
    stable = (by_code.kinds == 0) & (by_code.classes == 0)
    assert by_code.folded[stable].min() < 0 <= by_code.folded[stable & (by_code.folded >= 0)].min()
    firsts = np.where(by_code.folded >= 0, by_code.folded, by_code.several[np.clip(-2 - by_code.folded, 0, None), 0])
    assert stable[firsts[stable]].all()
    assert character_flags().shape == by_code.classes.shape


@settings(deadline=None)
@given(st.text(max_size=30))
def test_the_form_of_a_form_is_itself(text: str) -> None:
    form = matching_form(text)
    assert matching_form(form) == form
    assert unicodedata.is_normalized("NFC", form)


def test_many_pairs_in_few_texts() -> None:
    """More than are written at once: the search goes on at the next text."""
    words = [f"w{number}" for number in range(300)]
    matcher = WordMatcher({"en": words, "zh": ["山"]})
    found_texts, found = matcher.match_batch([" ".join([*words, "山"]), "", "w1 山"] * 400)
    assert found.size == 400 * (301 + 2)
    assert np.bincount(found_texts).tolist() == [301, 0, 2] * 400


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
