"""The page's figures: what the sections found, handed to the marks of `charts`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from markupsafe import Markup

from pivotlens.report.charts import (
    Axis,
    Bars,
    Line,
    Row,
    Segment,
    Strip,
    bar_chart,
    forest,
    interval_cell,
    line_chart,
    names_axis,
    nice_ticks,
    share_axis,
    stacked_bar,
    value_axis,
)
from pivotlens.report.charts.svg import node
from pivotlens.report.sections.attribution import PREDICTOR_NAMES, AucTable
from pivotlens.report.sections.causality import DoseCurve, Effect
from pivotlens.report.sections.items import LayerReading, TellingItem
from pivotlens.report.sections.joint_frequency import ENOUGH, JointFrequency
from pivotlens.report.sections.layers import CURVE_NAMES, LayerProfile
from pivotlens.report.sections.lenses import LensChart
from pivotlens.report.sections.pivot_kinds import PivotKinds
from pivotlens.report.sections.scores import ScoreTable
from pivotlens.report.sections.shares import Shares, Sweep
from pivotlens.report.wording import BEHAVIOUR_NAMES, direction_name, interval_text, number, plural, probability, whole
from pivotlens.report.wording import visible as visible_text
from pivotlens.statistics.bootstrap import Interval

MOST_ROWS = 26
"""Most layers in a card; deeper models show evenly spread ones, the peak and the last among them."""
SHARE = share_axis("share of items")
PIVOTS = share_axis("share of semantic pivots")
NEVER = share_axis("share of pairs")
AUC = Axis("AUC", "0.5 = chance", (0.0, 0.5, 1.0))
LAYER_UNIT = "number, 0 = embeddings"
_COUNTS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)
_JOINT = "units of the corpus with both words"


def score_axis(scores: ScoreTable) -> Axis:
    """Return the axis of the scores, from 0 or below to at least the highest end."""
    ticks = nice_ticks(scores.high)
    return Axis("score", "at most 1", ticks, low=scores.low)


def count_axis(name: str, unit: str, most: float) -> Axis:
    """Return the axis of bars that ``most`` fills."""
    return Axis(name, unit, (0, most or 1))


def pivot_share_axis(most: float) -> Axis:
    """Return the axis of bars of pivot shares that ``most`` fills."""
    return Axis("pivots among tokens", "%", (0, most or 1), share=True)


def pair_of(main: Interval | None, other: Interval | None, names: tuple[str, str], axis: Axis) -> Markup:
    """Draw an interval (filled) and below it a second one (open)."""
    return interval_cell([Row(names[0], main), Row(names[1], other, "second")], axis)


def auc_cell(auc: Interval | None) -> Markup:
    """Draw an AUC."""
    return interval_cell([Row("AUC", auc)], AUC, 0.5)


def shares_plot(shares: Shares) -> Markup:
    """Draw the shares of the behaviours, one thin row each, in their colours."""
    rows = [Row(BEHAVIOUR_NAMES.get(name, name), one, f"b-{name}") for name, one in shares.shares.items()]
    return interval_cell(rows, SHARE)


def behaviours_bar(counts: Mapping[str, int], *, slim: bool = False) -> Markup:
    """Draw one bar of behaviours."""
    segments = [Segment(BEHAVIOUR_NAMES.get(name, name), f"b-{name}", count) for name, count in counts.items()]
    return stacked_bar(segments, height=12.0 if slim else 22.0, figures=not slim)


def relation_bar(counts: Mapping[str, int], most: int) -> Markup:
    """Draw the pivots of a language, stacked by relation, on a scale that ``most`` fills."""
    segments = [Segment(name, f"k-{place}", count) for place, (name, count) in enumerate(counts.items())]
    return stacked_bar(segments, most, height=12.0, figures=False)


def mass_axis(profiles: Sequence[LayerProfile]) -> Axis:
    """Return the axis that all the layer charts share."""
    highs = [value for profile in profiles for curve in profile.curves for value in curve.high]
    return value_axis("mean probability", "0 to 1", [0.05, *highs])


def highest_entropy(profiles: Sequence[LayerProfile]) -> float:
    """Return the largest mean entropy, the darkest of the strips."""
    return max((float(value) for profile in profiles for value in profile.entropy if value == value), default=0.0)


def layer_axis(layers: Sequence[int]) -> Axis:
    """Return the axis of layers, with the first, the middle and the last written."""
    first, last = layers[0], layers[-1]
    return Axis("layer", LAYER_UNIT, sorted({first, (first + last) // 2, last}))


def layer_chart(profile: LayerProfile, y: Axis, most_entropy: float) -> Markup:
    """Draw the masses of a direction by layer, with bands, and its entropy as a strip above."""
    lines = [
        Line(
            CURVE_NAMES[one.name],
            f"c-{one.name}",
            profile.layers,
            np.stack([one.mean, one.low, one.high], axis=1),
            "band",
        )
        for one in profile.curves
    ]
    shades = profile.entropy / most_entropy if most_entropy else np.full(len(profile.layers), math.nan)
    strip = Strip("shade: entropy (of the largest)", profile.layers, shades)
    title = direction_name(profile.direction)
    return line_chart(title, lines, layer_axis(profile.layers), y, size=(270.0, 138.0), strip=strip)


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
        width = f"{100 * min(token.prob, 1.0):.1f}%"
        marks = [node("rect", x="0", y="0", width=width, height="100%", class_=f"bar r-{role}")]
        # The bar is pale under its token: its start carries the colour in full.
        marks.append(node("rect", x="0", y="0", width="4", height="100%", class_=f"swatch r-{role}"))
        bar = node("svg", *marks, width="100%", height="100%", aria_hidden="true")
        text = node("bdi", visible_text(token.token).lstrip("␣") or "␣", lang=language)
        cells = (
            node("th", str(reading.layer), scope="row"),
            node("td", bar, node("span", text, class_=f"word t-{role}"), class_="track"),
            node("td", probability(token.prob), class_="prob"),
        )
        rows.append(node("tr", *cells, class_="peak" if reading.layer == item.peak_layer else None))
    return Markup("").join(rows)


def checkpoints(sweep: Sweep) -> Markup:
    """Draw the headline shares by model, in the order of the settings."""
    points = sweep.by_model
    x = names_axis("model", "in the order of the settings", [point.short for point in points])
    lines = [
        Line(BEHAVIOUR_NAMES[name], f"b-{name}", x.ticks, [point.shares.shares[name] for point in points])
        for name in points[0].shares.shares
    ]
    return line_chart(f"Shares by model, rule {sweep.rule}", lines, x, _around(SHARE, lines))


def _around(axis: Axis, lines: Sequence[Line]) -> Axis:
    ends = [end for line in lines for one in line.values if one is not None for end in np.atleast_1d(one)]
    return value_axis(axis.name, axis.unit, ends, share=axis.share)


def lens_chart(chart: LensChart) -> Markup:
    """Draw the raw and the tuned lens by layer."""
    names = {"raw": "raw lens", "tuned": "tuned lens", "both": "both lenses"}
    lines = [Line(names[one.name], f"s-{one.name}", chart.layers, one.values, "band") for one in chart.curves]
    y = Axis("share of readings", "%", (0, 1), share=True) if chart.share else Axis("mean KL to the last", "nats", (0,))
    step = -(-len(chart.layers) // 14)
    x = Axis("layer", LAYER_UNIT, chart.layers[::step], low=chart.layers[0], high=chart.layers[-1])
    return line_chart(chart.title, lines, x, _around(y, lines))


def dose_chart(curves: Sequence[DoseCurve]) -> Markup:
    """Draw the change of log P by dose."""
    lines = [
        Line(f"{BEHAVIOUR_NAMES.get(one.behaviour, one.behaviour)} items", f"b-{one.behaviour}", one.doses, one.values)
        for one in curves
    ]
    x = Axis("dose", "times the pivot's component", sorted({dose for curve in curves for dose in curve.doses}))
    return line_chart("Change of log P by dose", lines, x, _around(Axis("change of log P", "nats", (0,)), lines))


def pivot_layers(kinds: PivotKinds) -> Markup:
    """Draw how many pivots each layer has, as shares of all."""
    found = [count / max(kinds.n, 1) for count in kinds.layers]
    y = value_axis("share of pivots", "%", [*found, 0.01], share=True)
    x = names_axis("layer", LAYER_UNIT, [str(layer) for layer in range(len(found))])
    bars = Bars("pivots", "b-semantic_pivot", [value or None for value in found], [str(n) for n in kinds.layers])
    title = f"{plural(kinds.n, 'pivot')} by layer, rule {kinds.rule}"
    return bar_chart(title, [bars], x, y, size=(300.0, 90.0))


def effects_forest(effects: Sequence[Effect], title: str) -> Markup:
    """Draw effects with their intervals, a row each; 0 is marked."""
    ends = [end for effect in effects if effect.interval for end in effect.interval]
    axis = value_axis("change of log P", "nats", [-0.1, 0.1, *ends])
    return forest(title, [Row(one.name, one.interval) for one in effects], axis, missing="too few items")


def auc_forest(tables: Sequence[AucTable], items: str) -> Markup:
    """Draw the mean AUC within directions of every rule and predictor."""
    rows = [
        Row(PREDICTOR_NAMES.get(predictor, predictor), auc, head=table.rule)
        for table in tables
        if table.items == items and table.pooled is not None and any(table.pooled.aucs)
        for predictor, auc in zip(table.predictors, table.pooled.aucs, strict=True)
    ]
    ends = [end for row in rows if isinstance(row.value, Interval) for end in row.value if end == end]
    low, high = math.floor(10 * min([0.4, *ends])), math.ceil(10 * max([0.6, *ends]))
    axis = Axis("AUC", "0.5 = chance", [step / 10 for step in range(low, high + 1)])
    return forest(f"AUC, mean within directions, {items} items", rows, axis, reference=0.5)


def joint_shares(joint: JointFrequency) -> Markup:
    """Draw how direct and semantic-pivot items spread over ranges of joint frequency: each class adds up to 1."""
    counts = {"direct": [one.n_direct for one in joint.bins], "semantic_pivot": [one.n_pivot for one in joint.bins]}
    bars = [
        Bars(
            f"{BEHAVIOUR_NAMES[name]} ({whole(sum(values))})",
            f"b-{name}",
            [value / max(1, sum(values)) for value in values],
            [str(value) for value in values],
        )
        for name, values in counts.items()
    ]
    y = value_axis("share of the items of a colour", "%", [v or 0.0 for one in bars for v in one.values], share=True)
    x = names_axis(_JOINT, "count", [one.label for one in joint.bins])
    return bar_chart("Joint frequency of correctly answered items", bars, x, y)


def joint_scatter(joint: JointFrequency, correlation: Interval | None) -> Markup:
    """Draw items by joint frequency and score, and the mean score of each range with enough of them as a line."""
    most = max(one.high for one in joint.bins)
    kinds = {"direct": "direct", "semantic_pivot": "semantic pivot", "other": "any other"}
    by_kind = {
        kind: [one for one in joint.points if (one.behaviour if one.behaviour in kinds else "other") == kind]
        for kind in kinds
    }
    points = [
        Line(
            name,
            f"b-{kind}",
            [math.log1p(one.joint) for one in by_kind[kind]],
            [one.score for one in by_kind[kind]],
            "points",
        )
        for kind, name in kinds.items()
    ]
    means = [
        (one.place, one.score)
        for one in joint.bins
        if one.place is not None and one.score is not None and one.n_scored >= ENOUGH
    ]
    mean = Line("mean score of a range", "mean", [place for place, _ in means], [score for _, score in means])
    counts = [n for n in _COUNTS if n <= most]
    x = Axis(
        _JOINT,
        "count, logarithmic",
        [math.log1p(n) for n in counts],
        [str(n) for n in counts],
        high=math.log1p(most) or 1.0,
    )
    shown = "" if len(joint.points) == joint.n_scored else f", {whole(len(joint.points))} of them drawn"
    said = f"{number(correlation.value)} {interval_text(correlation)}" if correlation else "none"
    title = f"Joint frequency and score of {whole(joint.n_scored)} items{shown}; rank correlation {said}"
    y = value_axis("score", "at most 1", [0.1, *(one.score for one in joint.points)])
    return line_chart(title, [*points, mean], x, y, size=(404.0, 220.0))
