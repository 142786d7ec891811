"""How the page writes tokens, numbers and names."""

from __future__ import annotations

import math
import unicodedata

from pivotlens.errors import ConfigError
from pivotlens.text import Direction, english_name, escape_controls

MISSING = "–"
_VISIBLE = {"\n": "↵", "\t": "⇥", "\r": "␍", "▁": "␣", "\u2028": "\\u2028", "\u2029": "\\u2029", "\u00a0": "⍽"}


def visible(token: str) -> str:
    """Return a token as one line of text in which nothing is hidden and nothing reorders its surroundings.

    A leading space is shown as ``␣``; controls and bidirectional marks as their code.
    """
    bare = token.lstrip(" ▁")
    shown = "␣" * (len(token) - len(bare)) + "".join(_VISIBLE.get(char, char) for char in bare)
    shown = escape_controls(shown)
    first = shown.lstrip("␣")[:1]
    if first and unicodedata.category(first).startswith("M"):
        # A combining mark alone would sit on its neighbour.
        return shown.replace(first, f"◌{first}", 1)
    return shown or "∅"


def clean(text: str) -> str:
    """Return text that is no token as one line in which nothing is hidden and nothing reorders its surroundings."""
    return escape_controls(text).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def language_name(code: str) -> str:
    """Return a language's English name, or its code where no name is known."""
    try:
        return english_name(code)
    except ConfigError:
        return code


def direction_name(direction: Direction) -> str:
    """Return ``French → Chinese``."""
    return f"{language_name(direction.source)} → {language_name(direction.target)}"


def is_missing(value: float | None) -> bool:
    """Tell whether a figure is absent (None or NaN)."""
    return value is None or math.isnan(value)


def number(value: float | None, digits: int = 3) -> str:
    """Return a figure with a fixed number of decimals and a real minus sign, or a dash."""
    if value is None or math.isnan(value):
        return MISSING
    text = f"{value:.{digits}f}"
    return text.replace("-", "−") if float(text) != 0 else text.lstrip("-")


def percent(value: float | None) -> str:
    """Return a share as a percentage: whole, with a decimal below ten."""
    if value is None or math.isnan(value):
        return MISSING
    scaled = 100 * value
    return f"{scaled:.1f}%" if 0 < abs(scaled) < 9.95 else f"{scaled:.0f}%"


def whole(value: float | None) -> str:
    """Return a count with thousands separated by narrow spaces."""
    return MISSING if value is None or math.isnan(value) else f"{value:,.0f}".replace(",", "\u202f")


def probability(value: float | None) -> str:
    """Return a probability with two decimals, ``<.01`` for small ones."""
    if value is None or math.isnan(value):
        return MISSING
    return "<.01" if 0 < value < 0.005 else f"{value:.2f}".removeprefix("0") if value < 0.995 else "1.0"


def p_value(value: float | None) -> str:
    """Return a p-value or q-value."""
    if value is None or math.isnan(value):
        return MISSING
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def plural(count: int, noun: str) -> str:
    """Return ``1 item`` or ``12 items``."""
    return f"{whole(count)} {noun}{'' if count == 1 else 's'}"
