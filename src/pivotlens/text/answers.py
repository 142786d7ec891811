"""When a written answer is one of the accepted words."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection

import regex

from pivotlens.text.scripts import fold

# How a character is written, not which one it is: full and half width, and the shapes of joined Arabic letters.
_SHAPES = ("<wide>", "<narrow>", "<initial>", "<medial>", "<final>", "<isolated>")
_APOSTROPHES = regex.compile("[\u2018\u2019\u201b\u2032\u02bb\u02bc\u02b9`\u00b4]")
_HYPHENS = regex.compile("[\u2010-\u2015\u2212]")
# Signs that nobody sees (of direction, of joining, soft hyphens, variants), and vowels that Arabic and Hebrew may
# write or not; those that belong to a letter, as in أ and آ, are part of it in normal form C.
_UNWRITTEN = regex.compile(
    r"[\p{Cf}\ufe00-\ufe0f\U000e0100-\U000e01ef"
    r"\u0640\u064b-\u0652\u0656-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed"
    r"\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7]"
)
_AROUND = r"[\p{P}\p{Z}\s>→⇒=~|▪●■◦○]"
# An apostrophe before a word belongs to it ('n, 's-Hertogenbosch), unless another one closes the quotation.
_BEFORE = regex.compile(rf"(?:(?!'){_AROUND})+")
_BEHIND = regex.compile(rf"{_AROUND}+$")


def is_accepted(generated: str, accepted: Collection[str]) -> bool:
    """Tell whether a generated line is one of the accepted words, but for how it is written down.

    That is case, width of the characters, kinds of apostrophes and hyphens, signs that nobody sees, the vowel marks of
    Arabic and Hebrew, and quotation marks, bullets and punctuation around it.
    """
    answer = bare_answer(generated)
    return answer != "" and answer in {bare_answer(word) for word in accepted}


def bare_answer(text: str) -> str:
    """Return a line as answers are compared: folded, without what `is_accepted` leaves out of account."""
    shaped = unicodedata.normalize("NFC", "".join(map(_unshaped, text)))
    folded = fold(_UNWRITTEN.sub("", shaped)).replace("i\u0307", "i")  # what case folding makes of a Turkish İ
    folded = " ".join(_HYPHENS.sub("-", _APOSTROPHES.sub("'", folded)).split())
    folded = _BEFORE.sub("", folded, count=1) if _BEFORE.match(folded) else folded
    bare: str = _BEHIND.sub("", folded)
    return bare.removeprefix("'") if "'" in folded[len(bare) :] else bare


def _unshaped(character: str) -> str:
    shape, _, letter = unicodedata.decomposition(character).partition(" ")
    return "".join(chr(int(code, 16)) for code in letter.split()) if shape in _SHAPES else character
