"""Words, graphemes, folding and characters that must not reach a terminal."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pivotlens.text import (
    begins_word,
    escape_controls,
    fold,
    has_spaces_between_words,
    is_word,
    normalise,
    truncate_graphemes,
)


@pytest.mark.parametrize(
    "token",
    ["water", " water", "▁water", " Water", "▁▁dog", "élan", "e\u0301lan", "l'eau", "l’eau", "vis-à-vis", "вода", "水",
     " 水", "学校", "カ", "コーヒー", "물", "น้ำดื่ม", "विद्यालय", "ماء", "straße"],
)  # fmt: skip
def test_words(token):
    assert is_word(token)


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        (" water", True),
        ("water", False),
        ("水", True),
        ("น้ำ", True),
        ("вода", False),
        ("물", False),
        (" 물", True),
        ("", False),
    ],
)
def test_where_words_begin(token, expected):
    assert begins_word(token) == expected


@pytest.mark.parametrize(
    "token",
    ["", " ", "▁", "s", " s", "of", "ed", ".", ",", "...", "…", "\n", "123", "3rd", "water1", "<0xE6>", "�", "水�",
     "wat�er", "foo_bar", "a.b.c", "www.x", "，", "。", "--", "'''", "ー", "--a", "</s>", "<s>", "two words", "\u200b"],
)  # fmt: skip
def test_no_words(token):
    assert not is_word(token)


@pytest.mark.parametrize(
    ("text", "length", "expected"),
    [
        ("water", 5, "water"), ("water", 4, "wat…"), ("", 3, ""), ("水冬银行", 3, "水冬…"), ("ab", 1, "…"),
        ("e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301e\u0301"), ("e\u0301e\u0301e\u0301", 2, "e\u0301…"),
        ("👩‍👩‍👧x", 2, "👩‍👩‍👧x"), ("👩‍👩‍👧xy", 2, "👩‍👩‍👧…"), ("🇫🇷🇯🇵🇨🇳", 2, "🇫🇷…"), ("นํ้า", 9, "นํ้า"),
    ],
)  # fmt: skip
def test_truncating_keeps_graphemes_whole(text, length, expected):
    assert truncate_graphemes(text, length) == expected


@given(st.text(max_size=30), st.integers(1, 40))
def test_truncating_leaves_short_texts(text, length):
    cut = truncate_graphemes(text, length)
    assert cut == text or cut.endswith("…")
    assert cut == text or text.startswith(cut[:-1])


def test_escaping_makes_controls_visible():
    assert escape_controls("a\x1b[31mb") == "a\\u001b[31mb"
    assert escape_controls("\n\t\r\x07\x7f\x9b") == "\\u000a\\u0009\\u000d\\u0007\\u007f\\u009b"
    assert escape_controls("\u202eevil\u2066\u200f") == "\\u202eevil\\u2066\\u200f"
    assert escape_controls("\ufeff\u00ad\ue000\ud800") == "\\ufeff\\u00ad\\ue000\\ud800"
    assert escape_controls("👩‍👧 l'eau 水") == "👩‍👧 l'eau 水"


@given(st.text(st.characters(), max_size=20))
def test_nothing_that_moves_a_cursor_is_left(text):
    escaped = escape_controls(text)
    assert not any(unicodedata.category(char) in {"Cc", "Co", "Cs"} for char in escaped)
    assert all(char == "\u200d" for char in escaped if unicodedata.category(char) == "Cf")


def test_a_private_character_beyond_16_bits():
    assert escape_controls("\U000f0000") == "\\U000f0000"


@pytest.mark.parametrize(
    ("one", "other"),
    [("Été", "e\u0301te\u0301"), ("STRASSE", "straße"), ("Σίσυφος", "ΣΊΣΥΦΟΣ"), ("ﬁn", "FIN"),
     ("Ångström", "a\u030angstro\u0308m")],
)  # fmt: skip
def test_folding(one, other):
    assert fold(one) == fold(other)


@given(st.text(max_size=20))
def test_folding_twice_is_folding_once(text):
    assert fold(fold(text)) == fold(text)
    assert fold(normalise(text)) == fold(text)
    assert unicodedata.is_normalized("NFC", fold(text))


def test_folding_keeps_what_differs():
    assert fold("ou") != fold("où")
    assert fold("水") == "水"


def test_scripts_without_spaces():
    assert [has_spaces_between_words(code) for code in ("en", "ko", "zh", "zh-Hant", "ja", "th", "ar")] == [
        True, True, False, False, False, False, True,
    ]  # fmt: skip
