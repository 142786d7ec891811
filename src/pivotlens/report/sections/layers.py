"""Mean probability mass of the token sets by layer, with bootstrap bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from operator import itemgetter

from pivotlens.report import blocks as b
from pivotlens.report import charts
from pivotlens.report.names import CURVE_NAMES
from pivotlens.report.run_tables import Row, RunTables, direction_of, first_rows
from pivotlens.report.sections import parts as p
from pivotlens.report.wording import direction_name, plural, probability
from pivotlens.text import Direction

Profiles = dict[Direction, dict[str, list[Row]]]
"""Rows of ``trace/profiles`` by direction and curve, layers rising; ``entropy`` is one beside `CURVE_NAMES`."""
_CURVES = {"mass_target": "target", "mass_source": "source", "mass_english": "english", "mass_pivots": "mined",
           "mass_random": "random", "entropy": "entropy"}  # fmt: skip


def profiles(run: RunTables) -> Profiles:
    """Return the profiles of the first model and prompt."""
    known = [row for row in first_rows(run.trace, "profiles") if row["figure"] in _CURVES]
    return {
        direction: {_CURVES[figure]: rows for figure, rows in p.by(found, itemgetter("figure")).items()}
        for direction, found in p.by(known, direction_of).items()
    }


def curves_of(profile: Mapping[str, Sequence[Row]]) -> dict[str, Sequence[Row]]:
    """Return the curves of a direction by name, in the order of `CURVE_NAMES`."""
    return {name: profile[name] for name in CURVE_NAMES if name in profile}


def layers(run: RunTables) -> b.Section | None:
    """Build the section from ``trace/profiles``."""
    found = profiles(run)
    if not found:
        return None
    curves = {direction: curves_of(profile) for direction, profile in found.items()}
    masses = [
        row[end] for drawn in curves.values() for rows in drawn.values() for row in rows for end in ("mean", "ci_high")
    ]
    y = charts.Axis("probability", "mean over items", charts.nice_ticks(max([0.05, *masses])))
    most = max((row["mean"] for profile in found.values() for row in profile.get("entropy", ())), default=0.0)
    figures = [_figure(place, direction, profile, y, most) for place, (direction, profile) in enumerate(found.items())]
    names = [name for name in CURVE_NAMES if any(name in drawn for drawn in curves.values())]

    def peak(direction: Direction, name: str) -> b.Cell:
        rows = curves[direction].get(name)
        return (p.shown(_peak(rows), "mean"), b.Soft(f" layer {_peak(rows)['layer']}")) if rows else ""

    fields = (p.text("direction", b.Pair), *(p.number(CURVE_NAMES[name], partial(peak, name=name)) for name in names))
    blocks: tuple[b.Block, ...] = (
        p.lede(
            "Probability that each layer already gives to the words, read through the model's own output head; mean "
            "over items, bands are 95% bootstrap intervals. The strip on top is entropy: the fuller its shade, the "
            "less decided the layer. All axes are the same."
        ),
        b.Grid(tuple(figures), "multiples"),
        *p.folded(
            "Where each curve is highest",
            p.table("layer-peaks", "Highest mean probability, and its layer", curves, fields),
        ),
    )
    return b.Section("layers", "Layers", blocks)


def _figure(place: int, direction: Direction, profile: dict[str, list[Row]], y: charts.Axis, most: float) -> b.Figure:
    drawn, entropy = curves_of(profile), profile.get("entropy", ())
    numbers = sorted({row["layer"] for rows in profile.values() for row in rows})
    spread = sorted({numbers[0], numbers[len(numbers) // 2], numbers[-1]})
    lines = [
        charts.Line(CURVE_NAMES[name], f"c-{name}", [row["layer"] for row in rows],
                    [p.interval(row, "mean") for row in rows], "band")
        for name, rows in drawn.items()
    ]  # fmt: skip
    strip = charts.Strip("entropy", [row["layer"] for row in entropy], [row["mean"] / (most or 1.0) for row in entropy])
    x = charts.Axis("layer", "0 = embeddings", spread)
    svg = charts.line_chart(direction_name(direction), lines, x, y, strip=strip)
    n = max(row["n"] for rows in profile.values() for row in rows)
    peaks = {name: _peak(rows) for name, rows in drawn.items() if name != "random"}
    highest = [f"{CURVE_NAMES[name]} {probability(top['mean'])} at {top['layer']}" for name, top in peaks.items()]
    caption = (b.Strong(direction_name(direction)), " ", b.Soft(plural(n, "item")))
    said = f"highest: {', '.join(highest)}"
    return b.Figure(f"layers-{direction}", svg, caption, kind="profile", readout=said, profile=place)


def _peak(rows: Sequence[Row]) -> Row:
    return max(rows, key=lambda row: (row["mean"], -row["layer"]))
