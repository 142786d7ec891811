"""Normalising text and telling what script it is written in."""

from __future__ import annotations

import functools
import unicodedata

import regex

UNSPACED_SCRIPTS = ("Han", "Hiragana", "Katakana", "Thai", "Lao", "Khmer", "Myanmar", "Tibetan")
"""Scripts that put no spaces between words, as Unicode names them."""

_UNSPACED = frozenset({"zh", "ja", "th", "lo", "km", "my", "bo"})
_CJK = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]")
_UNSPACED_SCRIPT = regex.compile("[" + "".join(map(r"\p{{{}}}".format, UNSPACED_SCRIPTS)) + "]")
# Vowel signs count too: in abugidas they are written as marks.
_LETTER = regex.compile(r"[\p{L}\p{M}]")
_WORD = regex.compile(r"[\p{L}\p{M}'’·ー-]+")
_GRAPHEME = regex.compile(r"\X")


def normalise(text: str) -> str:
    """Return ``text`` in Unicode normal form C."""
    return unicodedata.normalize("NFC", text)


def fold(text: str) -> str:
    r"""Return ``text`` as words are compared: case-folded and in normal form C.

    >>> fold("Straße"), fold("E\u0301LAN") == fold("élan")
    ('strasse', True)
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def has_spaces_between_words(language: str) -> bool:
    """Tell whether a language's usual script separates words by spaces."""
    return language.split("-")[0] not in _UNSPACED


@functools.lru_cache(maxsize=1 << 19)  # vocabularies are asked about again and again
def is_word(token: str) -> bool:
    """Tell whether a token's text can be a word: at least three letters, or a CJK character.

    It keeps out stray letters, punctuation and byte fragments (docs/method.md#token-sets).
    """
    text = token.strip().lstrip("▁").strip()
    if "�" in text or not _WORD.fullmatch(text):
        return False
    return has_cjk(text) or len(_LETTER.findall(text)) >= 3


def begins_word(token: str) -> bool:
    """Tell whether a token's text begins a word, where a leading space marks that.

    Scripts that are written without spaces mark nothing: all of their tokens may.
    """
    return token[:1].isspace() or begins_unspaced(token)


def begins_unspaced(token: str) -> bool:
    """Tell whether a text begins in a script that is written without spaces between words."""
    return bool(_UNSPACED_SCRIPT.match(token))


def has_cjk(text: str) -> bool:
    """Tell whether a text holds a Chinese, Japanese or Korean character."""
    return bool(_CJK.search(text))


def truncate_graphemes(text: str, length: int) -> str:
    """Return at most ``length`` graphemes of ``text``, with an ellipsis where it was cut."""
    graphemes = _GRAPHEME.findall(text)
    return text if len(graphemes) <= length else "".join(graphemes[: length - 1]) + "…"


def escape_controls(text: str, keep: str = "") -> str:
    r"""Return ``text`` with control and bidirectional formatting characters made visible.

    A token, a corpus text or a file's name shown on a terminal must not move the cursor or reorder its surroundings.

    Args:
        text: What is shown.
        keep: Such characters that stay as they are.

    >>> print(escape_controls("eau\x1b[2J \u202edrow"))
    eau\u001b[2J \u202edrow
    """
    return "".join(
        _escaped(ord(char))
        if unicodedata.category(char) in {"Cc", "Cf", "Co", "Cs"} and char not in f"\u200d{keep}"
        else char
        for char in text
    )


def inline_code(text: object) -> str:
    r"""Return a text as inline code of Markdown: on one line, with nothing in it that Markdown or HTML would act on.

    >>> print(inline_code("a`<b>\n# c"))
    `a'<b> # c`
    """
    return f"`{escape_controls(' '.join(str(text).replace('`', chr(39)).split()))}`"


def _escaped(code: int) -> str:
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
