"""The figures of the page. Small ones stretch with their cell, so their places are percentages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from pivotlens.report.sections.items import LayerReading, TellingItem
from pivotlens.report.sections.layers import CURVE_NAMES, LayerProfile
from pivotlens.report.svg import Scale, band_path, figure, group, line_path, nice_ticks, node
from pivotlens.report.wording import (
    BEHAVIOUR_NAMES,
    direction_name,
    interval_text,
    number,
    percent,
    probability,
    visible,
)
from pivotlens.statistics.bootstrap import Interval

_MARGIN = 3.0
MOST_ROWS = 26
"""Most layers in a card; deeper models show evenly spread ones, the peak and the last among them."""


def interval_plot(
    main: Interval | None, other: Interval | None, low: float, high: float, reference: float | None = None
) -> Markup:
    """Draw an interval (filled) and, thinner below it, a second one (open) on a common axis."""
    scale = Scale(low, high, _MARGIN, 100 - _MARGIN)
    marks = []
    if reference is not None:
        place = scale.percent(reference)
        marks.append(node("line", x1=place, x2=place, y1="0", y2="24", class_="reference"))
    for interval, y, kind in ((main, 12.0 if other is None else 9.0, "main"), (other, 18.0, "second")):
        if interval is None:
            continue
        if interval.low == interval.low and interval.high == interval.high:
            ends = {"x1": scale.percent(interval.low), "x2": scale.percent(interval.high)}
            marks.append(node("line", y1=y, y2=y, class_=f"whisker {kind}", **ends))
        marks.append(
            node(
                "circle",
                cx=scale.percent(interval.value),
                cy=y,
                r="3.5" if kind == "main" else "2.5",
                class_=f"dot {kind}",
            )
        )
    label = f"{number(main.value)} {interval_text(main)}" if main else "no figure"
    return figure(label, *marks, class_="interval", width="100%", height="24")


def interval_axis(low: float, high: float, *, share: bool = False, ticks: Sequence[float] | None = None) -> Markup:
    """Draw the axis above a column of interval plots."""
    scale = Scale(low, high, _MARGIN, 100 - _MARGIN)
    marks = [
        node("text", percent(tick) if share else f"{tick:g}", x=scale.percent(tick), y="11", class_="tick")
        for tick in (nice_ticks(high) if ticks is None else ticks)
        if low - 1e-9 <= tick <= high + 1e-9
    ]
    return node("svg", *marks, class_="axis", width="100%", height="14", aria_hidden="true")


def axis_end(high: float) -> float:
    """Return where an axis from 0 that must hold ``high`` ends."""
    return nice_ticks(high)[-1]


def stack(counts: Mapping[str, int], *, slim: bool = False) -> Markup:
    """Draw one bar of behaviours; a segment wide enough carries its count."""
    total = sum(counts.values()) or 1
    height = 12.0 if slim else 22.0
    marks, start = [], 0.0
    for name, count in counts.items():
        if not count:
            continue
        width = 100 * count / total
        title = node("title", f"{BEHAVIOUR_NAMES.get(name, name)}: {count}")
        marks.append(
            node(
                "rect",
                title,
                x=f"{start:.2f}%",
                width=f"{width:.2f}%",
                y="0",
                height=height,
                class_=f"segment b-{name}",
            )
        )
        if not slim and width >= 5:
            marks.append(node("text", str(count), x=f"{start + width / 2:.2f}%", y="15", class_=f"count on-{name}"))
        start += width
    label = ", ".join(f"{BEHAVIOUR_NAMES.get(name, name)} {count}" for name, count in counts.items() if count)
    return figure(label, *marks, class_="stack", width="100%", height=height)


def bar(value: float, most: float, kind: str = "ink") -> Markup:
    """Draw one plain bar; its figure stands beside it, so it is hidden from screen readers."""
    width = 100 * value / most if most else 0.0
    rect = node("rect", x="0", y="2", width=f"{max(width, 0.0):.2f}%", height="8", class_=f"bar r-{kind}")
    return node("svg", rect, class_="plain-bar", width="100%", height="12", aria_hidden="true")


def highest_mass(profiles: Sequence[LayerProfile]) -> float:
    """Return the top of the axis that all the layer charts share."""
    highs = [float(value) for profile in profiles for curve in profile.curves for value in curve.high if value == value]
    return nice_ticks(max([0.05, *highs]))[-1]


def highest_entropy(profiles: Sequence[LayerProfile]) -> float:
    """Return the largest mean entropy, the darkest of the strips."""
    return max((float(value) for profile in profiles for value in profile.entropy if value == value), default=0.0)


def layer_chart(profile: LayerProfile, top: float, most_entropy: float) -> Markup:
    """Draw the masses of a direction by layer, with bands, and its entropy as a strip above."""
    width, height, left, right, above, below = 320.0, 190.0, 34.0, 8.0, 30.0, 22.0
    first, last = profile.layers[0], profile.layers[-1]
    x = Scale(first, last, left, width - right)
    y = Scale(0.0, top, height - below, above)
    xs = [x(layer) for layer in profile.layers]
    marks: list[Markup] = []
    cell = (width - left - right) / max(1, len(xs) - 1)
    for place, value in zip(xs, profile.entropy, strict=True):
        start, end = max(left, place - cell / 2), min(width - right, place + cell / 2)
        strength = 0.0 if value != value or not most_entropy else float(value) / most_entropy
        marks.append(
            node(
                "rect",
                x=start,
                y=8.0,
                width=end - start + 0.3,
                height=9.0,
                class_="entropy",
                fill_opacity=0.85 * strength,
            )
        )
    for tick in nice_ticks(top):
        marks.append(node("line", x1=left, x2=width - right, y1=y(tick), y2=y(tick), class_="grid"))
        marks.append(node("text", f"{tick:g}", x=left - 6, y=y(tick) + 4, class_="tick end"))
    for layer in sorted({first, (first + last) // 2, last}):
        marks.append(node("text", str(layer), x=x(layer), y=height - 6, class_="tick"))
    for curve in reversed(profile.curves):
        lows, highs = [y(float(v)) for v in curve.low], [y(float(v)) for v in curve.high]
        marks.append(node("path", d=band_path(xs, lows, highs), class_=f"band c-{curve.name}"))
        path = line_path(xs, [y(float(v)) for v in curve.mean])
        marks.append(node("path", d=path, class_=f"line c-{curve.name}"))
    marks.append(node("line", x1=left, x2=left, y1=8.0, y2=height - below, class_="cursor", visibility="hidden"))
    label = f"{direction_name(profile.direction)}: {peaks_text(profile)}"
    return figure(label, *marks, class_="layers", viewBox=f"0 0 {width:.0f} {height:.0f}", tabindex="0")


def peaks_text(profile: LayerProfile) -> str:
    """Say where each curve is highest; the random control is not worth a mention."""
    said = [
        f"{CURVE_NAMES[curve.name]} {probability(float(curve.mean[curve.peak]))} at {profile.layers[curve.peak]}"
        for curve in profile.curves
        if curve.name != "random"
    ]
    return "highest: " + ", ".join(said)


def shown_layers(item: TellingItem) -> list[LayerReading]:
    """Return the layers of a card: all, or evenly spread ones with the peak and the last."""
    count = len(item.layers)
    if count <= MOST_ROWS:
        return list(item.layers)
    kept = {round(i * (count - 1) / (MOST_ROWS - 1)) for i in range(MOST_ROWS)}
    kept |= {i for i, reading in enumerate(item.layers) if reading.layer == item.peak_layer}
    return [item.layers[i] for i in sorted(kept)]


def card(item: TellingItem) -> Markup:
    """Draw an item as one row a layer: the first token, its probability as the length of a bar."""
    rows = []
    for reading in shown_layers(item):
        if not reading.tokens:
            continue
        token = reading.tokens[0]
        role = token.role or ("other" if token.specific else "common")
        language = {"source": item.direction.source, "target": item.direction.target, "english": "en"}.get(token.role)
        bar_svg = node(
            "svg",
            node(
                "rect", x="0", y="0", width=f"{100 * min(token.prob, 1.0):.1f}%", height="100%", class_=f"bar r-{role}"
            ),
            width="100%",
            height="100%",
            aria_hidden="true",
        )
        text = node("bdi", visible(token.token).lstrip("␣") or "␣", lang=language)
        cells = (
            node("th", str(reading.layer), scope="row"),
            node("td", bar_svg, node("span", text, class_=f"word t-{role}"), class_="track"),
            node("td", probability(token.prob), class_="prob"),
        )
        rows.append(node("tr", *cells, class_="peak" if reading.layer == item.peak_layer else None))
    return group(rows)
