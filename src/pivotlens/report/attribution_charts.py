"""The figures of the attribution section; also drawn, with a style of their own, outside the page."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from pivotlens.report.sections.attribution import ITEM_SET_NAMES, PREDICTOR_NAMES, AucTable
from pivotlens.report.sections.joint_frequency import ENOUGH, JointFrequency
from pivotlens.report.svg import Scale, figure, line_path, nice_ticks, node
from pivotlens.report.wording import BEHAVIOUR_NAMES, interval_text, number, percent, whole
from pivotlens.statistics.bootstrap import Interval

_LINE = 15.0
_COUNTS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)


def _text(text: str, x: float, y: float, kind: str) -> Markup:
    return node("text", text, x=x, y=y, class_=kind)


def forest(tables: Sequence[AucTable], items: str) -> Markup:
    """Draw the mean AUC within directions of every rule and predictor, with its interval, on one axis."""
    width, left, right, top = 560.0, 150.0, 60.0, 22.0
    groups = [
        (table.rule, list(zip(table.predictors, table.pooled.aucs, strict=True)))
        for table in tables
        if table.items == items and table.pooled is not None and any(table.pooled.aucs)
    ]
    ends = [
        end
        for _, rows in groups
        for _, auc in rows
        if auc
        for end in (auc.value, *(e for e in (auc.low, auc.high) if e == e))
    ]
    low, high = math.floor(10 * min([0.4, *ends])) / 10, math.ceil(10 * max([0.6, *ends])) / 10
    height = top + _LINE * sum(len(rows) + 1.4 for _, rows in groups) + 6
    x = Scale(low, high, left, width - right)
    marks = [
        mark
        for tick in (step / 10 for step in range(round(10 * low), round(10 * high) + 1))
        for mark in (
            node("line", x1=x(tick), x2=x(tick), y1=top - 4, y2=height, class_="reference" if tick == 0.5 else "grid"),
            _text(f"{tick:.1f}", x(tick), top - 9, "tick"),
        )
    ]
    y, said = top, []
    for rule, rows in groups:
        y += _LINE
        marks.append(_text(rule, 0.0, y, "name"))
        for predictor, auc in rows:
            y += _LINE
            marks.append(_text(PREDICTOR_NAMES.get(predictor, predictor), 12.0, y, "tick start"))
            marks += _interval(auc, x, y - 4)
            marks.append(_text(number(auc.value if auc else None), width, y, "tick end"))
            said.append(f"{rule}, {PREDICTOR_NAMES.get(predictor, predictor)} {_said(auc)}")
        y += 0.4 * _LINE
    label = f"AUC, mean within directions, {ITEM_SET_NAMES.get(items, items)}: " + "; ".join(said)
    return figure(label, *marks, class_="forest", viewBox=f"0 0 {width:.0f} {height:.0f}")


def _interval(interval: Interval | None, x: Scale, y: float) -> list[Markup]:
    if interval is None:
        return []
    marks = [node("circle", cx=x(interval.value), cy=y, r=3.5, class_="dot main")]
    if interval.low == interval.low and interval.high == interval.high:
        ends = {"x1": x(interval.low), "x2": x(interval.high)}
        marks.insert(0, node("line", y1=y, y2=y, class_="whisker main", **ends))
    return marks


def _said(interval: Interval | None) -> str:
    return f"{number(interval.value)} {interval_text(interval)}" if interval else "none"


def shares(joint: JointFrequency) -> Markup:
    """Draw how direct and semantic-pivot items spread over ranges of joint frequency: each class adds up to 1."""
    width, height, left, above, below = 560.0, 210.0, 40.0, 26.0, 36.0
    counts = {"direct": [one.n_direct for one in joint.bins], "semantic_pivot": [one.n_pivot for one in joint.bins]}
    found = {
        "direct": [one.share_direct or 0.0 for one in joint.bins],
        "semantic_pivot": [one.share_pivot or 0.0 for one in joint.bins],
    }
    ticks = nice_ticks(max(value for values in found.values() for value in values) or 1.0)
    y = Scale(0.0, ticks[-1], height - below, above)
    each = (width - left) / len(joint.bins)
    marks: list[Markup] = []
    for tick in ticks:
        marks.append(node("line", x1=left, x2=width, y1=y(tick), y2=y(tick), class_="grid"))
        marks.append(_text(percent(tick), left - 6, y(tick) + 4, "tick end"))
    for place, one in enumerate(joint.bins):
        start = left + each * place
        for side, name in enumerate(found):
            top = y(found[name][place])
            title = node("title", f"{one.label}: {BEHAVIOUR_NAMES[name]} {counts[name][place]}")
            marks.append(
                node(
                    "rect",
                    title,
                    x=start + each * (0.12 + 0.38 * side),
                    y=top,
                    width=each * 0.38,
                    height=y(0.0) - top,
                    class_=f"segment b-{name}",
                )
            )
        marks.append(_text(one.label, start + each / 2, height - below + 14, "tick"))
    marks.append(_text("units of the corpus with both words", (left + width) / 2, height - 4, "tick"))
    marks += [
        _text(f"■ {BEHAVIOUR_NAMES[name]} ({whole(sum(values))})", left + 150.0 * number_, 12.0, f"key b-{name}")
        for number_, (name, values) in enumerate(counts.items())
    ]
    label = "Joint frequency of correctly answered items: " + "; ".join(
        f"{BEHAVIOUR_NAMES[name]}: "
        + ", ".join(f"{one.label} {value}" for one, value in zip(joint.bins, values, strict=True))
        for name, values in counts.items()
    )
    return figure(label, *marks, class_="shares", viewBox=f"0 0 {width:.0f} {height:.0f}")


def scatter(joint: JointFrequency, correlation: Interval | None) -> Markup:
    """Draw items by joint frequency and score, and the mean score of each range with enough of them as a line."""
    width, height, left, right, above, below = 560.0, 300.0, 40.0, 8.0, 26.0, 36.0
    most = max(one.high for one in joint.bins)
    values = [point.score for point in joint.points] or [0.0]
    step = nice_ticks(max(*map(abs, values), 0.1))[1]
    ticks = [round(step * n, 6) for n in range(math.floor(min(values) / step), math.ceil(max(values) / step) + 1)]
    x = Scale(0.0, math.log1p(most) or 1.0, left + 6, width - right)
    y = Scale(ticks[0], ticks[-1], height - below, above)
    marks: list[Markup] = []
    for tick in ticks:
        marks.append(node("line", x1=left, x2=width - right, y1=y(tick), y2=y(tick), class_="grid"))
        marks.append(_text(number(tick, 1), left - 6, y(tick) + 4, "tick end"))
    marks += [_text(str(n), x(math.log1p(n)), height - below + 14, "tick") for n in _COUNTS if n <= most]
    marks.append(_text("units of the corpus with both words", (left + width) / 2, height - 4, "tick"))
    for point in joint.points:
        kind = point.behaviour if point.behaviour in ("direct", "semantic_pivot") else "other"
        marks.append(node("circle", cx=x(math.log1p(point.joint)), cy=y(point.score), r=2.5, class_=f"point b-{kind}"))
    means = [
        (one.place, one.score)
        for one in joint.bins
        if one.place is not None and one.score is not None and one.n_scored >= ENOUGH
    ]
    marks.append(node("path", d=line_path([x(p) for p, _ in means], [y(s) for _, s in means]), class_="mean"))
    marks += [node("circle", cx=x(place), cy=y(score), r=3.5, class_="mean-dot") for place, score in means]
    keys = (("direct", "direct"), ("semantic_pivot", "semantic pivot"), ("other", "any other"))
    marks += [
        _text(f"● {name}", left + 120.0 * place, 12.0, f"key b-{kind}") for place, (kind, name) in enumerate(keys)
    ]
    marks.append(_text("— mean score of a range", left + 360.0, 12.0, "key"))
    shown = "" if len(joint.points) == joint.n_scored else f", {whole(len(joint.points))} of them drawn"
    label = f"Joint frequency and score of {whole(joint.n_scored)} items{shown}; rank correlation {_said(correlation)}"
    return figure(label, *marks, class_="scatter", viewBox=f"0 0 {width:.0f} {height:.0f}")
