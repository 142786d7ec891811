"""The interval: points with whiskers, a few under one another in a table's cell, or a row each in a forest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pivotlens.arrays import Floats
from pivotlens.report.charts.axis import MARGIN, Axis
from pivotlens.report.charts.estimates import Estimate, estimates, said
from pivotlens.report.charts.svg import Scale, figure, node, words
from pivotlens.report.wording import number

_STEP = 8.0
_LINE = 16.0
_LETTER = 5.9
_LONGEST = 160.0


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


def interval_cell(rows: Sequence[Row], axis: Axis, reference: float | None = None) -> Markup:
    """Draw intervals under one another for a cell that stretches; their axis is the head of the column.

    Args:
        rows: One to a few.
        axis: As given to `column_axis`.
        reference: Where a dashed line marks, say, chance.
    """
    scale = axis.scale(MARGIN, 100 - MARGIN)
    height = _STEP * (len(rows) + 1)
    marks, found = [], estimates([row.value for row in rows])
    if reference is not None:
        place = scale.percent(reference)
        marks.append(node("line", x1=place, x2=place, y1="0", y2=height, class_="reference"))
    for place_, (row, one) in enumerate(zip(rows, found, strict=True)):
        marks += whisker(one, scale, _STEP * (place_ + 1), row.kind, stretches=True)
    told = [(row.name, said(one, share=axis.share)) for row, one in zip(rows, found, strict=True)]
    label = ", ".join(f"{name} {text}" for name, text in told if text != "none")
    return figure(label or "no figure", *marks, class_="interval", width="100%", height=height)


def whisker(one: Floats, scale: Scale, y: float, kind: str, *, stretches: bool = False) -> list[Markup]:
    """Draw a point with its whisker across; nothing where there is no figure, no whisker where there are no ends.

    Args:
        one: Value, low and high.
        scale: From figures to places.
        y: Height.
        kind: CSS class.
        stretches: Whether places are percentages.
    """
    value, low, high = (float(part) for part in one)
    if math.isnan(value):
        return []
    place = scale.percent if stretches else scale
    radius = 2.5 if kind == "second" else 3.5
    marks = [node("circle", cx=place(value), cy=y, r=radius, class_=f"dot {kind}")]
    if not math.isnan(low + high):
        marks.insert(0, node("line", x1=place(low), x2=place(high), y1=y, y2=y, class_=f"whisker {kind}"))
    return marks


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
    above = left > _LONGEST
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
            y += _LINE * (1.0 if not told else 1.4)
            marks.append(words(head, 0.0, y, "name"))
        y += _LINE
        marks.append(words(row.name, inset, y, "tick start"))
        y += 0.8 * _LINE if above else 0.0
        marks += whisker(one, scale, y - 4, row.kind)
        value, low, high = (float(part) for part in one)
        ends = "" if math.isnan(low + high) else f" [{number(low, 2)}, {number(high, 2)}]"
        marks.append(words(missing if math.isnan(value) else number(value, 2) + ends, width, y, "tick end"))
        full = missing if math.isnan(value) else said(one)
        told.append(f"{head}, {row.name} {full}" if head else f"{row.name} {full}")
        y += 0.4 * _LINE if above else 0.0
    height = y + 8
    grid = [
        node("line", x1=scale(tick), x2=scale(tick), y1=top - 6, y2=height, class_=kind)
        for tick in axis.ticks
        for kind in ["reference" if tick == reference else "grid"]
    ]
    grid += [words(axis.written(tick), scale(tick), top - 10, "tick") for tick in axis.ticks]
    grid.append(words(axis.title, (left + width - right) / 2, 11.0, "tick"))
    label = f"{title}, {axis.title}: {'; '.join(told) or 'no figure'}"
    return figure(label, *grid, *marks, class_="forest", viewBox=f"0 0 {width:.0f} {height:.0f}")
