"""Mean probability mass of the token sets by layer, with bootstrap bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pivotlens.report import blocks as b
from pivotlens.report import charts
from pivotlens.report.names import CURVE_NAMES
from pivotlens.report.run_tables import Row, RunTables, direction_of, first_rows
from pivotlens.report.wording import direction_name, plural, probability
from pivotlens.statistics.bootstrap import Interval
from pivotlens.text import Direction

Profiles = dict[Direction, dict[str, list[Row]]]
"""Rows of ``trace/profiles`` by direction and curve, layers rising; ``entropy`` is one beside `CURVE_NAMES`."""
_CURVES = {"mass_target": "target", "mass_source": "source", "mass_english": "english", "mass_pivots": "mined",
           "mass_random": "random", "entropy": "entropy"}  # fmt: skip


def profiles(run: RunTables) -> Profiles:
    """Return the profiles of the first model and prompt."""
    found: Profiles = {}
    for row in first_rows(run.trace, "profiles"):
        if row["figure"] in _CURVES:
            found.setdefault(direction_of(row), {}).setdefault(_CURVES[row["figure"]], []).append(row)
    return found


def curves_of(profile: Mapping[str, Sequence[Row]]) -> dict[str, Sequence[Row]]:
    """Return the curves of a direction by name, in the order of `CURVE_NAMES`."""
    return {name: profile[name] for name in CURVE_NAMES if name in profile}


def layers(run: RunTables) -> b.Section | None:
    """Build the section from ``trace/profiles``."""
    found = profiles(run)
    if not found:
        return None
    masses = [row[end] for profile in found.values() for rows in curves_of(profile).values() for row in rows
              for end in ("mean", "ci_high")]  # fmt: skip
    y = charts.Axis("probability", "mean over items", charts.nice_ticks(max([0.05, *masses])))
    most = max((row["mean"] for profile in found.values() for row in profile.get("entropy", ())), default=0.0)
    figures = [_figure(place, direction, profile, y, most) for place, (direction, profile) in enumerate(found.items())]
    blocks: tuple[b.Block, ...] = (
        b.Paragraph(
            b.prose(
                "Probability that each layer already gives to the words, read through the model's own output head; "
                "mean over items, bands are 95% bootstrap intervals. The strip on top is entropy: the fuller its "
                "shade, the less decided the layer. All axes are the same."
            ),
            "lede",
        ),
        b.Grid(tuple(figures), "multiples"),
        b.Details(b.prose("Where each curve is highest"), (_peaks(found),)),
    )
    return b.Section("layers", "Layers", blocks)


def _figure(place: int, direction: Direction, profile: dict[str, list[Row]], y: charts.Axis, most: float) -> b.Figure:
    drawn = curves_of(profile)
    numbers = sorted({row["layer"] for rows in profile.values() for row in rows})
    spread = sorted({numbers[0], numbers[len(numbers) // 2], numbers[-1]})
    entropy = profile.get("entropy", ())
    strip = charts.Strip("entropy", [row["layer"] for row in entropy], [row["mean"] / (most or 1.0) for row in entropy])
    svg = charts.line_chart(
        direction_name(direction),
        [
            charts.Line(CURVE_NAMES[name], f"c-{name}", [row["layer"] for row in rows], _estimates(rows), "band")
            for name, rows in drawn.items()
        ],
        charts.Axis("layer", "0 = embeddings", spread),
        y,
        strip=strip,
    )
    n = max(row["n"] for rows in profile.values() for row in rows)
    highest = [f"{CURVE_NAMES[name]} {probability(top['mean'])} at {top['layer']}"
               for name, rows in drawn.items() if name != "random" for top in [_peak(rows)]]  # fmt: skip
    caption = (b.Strong(direction_name(direction)), " ", b.Soft(plural(n, "item")))
    return b.Figure(
        f"layers-{direction}", svg, caption, kind="profile", readout=f"highest: {', '.join(highest)}", profile=place
    )


def _estimates(rows: Sequence[Row]) -> list[tuple[float, float, float]]:
    return [(row["mean"], row["ci_low"], row["ci_high"]) for row in rows]


def _peak(rows: Sequence[Row]) -> Row:
    return max(rows, key=lambda row: (row["mean"], -row["layer"]))


def _peaks(found: Profiles) -> b.Table:
    names = [name for name in CURVE_NAMES if any(name in curves_of(profile) for profile in found.values())]

    def cell(rows: Sequence[Row] | None) -> str | tuple[b.Value, b.Soft]:
        if not rows:
            return ""
        top = _peak(rows)
        interval = Interval(top["mean"], top["ci_low"], top["ci_high"])
        return b.Value.of(interval), b.Soft(f" layer {top['layer']}")

    return b.Table(
        "layer-peaks",
        b.columns(["direction"], [CURVE_NAMES[name] for name in names]),
        b.lines(
            (b.Pair(direction), *(cell(curves_of(profile).get(name)) for name in names))
            for direction, profile in found.items()
        ),
        b.prose("Highest mean probability, and its layer"),
    )
