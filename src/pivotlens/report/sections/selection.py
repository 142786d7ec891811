"""The rebuilt corpus: its arms, by language."""

from __future__ import annotations

from markupsafe import Markup

from pivotlens.report import blocks as b
from pivotlens.report import charts
from pivotlens.report.run_tables import Row, RunTables, rows
from pivotlens.report.sections import parts as p
from pivotlens.report.wording import language_name


def selection(run: RunTables) -> b.Section | None:
    """Build the section from ``select/arms`` and ``select/summary``."""
    arms, summary = rows(run.select, "arms"), rows(run.select, "summary")
    if not arms:
        return None
    most = max((row["pivot_share"] or 0.0 for row in (*arms, *summary)), default=0.0)
    axis = charts.Axis("pivots among tokens", "%", (0, most or 1), share=True)

    def bar(row: Row) -> Markup:
        return charts.plain_bar(row["pivot_share"], most, "r-mined" if row["mode"] == "top" else "r-common")

    def count(name: str) -> p.Field:
        return p.number(name, lambda row: b.Value(row[name], "count") if name in row else "")

    fields = (
        p.text("arm", lambda row: "" if "language" in row else row["mode"].replace("_", " ")),
        p.text("language", lambda row: language_name(row["language"]) if "language" in row else "all"),
        *map(count, ("units", "tokens", "budget", "available")),
        p.plot("pivots", bar, charts.column_axis(axis, 0.0)),
        p.number("pivot share", lambda row: b.Value(row["pivot_share"] or 0.0, "share")),
    )
    every = [row for arm in arms for row in (arm, *(one for one in summary if one["mode"] == arm["mode"]))]
    made = p.table("arms", "Arms by language", every, fields, unseen=True,
                 style=lambda row: "" if "language" in row else "pooled")  # fmt: skip
    said = p.lede("The rebuilt corpus: units rich in pivots, and controls at the same token budget.")
    return b.Section("selection", "Selection", (said, made))
