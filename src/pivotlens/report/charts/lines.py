"""The line, with a band or whiskers, and loose points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from pivotlens.arrays import Floats
from pivotlens.report.charts.axis import Axis
from pivotlens.report.charts.estimates import Estimate, estimates
from pivotlens.report.charts.plot import Plot
from pivotlens.report.charts.svg import band_path, line_path, marker, node, words
from pivotlens.report.wording import number, percent

_STRIP = 14.0


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
    title: str,
    lines: Sequence[Line],
    x: Axis,
    y: Axis,
    *,
    size: tuple[float, float] = (404.0, 150.0),
    strip: Strip | None = None,
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
    told = []
    for place, line in enumerate(lines):
        shift = 4.0 * (place - (len(lines) - 1) / 2) if spots else 0.0
        told.append(_draw(plot, line, shift))
    attributes: dict[str, str | None] = {}
    if strip:
        _shade(plot, strip)
        ends = {"x1": plot.left, "x2": plot.left, "y1": plot.top, "y2": plot.bottom}
        plot.marks.append(node("line", class_="cursor", visibility="hidden", **ends))
        attributes = {"tabindex": "0", "data_start": f"{plot.x.start:g}", "data_end": f"{plot.x.end:g}"}
    kinds = [(line.name, line.kind, "spot" if line.mark == "points" else "line") for line in lines]
    label = f"{title}. {y.title} by {x.title}. {'; '.join(told) or 'no figure'}"
    scattered = any(line.mark == "points" for line in lines)
    return plot.figure(label, kinds, "layers" if strip else "scatter" if scattered else "lines", **attributes)


def _draw(plot: Plot, line: Line, shift: float) -> str:
    """Draw a line and say its ends and its peak."""
    places = np.asarray(line.x, np.float64)
    found = estimates(line.values)
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
            ends = {"y1": lows[i], "y2": highs[i]}
            plot.marks.append(node("line", x1=xs[i], x2=xs[i], class_=f"reach {line.kind}", **ends))
        plot.marks.append(marker(line.kind, xs[i], heights[i], 3.2, f"spot {line.kind}"))
    if not len(known):
        return f"{line.name}: no figure"
    write = percent if plot.upright.share else number
    peak = known[np.argmax(found[known, 0])]
    first, *last = dict.fromkeys((known[0], peak, known[-1]))
    at = {i: f"{write(float(found[i, 0]))} at {plot.across.written(float(places[i]))}" for i in (first, *last)}
    return f"{line.name} " + " to ".join(at.values())


def _shade(plot: Plot, strip: Strip) -> None:
    """Draw the shades, each as wide as its place."""
    xs = [plot.x(place) for place in strip.x]
    half = (plot.x.end - plot.x.start) / max(1, len(xs) - 1) / 2
    y = plot.top - _STRIP
    plot.marks.append(words(strip.name, plot.right, 13.0, "tick end"))
    for place, shade in zip(xs, strip.shades, strict=True):
        if shade == shade:
            start, end = max(plot.left, place - half), min(plot.right, place + half)
            size = {"x": start, "y": y, "width": end - start + 0.3, "height": 8.0}
            plot.marks.append(node("rect", class_="entropy", fill_opacity=0.85 * float(shade), **size))
