"""The bar: stacked in a cell that stretches, or upright on two axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pivotlens.report.charts.axis import Axis
from pivotlens.report.charts.plot import Plot
from pivotlens.report.charts.svg import figure, node, words
from pivotlens.report.wording import visible

_WIDE = 5.0
"""Percent that a segment must fill to carry its figure."""


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
        if figures and width >= _WIDE:
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


def bar_chart(
    title: str, bars: Sequence[Bars], x: Axis, y: Axis, *, size: tuple[float, float] = (404.0, 150.0)
) -> Markup:
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
    width = 0.8 * each / max(1, len(bars))
    told = []
    for side, kind in enumerate(bars):
        for tick, value, note in zip(x.ticks, kind.values, kind.notes, strict=True):
            if value is None or value != value:
                continue
            place, top = plot.x(tick) - 0.4 * each + side * width, plot.y(value)
            size_ = {"x": place, "y": top, "width": width, "height": plot.y(0.0) - top}
            said = node("title", f"{x.written(tick)}: {kind.name} {note}")
            plot.marks.append(node("rect", said, class_=f"segment {kind.kind}", **size_))
        notes = (f"{x.written(tick)} {note}" for tick, note in zip(x.ticks, kind.notes, strict=True))
        told.append(f"{kind.name}: {', '.join(notes)}")
    kinds = [(kind.name, kind.kind, "segment") for kind in bars]
    return plot.figure(f"{title}. {y.title} by {x.title}. {'; '.join(told) or 'no figure'}", kinds, "columns")
