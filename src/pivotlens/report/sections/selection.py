"""The rebuilt corpus: its arms, by language."""

from __future__ import annotations

from pivotlens.report import blocks as b
from pivotlens.report import charts
from pivotlens.report.run_tables import Row, RunTables, rows
from pivotlens.report.wording import language_name

_SUMS = ("units", "tokens")


def selection(run: RunTables) -> b.Section | None:
    """Build the section from ``select/arms`` and ``select/summary``."""
    arms, summary = rows(run.select, "arms"), rows(run.select, "summary")
    if not arms:
        return None
    most = max((row["pivot_share"] or 0.0 for row in (*arms, *summary)), default=0.0)
    axis = charts.Axis("pivots among tokens", "%", (0, most or 1), share=True)
    made: list[b.Line] = []
    for arm in arms:
        kind = "r-mined" if arm["mode"] == "top" else "r-common"
        made.append(b.Line((arm["mode"].replace("_", " "), "all", *_cells(arm, most, kind)), "pooled"))
        of_arm = (row for row in summary if row["mode"] == arm["mode"])
        made += [b.Line(("", language_name(row["language"]), *_cells(row, most, kind))) for row in of_arm]
    table = b.Table(
        "arms",
        (b.Column("arm"), b.Column("language"),
         *(b.Column(name, "number") for name in (*_SUMS, "budget", "available")),
         b.Column("pivots", "plot", charts.column_axis(axis, 0.0)), b.Column("pivot share", "number")),
        tuple(made), b.prose("Arms by language"), unseen=True,
    )  # fmt: skip
    lede = b.prose("The rebuilt corpus: units rich in pivots, and controls at the same token budget.")
    return b.Section("selection", "Selection", (b.Paragraph(lede, "lede"), table))


def _cells(row: Row, most: float, kind: str) -> tuple[b.Cell, ...]:
    numbers = (b.Value(row[name], "count") if name in row else "" for name in (*_SUMS, "budget", "available"))
    return (
        *numbers,
        b.Plot(charts.plain_bar(row["pivot_share"], most, kind)),
        b.Value(row["pivot_share"] or 0.0, "share"),
    )
