"""The form in which text is matched, and what characters join into words."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import regex

from pivotlens.arrays import Bytes, Integers
from pivotlens.text.folding_kernels import ALL_CODES, LEFT_OUT, NEIGHBOURS, NOTHING, SEVERAL, fold_texts
from pivotlens.text.scripts import UNSPACED_SCRIPTS

_WORD_CHARACTERS = regex.compile(r"[\p{L}\p{M}\p{N}_]+")
# What Latin shares is no letter of theirs: the letter apostrophe, and marks such as the tilde, which Thai borrows.
# Bopomofo stands between them unspaced, though a token in it is not taken to begin a word.
_UNSPACED = regex.compile(
    "(?V1)[[" + "".join(map(r"\p{{scx={}}}".format, (*UNSPACED_SCRIPTS, "Bopomofo"))) + r"]--\p{scx=Latin}]+"
)
_MARKS = regex.compile(r"\p{M}+")
# Scripts in which an apostrophe is a letter within a word (п'ять, צ'ק); in Latin and Greek it may stand for one.
_WITH_APOSTROPHES = regex.compile(r"[\p{sc=Cyrillic}\p{sc=Hebrew}]+")
_LETTERS = regex.compile(r"\p{L}+")
_HIRAGANA, _KATAKANA, _HAN = map(regex.compile, (r"\p{sc=Hiragana}+", r"[\p{sc=Katakana}ー]+", r"\p{sc=Han}+"))
SPACED, MARK, APOSTROPHE, LETTER, HIRAGANA, KATAKANA, HAN = 1, 2, 4, 8, 16, 32, 64
"""Bits of `character_flags`."""
_SEPARATOR, _UNUSED = "\0", "\ufdd0"

# Written or left out without making another word: soft hyphens, joiners and marks of direction, selectors of a glyph,
# the vowel signs of Hebrew, Arabic and Syriac, tatweel. A dot above is left after NFC only on an i: that of İ in
# lower case. The space of no width is none of them: it parts words.
_IGNORED = regex.compile(
    r"[\u00ad\u034f\u061c\u200c-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef"
    r"\u180b-\u180f\u0307\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670"
    r"\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0711\u0730-\u074a]+"
)
_ALIKE = {"'": "‘’ʻʼ׳＇", "-": "\u2010\u2011", " ": "\t\n\v\f\r\x85\u2028\u2029"}
_SPACES = regex.compile(r"\p{Zs}+")
_NONE = 0xFFFFFFFF

DOTTED_I = frozenset({"tr", "az"})
"""Languages in which I is the capital of ı, and İ that of i."""


@functools.cache
def _every_character() -> str:
    return "".join(map(chr, range(ALL_CODES)))


@functools.cache
def character_flags() -> Bytes:
    """Return, by code point, what it is: bits of those above; `SPACED` joins into words between spaces."""
    flags = np.zeros(ALL_CODES, dtype=np.uint8)
    for run in _WORD_CHARACTERS.finditer(_every_character()):
        flags[run.start() : run.end()] = SPACED
    for run in _UNSPACED.finditer(_every_character()):
        flags[run.start() : run.end()] = 0
    scripts = (_HIRAGANA, HIRAGANA), (_KATAKANA, KATAKANA), (_HAN, HAN)
    for pattern, bit in ((_MARKS, MARK), (_WITH_APOSTROPHES, APOSTROPHE), (_LETTERS, LETTER), *scripts):
        for run in pattern.finditer(_every_character()):
            flags[run.start() : run.end()] |= bit
    return flags


@functools.cache
def _matched_as() -> npt.NDArray[np.uint32]:
    """Return, by code point, the code point that a folded character is matched as, or `_NONE`."""
    matched = np.arange(ALL_CODES, dtype=np.uint32)
    for run in _SPACES.finditer(_every_character()):
        matched[run.start() : run.end()] = ord(" ")
    for character, alike in _ALIKE.items():
        matched[[ord(one) for one in alike]] = ord(character)
    for run in _IGNORED.finditer(_every_character()):
        matched[run.start() : run.end()] = _NONE
    return matched


def joins_words(character: str) -> bool:
    """Tell whether a character is part of words written between spaces: letter, mark, digit or underscore.

    Characters of scripts without spaces are not: beside one of them a Latin word ends.
    """
    return bool(character_flags()[ord(character)] & SPACED)


def takes_apostrophes(character: str) -> bool:
    """Tell whether an apostrophe between this character and another such is a letter of the word: in Cyrillic, Hebrew.

    In other scripts a word may begin or end at one, as *eau* does in *l'eau*.
    """
    return bool(character_flags()[ord(character)] & APOSTROPHE)


def matching_form(text: str, language: str = "") -> str:
    """Return text as words are matched: folded, without what is written or left out at will, the like made the same.

    Apostrophes, hyphens and kinds of white space are one each. Soft hyphens, joiners, the vowel signs of Hebrew,
    Arabic and Syriac, tatweel and the dot that *İ* keeps in lower case are left out.

    Args:
        text: Any text.
        language: Of the word, or of the words that are looked for: in Turkish and Azerbaijani I is a capital ı.

    >>> matching_form("IŞIK"), matching_form("IŞIK", "tr")
    ('işik', 'ışık')
    """
    # The steps of `fold`, with one more between: leaving out a character may let its neighbours be composed.
    composed = unicodedata.normalize("NFC", text)
    if language in DOTTED_I:
        composed = composed.replace("I", "ı")
    folded = composed.casefold().encode("utf-32-le", "surrogatepass")
    points = np.take(_matched_as(), np.frombuffer(folded, dtype=np.uint32))
    if points.max(initial=0) == _NONE:
        points = points[points != _NONE]
    return unicodedata.normalize("NFC", str(points.data, "utf-32-le", "surrogatepass"))


class Texts(NamedTuple):
    """Texts in UTF-8 in one buffer.

    Attributes:
        content: All of them, shape ``(bytes,)``; surrogates are encoded like other characters.
        starts: Where each begins, shape ``(texts,)``.
        ends: Where each ends.
    """

    content: Bytes
    starts: Integers
    ends: Integers

    @classmethod
    def of(cls, texts: Sequence[str]) -> Texts:
        """Take them of strings."""
        content = np.frombuffer(_SEPARATOR.join([*texts, ""]).encode("utf-8", "surrogatepass"), dtype=np.uint8)
        ends = np.flatnonzero(content == 0)
        if ends.size != len(texts):  # a text holds the separator
            lengths = [len(text.encode("utf-8", "surrogatepass")) + 1 for text in texts]
            ends = np.cumsum(lengths, dtype=np.int64) - 1
        return cls(content, np.concatenate([[0], ends + 1])[: ends.size].astype(np.int64), ends)


class Tables(NamedTuple):
    """How `fold_texts` folds characters, by code point.

    Attributes:
        folded: The one code point that stands for it; `NOTHING`; or `SEVERAL` less a row of ``several``.
        classes: Its canonical combining class.
        kinds: `NEIGHBOURS` where it may be composed with others, `LEFT_OUT` where it is left out.
        several: The characters of those that become several, shape ``(rows, 3)``, filled up with zeros.
    """

    folded: npt.NDArray[np.int32]
    classes: Bytes
    kinds: Bytes
    several: npt.NDArray[np.int32]


@functools.cache
def tables(language: str) -> Tables:
    """Return how characters are folded where words of a language are looked for; empty for most."""
    folded = np.arange(ALL_CODES, dtype=np.int32)
    classes, kinds = np.zeros(ALL_CODES, dtype=np.uint8), np.zeros(ALL_CODES, dtype=np.uint8)
    several: list[list[int]] = []
    matched_as = _matched_as()
    changed = set(np.flatnonzero(matched_as != np.arange(ALL_CODES)).tolist())
    for code, character in enumerate(_every_character()):
        if 0x30000 <= code < 0xE0000:  # planes without a character that is folded, composed or a mark
            continue
        classes[code] = unicodedata.combining(character)
        if not unicodedata.is_normalized("NFC", character):
            kinds[code] = NEIGHBOURS
        if parts := unicodedata.decomposition(character):
            *_, last = parts.split()
            kinds[int(last, 16)] |= NEIGHBOURS * (not parts.startswith("<") and " " in parts)
        if code in changed or character.casefold() != character or character == "I":
            form = matching_form(character, language)
            if len(form) == 1:
                folded[code] = ord(form)
            elif form:
                folded[code] = SEVERAL - len(several)
                several.append([ord(part) for part in form.ljust(3, _SEPARATOR)])
    for jamo in (range(0x1161, 0x1176), range(0x11A8, 0x11C3)):  # composed by rule
        kinds[jamo.start : jamo.stop] = NEIGHBOURS
    left_out = matched_as == _NONE
    folded[left_out] = NOTHING
    kinds[left_out] |= LEFT_OUT
    folded[0] = ord(_UNUSED)
    return Tables(folded, classes, kinds, np.array(several, dtype=np.int32).reshape(-1, 3))


def fold(texts: Texts, language: str = "") -> Bytes:
    """Return the `matching_form` of each text in UTF-8, each ended by a zero byte, of which there are no others.

    Args:
        texts: Texts.
        language: As in `matching_form`.
    """
    content, starts, ends = texts
    n_zeros = content.size - np.count_nonzero(content)
    out = np.empty(2 * content.size + 3 * n_zeros + starts.size, dtype=np.uint8)
    by_code = tables(language if language in DOTTED_I else "")
    gaps = np.empty((content.size // 2, 3), dtype=np.int64)
    written, n_gaps = fold_texts(content, (starts, ends), by_code, out, gaps)
    if not n_gaps:
        return out[:written]
    pieces: list[bytes | memoryview] = []
    done, whole, raw = 0, out.data, content.tobytes()
    for start, end, at in gaps[:n_gaps].tolist():
        pieces += [whole[done:at], _folded_together(raw[start:end], language)]
        done = at
    return np.frombuffer(b"".join([*pieces, whole[done:written]]), dtype=np.uint8)


@functools.lru_cache(maxsize=1 << 16)
def _folded_together(cluster: bytes, language: str) -> bytes:
    text = cluster.decode("utf-8", "surrogatepass").replace(_SEPARATOR, _UNUSED)
    return matching_form(text, language).encode("utf-8", "surrogatepass")


def separated_forms(texts: Sequence[str]) -> bytes:
    """Return the `matching_form` of each text in UTF-8, each ended by a zero byte, of which there are no others."""
    return fold(Texts.of(texts)).tobytes()
