"""The figures of behaviours, lenses and ablations: shares on one axis, lines with intervals, bars, a forest."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pivotlens.report.sections.causality import DoseCurve, Effect
from pivotlens.report.sections.lenses import LensChart
from pivotlens.report.sections.pivot_kinds import PivotKinds
from pivotlens.report.sections.shares import Shares, Sweep
from pivotlens.report.svg import Scale, band_path, figure, line_path, nice_ticks, node
from pivotlens.report.wording import BEHAVIOUR_NAMES, interval_text, number, percent, plural, visible
from pivotlens.statistics.bootstrap import Interval
from pivotlens.text import truncate_graphemes

_LINE = 17.0
_LETTER = 6.2
"""Width of a letter of a tick, about."""


@dataclass(frozen=True)
class Series:
    """A line of a chart; ``kind`` is its CSS class."""

    name: str
    kind: str
    values: Sequence[Interval | None]


def _text(text: str, x: float, y: float, kind: str) -> Markup:
    return node("text", text, x=x, y=y, class_=kind)


def _has_ends(interval: Interval) -> bool:
    return interval.low == interval.low and interval.high == interval.high


def axis_ticks(low: float, high: float) -> list[float]:
    """Return evenly spaced ticks, 0 among them, that reach below ``low`` and above ``high``."""
    step = nice_ticks(max(high, -low, 1e-4))[1]
    first = last = 0
    while first * step > low + 1e-9:
        first -= 1
    while last * step < high - 1e-9:
        last += 1
    return [round(step * place, 6) for place in range(first, last + 1)]


def shares_plot(shares: Shares) -> Markup:
    """Draw the shares of the behaviours on an axis from 0 to 1, one thin row each, in their colours."""
    scale = Scale(0.0, 1.0, 3.0, 97.0)
    marks, said, y = [], [], 5.0
    for tick in (0.0, 0.5, 1.0):
        place = scale.percent(tick)
        marks.append(node("line", x1=place, x2=place, y1="0", y2=4.0 + 8.0 * len(shares.shares), class_="grid"))
    for name, interval in shares.shares.items():
        if interval is not None:
            if _has_ends(interval):
                ends = {"x1": scale.percent(interval.low), "x2": scale.percent(interval.high)}
                marks.append(node("line", y1=y, y2=y, class_=f"reach b-{name}", **ends))
            marks.append(node("circle", cx=scale.percent(interval.value), cy=y, r="3", class_=f"spot b-{name}"))
            said.append(f"{BEHAVIOUR_NAMES.get(name, name)} {percent(interval.value)}")
        y += 8.0
    return figure(", ".join(said) or "no figure", *marks, class_="interval", width="100%", height=y)


def lines(
    label: str,
    series: Sequence[Series],
    names: Sequence[str],
    *,
    places: Sequence[float] | None = None,
    share: bool = False,
    bands: bool = False,
    below_axis: str = "",
) -> Markup:
    """Draw lines with their intervals over named places.

    Args:
        label: Said to who cannot see the chart, before the first and last figure of each line.
        series: The lines; each has a value or None for every place.
        names: Names of the places; where they are too many, evenly spread ones are written.
        places: Where they stand; evenly spaced if None.
        share: Whether the figures are shares.
        bands: Whether intervals are bands, for lines with many places, rather than whiskers.
        below_axis: What the places are.
    """
    width, height, left, right, above, below = 460.0, 200.0, 42.0, 12.0, 10.0, 36.0
    ends = [end for each in series for one in each.values if one for end in one if end == end]
    ticks = axis_ticks(min([0.0, *ends]), max([0.0, *ends]))
    where = list(range(len(names))) if places is None else list(places)
    inner = 22.0 if places is None and not bands else 4.0
    x = Scale(where[0], where[-1], left + inner, width - right - inner)
    y = Scale(ticks[0], ticks[-1], height - below, above)
    marks: list[Markup] = []
    for tick in ticks:
        kind = "reference" if tick == 0 and ticks[0] < 0 else "grid"
        marks.append(node("line", x1=left, x2=width - right, y1=y(tick), y2=y(tick), class_=kind))
        written = percent(tick) if share else f"{tick:g}".replace("-", "−")
        marks.append(_text(written, left - 6, y(tick) + 4, "tick end"))
    room = int((width - left - right) / _LETTER / min(len(names), 8))
    for place in _written(names):
        name = visible(names[place])
        title = [node("title", name)] if len(name) > room else []
        cut = truncate_graphemes(name, room)
        marks.append(node("text", *title, cut, x=x(where[place]), y=height - below + 15, class_="tick"))
    marks.append(_text(below_axis, (left + width - right) / 2, height - 5, "tick"))
    write, said = percent if share else number, []
    for number_, each in enumerate(series):
        # Beside one another, so that whiskers at one place can be told apart.
        shift = 0.0 if bands or places is not None else 4.0 * (number_ - (len(series) - 1) / 2)
        xs = [x(one) + shift for one in where]
        marks += [_band(each, xs, y)] if bands else _whiskers(each, xs, y)
        heights = [y(one.value) if one else math.nan for one in each.values]
        marks.append(node("path", d=line_path(xs, heights), class_=f"line {each.kind}"))
        known = [(names[place], one) for place, one in enumerate(each.values) if one]
        said += [f"{each.name} " + " to ".join(f"{write(one.value)} at {visible(name)}" for name, one in _ends(known))]
    return figure(f"{label}: {'; '.join(said)}", *marks, class_="lines", viewBox=f"0 0 {width:.0f} {height:.0f}")


def _ends(known: list[tuple[str, Interval]]) -> list[tuple[str, Interval]]:
    return [known[0], known[-1]] if len(known) > 1 else known


def _written(names: Sequence[str]) -> range:
    """Return which names are written: every one, or every second, third, ... where they would run into each other."""
    most = 8 if max(map(len, names)) > 3 else 14
    return range(0, len(names), -(-len(names) // most))


def _band(series: Series, xs: list[float], y: Scale) -> Markup:
    lows, highs = ([y(one[end]) if one else math.nan for one in series.values] for end in (1, 2))
    return node("path", d=band_path(xs, lows, highs), class_=f"band {series.kind}")


def _whiskers(series: Series, xs: Sequence[float], y: Scale) -> list[Markup]:
    marks = []
    for place, one in zip(xs, series.values, strict=True):
        if one is None:
            continue
        if _has_ends(one):
            ends = {"y1": y(one.low), "y2": y(one.high)}
            marks.append(node("line", x1=place, x2=place, class_=f"reach {series.kind}", **ends))
        marks.append(node("circle", cx=place, cy=y(one.value), r=3.2, class_=f"spot {series.kind}"))
    return marks


def checkpoints(sweep: Sweep) -> Markup:
    """Draw the headline shares by model, in the order of the settings."""
    points = sweep.by_model
    found = [
        Series(BEHAVIOUR_NAMES[name], f"b-{name}", [point.shares.shares[name] for point in points])
        for name in points[0].shares.shares
    ]
    return lines(f"Shares by model, rule {sweep.rule}", found, [point.short for point in points], share=True)


def lens_chart(chart: LensChart) -> Markup:
    """Draw the raw and the tuned lens by layer."""
    found = [Series(f"{curve.name}", f"s-{curve.name}", curve.values) for curve in chart.curves]
    names = [str(layer) for layer in chart.layers]
    return lines(chart.title, found, names, share=chart.share, bands=True, below_axis="layer")


def dose_chart(curves: Sequence[DoseCurve]) -> Markup:
    """Draw the change of log P by dose."""
    places = sorted({dose for curve in curves for dose in curve.doses})
    found = [
        Series(
            f"{BEHAVIOUR_NAMES.get(curve.behaviour, curve.behaviour)} items",
            f"b-{curve.behaviour}",
            [dict(zip(curve.doses, curve.values, strict=True)).get(place) for place in places],
        )
        for curve in curves
    ]
    names = [f"{place:g}" for place in places]
    return lines("Change of log P by dose", found, names, places=places, below_axis="dose")


def relation_bar(counts: Mapping[str, int], most: int) -> Markup:
    """Draw one bar of the pivots of a language, stacked by relation, on a scale that ``most`` fills."""
    marks, start = [], 0.0
    for place, (name, count) in enumerate(counts.items()):
        width = 100 * count / max(most, 1)
        if count:
            title = node("title", f"{visible(name)}: {count}")
            size = {"x": f"{start:.2f}%", "width": f"{width:.2f}%"}
            marks.append(node("rect", title, y="2", height="12", class_=f"segment k-{place}", **size))
        start += width
    label = ", ".join(f"{visible(name)} {count}" for name, count in counts.items() if count)
    return figure(label or "none", *marks, class_="stack", width="100%", height="16")


def pivot_layers(kinds: PivotKinds) -> Markup:
    """Draw how many pivots each layer has, as shares of all."""
    width, height, left, above, below = 320.0, 120.0, 36.0, 8.0, 34.0
    found = kinds.layer_shares
    ticks = nice_ticks(max(found) or 1.0)
    y = Scale(0.0, ticks[-1], height - below, above)
    each = (width - left) / len(found)
    marks: list[Markup] = []
    for tick in (ticks[0], ticks[-1]):
        marks.append(node("line", x1=left, x2=width, y1=y(tick), y2=y(tick), class_="grid"))
        marks.append(_text(percent(tick), left - 5, y(tick) + 4, "tick end"))
    for layer, value in enumerate(found):
        if value:
            title = node("title", f"layer {layer}: {kinds.layers[layer]}")
            size = {"y": y(value), "height": y(0.0) - y(value), "width": each * 0.84}
            marks.append(node("rect", title, x=left + each * (layer + 0.08), class_="segment b-semantic_pivot", **size))
    names = [str(layer) for layer in range(len(found))]
    marks += [
        _text(names[layer], left + each * (layer + 0.5), height - below + 14, "tick") for layer in _written(names)
    ]
    marks.append(_text("layer", (left + width) / 2, height - 5, "tick"))
    peak = max(range(len(found)), key=lambda layer: found[layer])
    label = f"{plural(kinds.n, 'pivot')} by layer, rule {kinds.rule}: most at layer {peak}, {percent(found[peak])}"
    return figure(label, *marks, class_="lines", viewBox=f"0 0 {width:.0f} {height:.0f}")


def forest(effects: Sequence[Effect], label: str) -> Markup:
    """Draw effects with their intervals on one axis, a row each; 0 is marked."""
    width, left, right, top = 620.0, 272.0, 124.0, 22.0
    ends = [end for effect in effects if effect.interval for end in effect.interval if end == end]
    ticks = axis_ticks(min([-0.1, *ends]), max([0.1, *ends]))
    height = top + _LINE * len(effects) + 6
    x = Scale(ticks[0], ticks[-1], left, width - right)
    marks: list[Markup] = []
    for tick in ticks:
        kind = "reference" if tick == 0 else "grid"
        marks.append(node("line", x1=x(tick), x2=x(tick), y1=top - 4, y2=height, class_=kind))
        marks.append(_text(f"{tick:g}".replace("-", "−"), x(tick), top - 9, "tick"))
    y, said = top, []
    for effect in effects:
        y += _LINE
        marks.append(_text(effect.name, 0.0, y, "tick start"))
        found = effect.interval
        if found is None:
            marks.append(_text("too few items", width, y, "tick end"))
            said.append(f"{effect.name}: too few items")
            continue
        if _has_ends(found):
            marks.append(node("line", x1=x(found.low), x2=x(found.high), y1=y - 4, y2=y - 4, class_="whisker main"))
        marks.append(node("circle", cx=x(found.value), cy=y - 4, r=3.5, class_="dot main"))
        written = f"{number(found.value, 2)} [{number(found.low, 2)}, {number(found.high, 2)}]"
        marks.append(_text(written, width, y, "tick end"))
        said.append(f"{effect.name} {number(found.value)} {interval_text(found)}")
    return figure(
        f"{label}: {'; '.join(said)}", *marks, class_="forest effects", viewBox=f"0 0 {width:.0f} {height:.0f}"
    )
