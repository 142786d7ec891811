"""The rebuilt corpus: its arms, by language."""

from __future__ import annotations

from collections.abc import Sequence

from pivotlens.report import charts
from pivotlens.report.blocks import Cell, Column, Line, Paragraph, Plot, Section, Table, Value, prose
from pivotlens.report.run_tables import Row, RunTables, rows
from pivotlens.report.wording import language_name

_SUMS = ("units", "tokens")


def arms(summary: Sequence[Row]) -> dict[str, Row]:
    """Return each arm over all languages, in the order of the table; the share of pivots is weighted by tokens."""
    made = {}
    for mode in dict.fromkeys(row["mode"] for row in summary):
        found = [row for row in summary if row["mode"] == mode and row["language"] != "all"]
        total = {name: sum(row[name] for row in found) for name in _SUMS}
        pivots = sum((row["share"] or 0.0) * row["tokens"] for row in found)
        made[mode] = {**total, "share": pivots / total["tokens"] if total["tokens"] else 0.0, "rows": found}
    return made


def selection(run: RunTables) -> Section | None:
    """Build the section from ``select/summary``."""
    found = arms(rows(run.select, "summary"))
    if not found:
        return None
    most = max((row["share"] or 0.0 for arm in found.values() for row in (arm, *arm["rows"])), default=0.0)
    made: list[Line] = []
    for mode, arm in found.items():
        kind = "r-mined" if mode == "top" else "r-common"
        made.append(Line((mode.replace("_", " "), "all", *_cells(arm, most, kind)), "pooled"))
        made += [Line(("", language_name(row["language"]), *_cells(row, most, kind))) for row in arm["rows"]]
    table = Table(
        "arms",
        (Column("arm"), Column("language"),
         *(Column(name, "number") for name in (*_SUMS, "budget", "available")), Column("share of pivots", "plot"),
         Column("pivot share", "number")),
        tuple(made), prose("Arms by language"), unseen=True,
    )  # fmt: skip
    lede = prose("The rebuilt corpus: units rich in pivots, and controls at the same token budget.")
    return Section("selection", "Selection", (Paragraph(lede, "lede"), table))


def _cells(row: Row, most: float, kind: str) -> tuple[Cell, ...]:
    numbers = (Value(row[name], "count") if name in row else "" for name in (*_SUMS, "budget", "available"))
    return (*numbers, Plot(charts.plain_bar(row["share"], most, kind)), Value(row["share"] or 0.0, "share"))
