"""What the corpus holds: units by language, words often enough, pairs that ever meet."""

from __future__ import annotations

from collections.abc import Sequence

from pivotlens.report import charts
from pivotlens.report.blocks import Column, Grid, Pair, Paragraph, Plot, Section, Soft, Table, Value, lines, prose
from pivotlens.report.run_tables import Row, RunTables, direction_of, rows
from pivotlens.report.wording import language_name, plural, whole


def corpus(run: RunTables) -> Section | None:
    """Build the section from ``count/languages``, ``coverage``, ``pair_summary`` and ``problems``."""
    languages, coverage, pairs, problems = (
        rows(run.count, name) for name in ("languages", "coverage", "pair_summary", "problems")
    )
    if not languages:
        return None
    enough = next((row["units"] for row in coverage), None)
    little = f"; below {enough} units its figures say little" if enough else ""
    unread = f" {plural(len(problems), 'row')} could not be read." if problems else ""
    lede = prose(f"What was counted. A word counts once a unit{little}.{unread}")
    tables = (_languages(languages, coverage, enough), *([_shared(pairs)] if pairs else []))
    return Section("corpus", "Corpus", (Paragraph(lede, "lede"), Grid(tables)))


def _languages(languages: Sequence[Row], coverage: Sequence[Row], enough: int | None) -> Table:
    covered = {row["language"]: row for row in coverage}
    most = max(row["units"] for row in languages)

    def words(language: str) -> tuple[Value, Soft] | str:
        if language not in covered:
            return ""
        return Value(covered[language]["enough"], "count"), Soft(f" of {whole(covered[language]['concepts'])}")

    return Table(
        "units",
        (Column("language"), *(Column(name, "number") for name in ("documents", "units")),
         Column("units", "plot", charts.column_axis(charts.Axis("units", "count", (0, most or 1)), 0.0)),
         Column("text, MB", "number"), Column(f"concepts in ≥ {enough} units", "number")),
        lines(
            (language_name(row["language"]), Value(row["documents"], "count"), Value(row["units"], "count"),
             Plot(charts.plain_bar(row["units"], most, "r-ink")), Value(row["bytes"] / 1e6, "short"),
             words(row["language"]))
            for row in sorted(languages, key=lambda row: (-row["units"], row["language"]))
        ),
        prose("Units by language"),
    )  # fmt: skip


def _shared(pairs: Sequence[Row]) -> Table:
    return Table(
        "shared-units",
        (Column("direction"), Column("never", "plot", charts.column_axis(charts.share_axis("share of pairs"), 0.0)),
         *(Column(name, "number") for name in ("never", "pairs", "median", "most"))),
        lines(
            (Pair(direction_of(row)), Plot(charts.plain_bar(row["never"], row["pairs"], "r-common")),
             Value(row["never"], "count"), Value(row["pairs"], "count"), f"{row['median']:g}",
             Value(row["most"], "count"))
            for row in pairs
        ),
        prose("Do both words of a pair ever share a unit?"),
    )  # fmt: skip
