"""What the corpus holds: units by language, words often enough, pairs that ever meet."""

from __future__ import annotations

from collections.abc import Sequence

from pivotlens.report import blocks as b
from pivotlens.report import charts
from pivotlens.report.run_tables import Row, RunTables, direction_of, rows
from pivotlens.report.wording import language_name, plural, whole


def corpus(run: RunTables) -> b.Section | None:
    """Build the section from ``count/languages``, ``coverage``, ``pair_summary`` and ``problems``."""
    languages, coverage, pairs, problems = (
        rows(run.count, name) for name in ("languages", "coverage", "pair_summary", "problems")
    )
    if not languages:
        return None
    enough = next((row["units"] for row in coverage), None)
    little = f"; below {enough} units its figures say little" if enough else ""
    unread = f" {plural(len(problems), 'row')} could not be read." if problems else ""
    lede = b.prose(f"What was counted. A word counts once a unit{little}.{unread}")
    tables = (_languages(languages, coverage, enough), *([_shared(pairs)] if pairs else []))
    return b.Section("corpus", "Corpus", (b.Paragraph(lede, "lede"), b.Grid(tables)))


def _languages(languages: Sequence[Row], coverage: Sequence[Row], enough: int | None) -> b.Table:
    covered = {row["language"]: row for row in coverage}
    most = max(row["units"] for row in languages)

    def words(language: str) -> tuple[b.Value, b.Soft] | str:
        if language not in covered:
            return ""
        return b.Value(covered[language]["enough"], "count"), b.Soft(f" of {whole(covered[language]['concepts'])}")

    return b.Table(
        "units",
        (b.Column("language"), *(b.Column(name, "number") for name in ("documents", "units")),
         b.Column("units", "plot", charts.column_axis(charts.Axis("units", "count", (0, most or 1)), 0.0)),
         b.Column("text, MB", "number"), b.Column(f"concepts in ≥ {enough} units", "number")),
        b.lines(
            (language_name(row["language"]), b.Value(row["documents"], "count"), b.Value(row["units"], "count"),
             b.Plot(charts.plain_bar(row["units"], most, "r-ink")), b.Value(row["bytes"] / 1e6, "short"),
             words(row["language"]))
            for row in sorted(languages, key=lambda row: (-row["units"], row["language"]))
        ),
        b.prose("Units by language"),
    )  # fmt: skip


def _shared(pairs: Sequence[Row]) -> b.Table:
    return b.Table(
        "shared-units",
        (b.Column("direction"), b.Column("never", "plot", charts.column_axis(charts.share_axis("share of pairs"), 0.0)),
         *(b.Column(name, "number") for name in ("never", "pairs", "median", "most"))),
        b.lines(
            (b.Pair(direction_of(row)), b.Plot(charts.plain_bar(row["never"], row["pairs"], "r-common")),
             b.Value(row["never"], "count"), b.Value(row["pairs"], "count"), f"{row['median']:g}",
             b.Value(row["most"], "count"))
            for row in pairs
        ),
        b.prose("Do both words of a pair ever share a unit?"),
    )  # fmt: skip
