"""The axis: ticks, a name and a unit, across, upright, or as the head of a column of small figures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pivotlens.report.charts.svg import Scale, node, words
from pivotlens.report.wording import percent, visible
from pivotlens.text import truncate_graphemes

MARGIN = 3.0
"""Percent left free on both sides of a small figure, for the marks at its ends."""
_LETTER = 6.2
"""Width of a letter of a tick, about."""


@dataclass(frozen=True)
class Axis:
    """An axis; places are in the unit of the figures unless ``labels`` say otherwise.

    Attributes:
        name: What the figures are.
        unit: Their unit, or how they are to be read where they have none; never empty.
        ticks: Where ticks stand, ascending.
        labels: What is written at the ticks, as text from anywhere; the numbers if empty.
        share: Whether numbers are shares, written as percentages.
        low: Where the axis starts; at the first tick if None.
        high: Where it ends; at the last tick if None.
    """

    name: str
    unit: str
    ticks: Sequence[float]
    labels: Sequence[str] = ()
    share: bool = False
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        """Refuse an axis that does not say what it shows."""
        if not (self.name and self.unit and self.ticks):
            raise ValueError(f"an axis needs a name, a unit and ticks, not {self.name!r}, {self.unit!r}, {self.ticks}")

    @property
    def title(self) -> str:
        """Name and unit."""
        return f"{self.name} ({self.unit})"

    @property
    def start(self) -> float:
        """The lowest place."""
        return self.ticks[0] if self.low is None else self.low

    @property
    def end(self) -> float:
        """The highest place."""
        return self.ticks[-1] if self.high is None else self.high

    def scale(self, start: float, end: float) -> Scale:
        """Return the scale from the axis to a range."""
        return Scale(self.start, self.end, start, end)

    def written(self, place: float) -> str:
        """Return a place as it is written: the label of its tick, or the number."""
        if self.labels:
            return visible(self.labels[list(self.ticks).index(place)]) if place in self.ticks else f"{place:g}"
        return percent(place) if self.share else f"{place:g}".replace("-", "−")


def share_axis(name: str) -> Axis:
    """Return the axis of shares from 0 to 100%."""
    return Axis(name, "%", (0.0, 0.5, 1.0), share=True)


def names_axis(name: str, unit: str, labels: Sequence[str]) -> Axis:
    """Return an axis of evenly spaced names, at 0, 1, 2 and so on."""
    return Axis(name, unit, tuple(range(len(labels))) or (0,), tuple(labels) or ("",))


def value_axis(name: str, unit: str, values: Iterable[float], *, share: bool = False) -> Axis:
    """Return an axis around 0 and all values; NaN and infinities do not count."""
    known = [float(value) for value in values if math.isfinite(value)]
    return Axis(name, unit, axis_ticks(min([0.0, *known]), max([0.0, *known])), share=share)


def nice_ticks(high: float) -> list[float]:
    """Return ticks from 0 to at least ``high``: two to five steps of 1, 2 or 5 times a power of ten."""
    power = 10.0 ** max(-4, math.floor(math.log10(high / 4.0001)) if high > 0 else -4)
    step = next(step for step in (power * base for base in (1, 2, 5, 10)) if high / step <= 4.0001)
    return [round(step * place, 6) for place in range(max(0, math.ceil((high - 1e-9) / step)) + 1)]


def axis_ticks(low: float, high: float) -> list[float]:
    """Return evenly spaced ticks, 0 among them, that reach to or below ``low`` and to or above ``high``."""
    step = nice_ticks(max(high, -low, 1e-4))[1]
    first, last = math.floor(round(low / step, 9)), math.ceil(round(high / step, 9))
    return [round(step * place, 6) for place in range(min(first, 0), max(last, 0) + 1)]


def column_axis(axis: Axis, margin: float = MARGIN) -> Markup:
    """Draw the head of a column of small figures: name and unit as text, below them the ticks.

    Args:
        axis: The axis that all figures of the column share.
        margin: Percent left free on both sides: `MARGIN` above intervals, 0 above bars.
    """
    scale = axis.scale(margin, 100 - margin)
    ticks = [tick for tick in axis.ticks if axis.start - 1e-9 <= tick <= axis.end + 1e-9]

    def side(place: float) -> str:
        return "tick start" if place < 1 else "tick end" if place > 99 else "tick"

    marks = [words(axis.written(tick), scale.percent(tick), 11.0, side(scale(tick))) for tick in ticks]
    return node("span", axis.title, class_="axis-name") + node(
        "svg", *marks, class_="axis", width="100%", height="14", aria_hidden="true"
    )


def upright(axis: Axis, scale: Scale, left: float, right: float, title: float) -> list[Markup]:
    """Draw ticks and grid lines of an upright axis, with its title at the height ``title``."""
    marks = [words(axis.title, 0.0, title, "tick start")]
    for tick in axis.ticks:
        kind = "reference" if tick == 0 and axis.start < 0 else "grid"
        marks.append(node("line", x1=left, x2=right, y1=scale(tick), y2=scale(tick), class_=kind))
        marks.append(words(axis.written(tick), left - 5, scale(tick) + 4, "tick end"))
    return marks


def across(axis: Axis, scale: Scale, bottom: float, right: float) -> list[Markup]:
    """Draw tick labels below ``bottom`` and the title below them, all between 0 and ``right``.

    Where labels would touch, evenly spread ones are written, and long ones are cut.
    """
    names = [axis.written(tick) for tick in axis.ticks]
    most = 8 if max(map(len, names)) > 3 else 14
    room = int(abs(scale.end - scale.start) / _LETTER / min(len(names), 8))
    marks = []
    for place in range(0, len(names), -(-len(names) // most)):
        name = names[place]
        full = [node("title", name)] if len(name) > room else []
        cut = truncate_graphemes(name, max(room, 4))
        half = _LETTER * len(cut) / 2
        x = max(min(scale(axis.ticks[place]), right - half), half)
        marks.append(node("text", *full, cut, x=x, y=bottom + 14, class_="tick"))
    return [*marks, words(axis.title, (scale.start + scale.end) / 2, bottom + 28, "tick")]
