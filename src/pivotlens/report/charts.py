"""The marks that are drawn by hand as SVG: axis, interval, line with band, bar, forest.

They take numbers, labels and the CSS class of a role, and know no section and no table. What they return is inert,
says what it shows to who cannot see it, and is the same bytes for the same figures.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from pivotlens.arrays import Floats
from pivotlens.report.svg import band_path, figure, line_path, marker, node, words
from pivotlens.report.wording import number, percent, visible
from pivotlens.text import truncate_graphemes

MARGIN = 3.0
"""Percent left free on both sides of a small figure, for the marks at its ends."""
_LETTER, _TICK_LETTER = 5.9, 6.2
"""Width of a letter of a name and of a tick, about."""
_KEY_ROW, _ROW = 14, 16.0
_LEFT, _RIGHT, _BELOW, _STRIP = 44.0, 12.0, 34.0, 14.0
"""What stands around the area of two axes: its ticks, half a tick, ticks and a title, a row of shades."""

Estimate = Sequence[float] | float | None
"""A figure: (value, low, high), the value alone, or None; NaN stands for what is missing."""
Scale = Callable[[float], float]
"""From a figure to its place."""
Size = tuple[float, float]
"""Width and height."""
_AREA: Size = (404.0, 150.0)


def estimates(values: Sequence[Estimate] | Floats) -> Floats:
    """Return figures as an array.

    Args:
        values: Figures in any of their forms, or arrays of shape ``(n,)`` or ``(n, 3)``.

    Returns:
        Value, low and high, shape ``(n, 3)``; NaN where there is none.

    Raises:
        ValueError: A figure is neither one number nor three.
    """
    made = np.full((len(values), 3), math.nan)
    for row, value in zip(made, values, strict=True):
        parts = np.atleast_1d(np.asarray([] if value is None else value, np.float64))
        if len(parts) not in (0, 1, 3):
            raise ValueError(f"a figure is a value, or a value with two ends, not {value!r}")
        row[: len(parts)] = parts
    return made


def _said(row: Floats, write: Callable[[float], str] = number, missing: str = "none") -> str:
    """Return ``value [low, high]``, without the ends where there are none."""
    value, low, high = map(float, row)
    if math.isnan(value):
        return missing
    return write(value) if math.isnan(low + high) else f"{write(value)} [{write(low)}, {write(high)}]"


# -- axes


@dataclass(frozen=True)
class Axis:
    """An axis; places are in the unit of the figures unless ``labels`` say otherwise.

    Attributes:
        name: What the figures are.
        unit: Their unit, or how they are to be read where they have none; never empty.
        ticks: Where ticks stand, ascending; the axis starts at the first one.
        labels: What is written at the ticks, as text from anywhere; the numbers if empty.
        share: Whether numbers are shares, written as percentages.
        high: Where the axis ends; at the last tick if None.
    """

    name: str
    unit: str
    ticks: Sequence[float]
    labels: Sequence[str] = ()
    share: bool = False
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
    def end(self) -> float:
        """The highest place."""
        return self.ticks[-1] if self.high is None else self.high

    def scale(self, start: float, end: float) -> Scale:
        """Return the linear scale from the axis to a range."""
        low, span = self.ticks[0], (self.end - self.ticks[0]) or 1.0
        return lambda value: start + (value - low) / span * (end - start)

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
    """Return an axis of evenly spaced ticks around 0 and all values; NaN and infinities do not count."""
    known = [0.0, *(float(value) for value in values if math.isfinite(value))]
    step = nice_ticks(max(*known, -min(known), 1e-4))[1]
    first, last = math.floor(round(min(known) / step, 9)), math.ceil(round(max(known) / step, 9))
    return Axis(name, unit, [round(step * place, 6) for place in range(first, last + 1)], share=share)


def nice_ticks(high: float) -> list[float]:
    """Return ticks from 0 to at least ``high``: two to five steps of 1, 2 or 5 times a power of ten."""
    power = 10.0 ** max(-4, math.floor(math.log10(high / 4.0001)) if high > 0 else -4)
    step = next(step for step in (power * base for base in (1, 2, 5, 10)) if high / step <= 4.0001)
    return [round(step * place, 6) for place in range(max(0, math.ceil((high - 1e-9) / step)) + 1)]


def column_axis(axis: Axis, margin: float = MARGIN) -> Markup:
    """Draw the head of a column of small figures: name and unit as text, below them the ticks.

    Args:
        axis: The axis that all figures of the column share.
        margin: Percent left free on both sides: `MARGIN` above intervals, 0 above bars.
    """
    places = {tick: axis.scale(margin, 100 - margin)(tick) for tick in axis.ticks if tick <= axis.end + 1e-9}
    marks = [
        words(axis.written(tick), f"{place:.2f}%", 11.0, f"tick{' start' * (place < 1)}{' end' * (place > 99)}")
        for tick, place in places.items()
    ]
    head = node("svg", *marks, class_="axis", width="100%", height="14", aria_hidden="true")
    return node("span", axis.title, class_="axis-name") + head


class Plot:
    """An area with two axes; marks are drawn into it and come out as one figure, with a key above several kinds."""

    def __init__(self, x: Axis, y: Axis, size: Size, inset: float = 4.0, strip: float = 0.0) -> None:
        """Lay the area out.

        Args:
            x: Axis across.
            y: Axis upright.
            size: Width and height of the area between the axes.
            inset: Left free at both ends of ``x``.
            strip: Height left free above the area, below the key.
        """
        self.across, self.upright = x, y
        self.left, self.right = _LEFT, _LEFT + size[0]
        self.top, self.bottom = 22.0 + strip, 22.0 + strip + size[1]
        self.start, self.end = self.left + inset, self.right - inset
        self.x, self.y = x.scale(self.start, self.end), y.scale(self.bottom, self.top)
        self.marks: list[Markup] = []

    def figure(
        self, title: str, told: Sequence[str], kinds: Sequence[tuple[str, str, str]], class_: str, **more: str
    ) -> Markup:
        """Return the figure.

        Args:
            title: Said to who cannot see it, before ``told``.
            told: What each kind shows.
            kinds: What the key explains: name, CSS class of the kind, and ``line``, ``spot`` or ``segment``.
            class_: CSS class of the figure.
            **more: More of its attributes.
        """
        key, rows = self._key(kinds) if len(kinds) > 1 else ([], 0)
        width, above, height = self.right + _RIGHT, _KEY_ROW * rows, self.bottom + _BELOW
        label = f"{title}. {self.upright.title} by {self.across.title}. {'; '.join(told) or 'no figure'}"
        box = f"0 {0 - above:.0f} {width:.0f} {height + above:.0f}"
        return figure(label, *key, *self._axes(), *self.marks, class_=class_, viewBox=box, **more)

    def _axes(self) -> Iterable[Markup]:
        """Draw ticks, grid lines and titles; where names across would touch, some are written, and long ones cut."""
        x, y = self.across, self.upright
        yield words(y.title, 0.0, 13.0, "tick start")
        for tick in y.ticks:
            kind = "reference" if tick == 0 and y.ticks[0] < 0 else "grid"
            yield node("line", x1=self.left, x2=self.right, y1=self.y(tick), y2=self.y(tick), class_=kind)
            yield words(y.written(tick), self.left - 5, self.y(tick) + 4, "tick end")
        names = [x.written(tick) for tick in x.ticks]
        most = 8 if max(map(len, names)) > 3 else 14
        room = int((self.end - self.start) / _TICK_LETTER / min(len(names), 8))
        for place in range(0, len(names), -(-len(names) // most)):
            name = names[place]
            full = [node("title", name)] if len(name) > room else []
            cut = truncate_graphemes(name, max(room, 4))
            half = _TICK_LETTER * len(cut) / 2
            middle = max(min(self.x(x.ticks[place]), self.right + _RIGHT - half), half)
            yield node("text", *full, cut, x=middle, y=self.bottom + 14, class_="tick")
        yield words(x.title, (self.start + self.end) / 2, self.bottom + 28, "tick")

    def _key(self, kinds: Sequence[tuple[str, str, str]]) -> tuple[list[Markup], int]:
        """Return the key's marks, above 0, and how many rows they fill."""
        rows: list[list[tuple[float, tuple[str, str, str]]]] = [[]]
        x = 0.0
        for kind in kinds:
            width = 20 + _LETTER * len(kind[0]) + 12
            if x and x + width > self.right:
                x = 0.0
                rows.append([])
            rows[-1].append((x, kind))
            x += width
        marks: list[Markup] = []
        for above, row in zip(range(len(rows) - 1, -1, -1), rows, strict=True):
            y = -4.0 - _KEY_ROW * above
            for x, (name, kind_, mark) in row:
                if mark == "line":
                    marks.append(node("path", d=f"M{x:.1f},{y:.1f}h16", class_=f"line {kind_}"))
                elif mark == "segment":
                    marks.append(node("rect", x=x + 3, y=y - 5, width=10.0, height=10.0, class_=f"swatch {kind_}"))
                else:
                    marks.append(marker(kind_, x + 8, y, 3.2, f"swatch {kind_}"))
                marks.append(words(name, x + 20, y + 4, "tick start"))
        return marks, len(rows)


# -- intervals: points with whiskers, a few under one another in a table's cell, or a row each in a forest


@dataclass(frozen=True)
class Row:
    """A row of intervals.

    Attributes:
        name: What it is.
        value: The figure.
        kind: CSS class of its marks: a role (``b-direct``) or ``main`` (filled), ``second`` (open).
        head: Heading written above the row in a forest, where it differs from that of the row before.
    """

    name: str
    value: Estimate
    kind: str = "main"
    head: str = ""


def _whisker(one: Floats, place: Callable[[float], float | str], y: float, kind: str) -> list[Markup]:
    """Draw a point with its whisker across; nothing where there is no figure, no whisker where there are no ends."""
    value, low, high = map(float, one)
    if math.isnan(value):
        return []
    dot = node("circle", cx=place(value), cy=y, r=2.5 if kind == "second" else 3.5, class_=f"dot {kind}")
    if math.isnan(low + high):
        return [dot]
    return [node("line", x1=place(low), x2=place(high), y1=y, y2=y, class_=f"whisker {kind}"), dot]


def interval_cell(rows: Sequence[Row], axis: Axis, reference: float | None = None) -> Markup:
    """Draw intervals under one another for a cell that stretches; their axis is the head of the column.

    Args:
        rows: One to a few.
        axis: As given to `column_axis`.
        reference: Where a dashed line marks, say, chance.
    """
    scale = axis.scale(MARGIN, 100 - MARGIN)

    def place(value: float) -> str:
        return f"{scale(value):.2f}%"

    height, found = 8.0 * (len(rows) + 1), estimates([row.value for row in rows])
    marks, told = [], []
    if reference is not None:
        marks.append(node("line", x1=place(reference), x2=place(reference), y1="0", y2=height, class_="reference"))
    for line, (row, one) in enumerate(zip(rows, found, strict=True), 1):
        marks += _whisker(one, place, 8.0 * line, row.kind)
        told += [f"{row.name} {_said(one, percent if axis.share else number)}"] if one[0] == one[0] else []
    return figure(", ".join(told) or "no figure", *marks, class_="interval", width="100%", height=height)


def forest(title: str, rows: Sequence[Row], axis: Axis, *, reference: float = 0.0, missing: str = "none") -> Markup:
    """Draw intervals on one axis, a row each, with names on the left and figures on the right.

    Args:
        title: What is shown, for who cannot see it.
        rows: In order; rows with the same `Row.head` stand under it.
        axis: Of the figures.
        reference: The tick that is marked.
        missing: Written where a row has no figure.
    """
    inset = 12.0 if any(row.head for row in rows) else 0.0
    left = inset + 14 + _LETTER * max((len(row.name) for row in rows), default=0)
    # Long names stand above their intervals, so that the figure can be read on a phone.
    above = left > 160.0
    left = inset + 14 if above else left
    right, top = 124.0, 36.0
    width = left + right + 220.0
    scale = axis.scale(left, width - right)
    marks: list[Markup] = []
    told: list[str] = []
    y, head = top - 4, ""
    for row, one in zip(rows, estimates([row.value for row in rows]), strict=True):
        if row.head != head:
            head = row.head
            y += _ROW * (1.4 if told else 1.0)
            marks.append(words(head, 0.0, y, "name"))
        y += _ROW
        marks.append(words(row.name, inset, y, "tick start"))
        y += 0.8 * _ROW if above else 0.0
        marks += _whisker(one, scale, y - 4, row.kind)
        marks.append(words(_said(one, lambda value: number(value, 2), missing), width, y, "tick end"))
        told.append(f"{head}, " * bool(head) + f"{row.name} {_said(one, missing=missing)}")
        y += 0.4 * _ROW if above else 0.0
    height = y + 8
    kinds = {tick: "reference" if tick == reference else "grid" for tick in axis.ticks}
    grid = [node("line", x1=scale(at), x2=scale(at), y1=top - 6, y2=height, class_=kind) for at, kind in kinds.items()]
    grid += [words(axis.written(tick), scale(tick), top - 10, "tick") for tick in axis.ticks]
    grid.append(words(axis.title, (left + width - right) / 2, 11.0, "tick"))
    label = f"{title}, {axis.title}: {'; '.join(told) or 'no figure'}"
    return figure(label, *grid, *marks, class_="forest", viewBox=f"0 0 {width:.0f} {height:.0f}")


# -- lines, with a band or whiskers, and loose points


@dataclass(frozen=True)
class Line:
    """A line, or loose points.

    Attributes:
        name: What it is.
        kind: CSS class of its role, such as ``b-direct``.
        x: Places, shape ``(n,)``.
        values: Figures, shape ``(n,)`` or ``(n, 3)``, or one by one; NaN and None break the line.
        mark: How its figures are marked: by a ``band``, by ``spots`` with whiskers, or as loose ``points``.
    """

    name: str
    kind: str
    x: Sequence[float] | Floats
    values: Sequence[Estimate] | Floats
    mark: str = "spots"


@dataclass(frozen=True)
class Strip:
    """A row of shades above a chart: 0 is empty, 1 is full; NaN is left empty. The name says what shades mean."""

    name: str
    x: Sequence[float] | Floats
    shades: Sequence[float] | Floats


def line_chart(
    title: str, lines: Sequence[Line], x: Axis, y: Axis, *, size: Size = _AREA, strip: Strip | None = None
) -> Markup:
    """Draw lines on common axes.

    Args:
        title: Said to who cannot see the chart, before the first, the highest and the last figure of each line.
        lines: The lines, the most important first.
        x: Axis across; an axis of labels shifts whiskers beside one another.
        y: Axis upright.
        size: Width and height between the axes.
        strip: Shades above; with it the chart has a cursor and can be focused.
    """
    spots = bool(x.labels) and all(line.mark == "spots" for line in lines)
    plot = Plot(x, y, size, inset=22.0 if spots else 4.0, strip=_STRIP if strip else 0.0)
    shifts = [4.0 * (place - (len(lines) - 1) / 2) if spots else 0.0 for place in range(len(lines))]
    told = [_draw(plot, line, shift) for line, shift in zip(lines, shifts, strict=True)]
    kinds = [(line.name, line.kind, "spot" if line.mark == "points" else "line") for line in lines]
    if not strip:
        scattered = any(line.mark == "points" for line in lines)
        return plot.figure(title, told, kinds, "scatter" if scattered else "lines")
    _shade(plot, strip)
    ends = {"x1": plot.left, "x2": plot.left, "y1": plot.top, "y2": plot.bottom}
    plot.marks.append(node("line", class_="cursor", visibility="hidden", **ends))
    read = {"tabindex": "0", "data_start": f"{plot.start:g}", "data_end": f"{plot.end:g}"}
    return plot.figure(title, told, kinds, "layers", **read)


def _draw(plot: Plot, line: Line, shift: float) -> str:
    """Draw a line and say its ends and its peak."""
    places, found = np.asarray(line.x, np.float64), estimates(line.values)
    xs = [plot.x(place) + shift for place in places]
    heights, lows, highs = ([plot.y(value) for value in column] for column in found.T)
    known = np.flatnonzero(~np.isnan(found[:, 0]))
    if line.mark == "points":
        plot.marks += [marker(line.kind, xs[i], heights[i], 2.5, f"point {line.kind}") for i in known]
        return f"{line.name}: {len(known)} points"
    if line.mark == "band":
        plot.marks.append(node("path", d=band_path(xs, lows, highs), class_=f"band {line.kind}"))
    plot.marks.append(node("path", d=line_path(xs, heights), class_=f"line {line.kind}"))
    # A line of one figure has no length: it is marked whatever the kind.
    for i in known if line.mark == "spots" or len(known) == 1 else ():
        if not np.isnan(lows[i] + highs[i]):
            plot.marks.append(node("line", x1=xs[i], x2=xs[i], class_=f"reach {line.kind}", y1=lows[i], y2=highs[i]))
        plot.marks.append(marker(line.kind, xs[i], heights[i], 3.2, f"spot {line.kind}"))
    if not len(known):
        return f"{line.name}: no figure"
    write = percent if plot.upright.share else number
    told = dict.fromkeys((known[0], known[np.argmax(found[known, 0])], known[-1]))
    at = (f"{write(float(found[i, 0]))} at {plot.across.written(float(places[i]))}" for i in told)
    return f"{line.name} {' to '.join(at)}"


def _shade(plot: Plot, strip: Strip) -> None:
    """Draw the shades, each as wide as its place."""
    half = (plot.end - plot.start) / max(1, len(strip.x) - 1) / 2
    plot.marks.append(words(strip.name, plot.right, 13.0, "tick end"))
    for place, shade in zip(map(plot.x, strip.x), strip.shades, strict=True):
        if shade == shade:
            start, end = max(plot.left, place - half), min(plot.right, place + half)
            size = {"x": start, "y": plot.top - _STRIP, "width": end - start + 0.3, "height": 8.0}
            plot.marks.append(node("rect", class_="entropy", fill_opacity=0.85 * float(shade), **size))


# -- bars, stacked in a cell that stretches, or upright on two axes


@dataclass(frozen=True)
class Segment:
    """A part of a stacked bar; ``kind`` is the CSS class of its role."""

    name: str
    kind: str
    value: float


@dataclass(frozen=True)
class Bars:
    """Bars of one kind, one at each tick of an axis.

    Attributes:
        name: What they are.
        kind: CSS class of the role.
        values: Heights, shape ``(n,)``; NaN and None are left out.
        notes: What is said of each, shape ``(n,)``.
    """

    name: str
    kind: str
    values: Sequence[float | None]
    notes: Sequence[str]


def stacked_bar(
    segments: Sequence[Segment], whole: float | None = None, *, height: float = 22.0, figures: bool = True
) -> Markup:
    """Draw a bar of segments for a cell that stretches; empty segments are left out.

    Args:
        segments: In order.
        whole: What the full width stands for; their sum if None.
        height: Of the bar, in pixels.
        figures: Whether a segment that is wide enough carries its figure.
    """
    kept = [one for one in segments if one.value is not None and one.value > 0]
    total = sum(one.value for one in kept) if whole is None else whole
    marks, start = [], 0.0
    for one in kept:
        width = 100 * one.value / total if total else 0.0
        title = node("title", f"{visible(one.name)}: {one.value:g}")
        size = {"x": f"{start:.2f}%", "width": f"{width:.2f}%"}
        marks.append(node("rect", title, y="0", height=height, class_=f"segment {one.kind}", **size))
        if figures and width >= 5.0:
            middle = f"{start + width / 2:.2f}%"
            marks.append(words(f"{one.value:g}", middle, height / 2 + 4, f"count on-{one.kind}"))
        start += width
    label = ", ".join(f"{visible(one.name)} {one.value:g}" for one in kept)
    return figure(label or "none", *marks, class_="stack", width="100%", height=height)


def plain_bar(value: float | None, most: float, kind: str) -> Markup:
    """Draw one bar; its figure stands beside it, so it is hidden from screen readers."""
    width = 100 * value / most if most and value is not None and value > 0 else 0.0
    rect = node("rect", x="0", y="2", width=f"{width:.2f}%", height="8", class_=f"bar {kind}")
    return node("svg", rect, class_="plain-bar", width="100%", height="12", aria_hidden="true")


def bar_chart(title: str, bars: Sequence[Bars], x: Axis, y: Axis, *, size: Size = _AREA) -> Markup:
    """Draw upright bars, those of different kinds side by side.

    Args:
        title: Said to who cannot see the chart, before every figure.
        bars: One or more kinds, each with a value for every tick of ``x``.
        x: Axis across, of names.
        y: Axis upright, from 0.
        size: Width and height between the axes.
    """
    each = size[0] / len(x.ticks)
    plot = Plot(x, y, size, inset=each / 2)
    width, told = 0.8 * each / max(1, len(bars)), []
    for side, kind in enumerate(bars):
        notes = [f"{x.written(tick)} {note}" for tick, note in zip(x.ticks, kind.notes, strict=True)]
        told.append(f"{kind.name}: {', '.join(notes)}")
        for tick, value, note in zip(x.ticks, kind.values, kind.notes, strict=True):
            if value is not None and value == value:
                said = node("title", f"{x.written(tick)}: {kind.name} {note}")
                left, top = plot.x(tick) - 0.4 * each + side * width, plot.y(value)
                place = {"x": left, "y": top, "width": width, "height": plot.y(0.0) - top}
                plot.marks.append(node("rect", said, class_=f"segment {kind.kind}", **place))
    return plot.figure(title, told, [(kind.name, kind.kind, "segment") for kind in bars], "columns")
