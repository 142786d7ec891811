"""What the corpus holds: units by language, words often enough, pairs that ever meet."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from pivotlens.report import blocks as b
from pivotlens.report import charts
from pivotlens.report.run_tables import Row, RunTables, rows
from pivotlens.report.sections import parts as p
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
    said = p.lede(f"What was counted. A word counts once a unit{little}.{unread}")
    tables = (_languages(languages, coverage, enough), *([_shared(pairs)] if pairs else []))
    return b.Section("corpus", "Corpus", (said, b.Grid(tables)))


def _languages(languages: Sequence[Row], coverage: Sequence[Row], enough: int | None) -> b.Table:
    covered = {row["language"]: row for row in coverage}
    most = max(row["units"] for row in languages)
    ticks = charts.nice_ticks(float(most or 1))
    axis = charts.column_axis(charts.Axis("units", "count", (0, ticks[-1])), 0.0)

    def words(row: Row) -> b.Cell:
        found = covered.get(row["language"])
        return (b.Value(found["enough"], "count"), b.Soft(f" of {whole(found['concepts'])}")) if found else ""

    def bar(row: Row) -> Markup:
        return charts.plain_bar(row["units"], ticks[-1], "r-ink")

    fields = (
        p.text("language", lambda row: language_name(row["language"])), p.value("documents", "documents", "count"),
        p.value("units", "units", "count"), p.plot("units", bar, axis),
        p.number("text, MB", lambda row: b.Value(row["bytes"] / 1e6, "short")),
        *([p.number(f"concepts in ≥ {enough} units", words)] if enough else ()),
    )  # fmt: skip
    order = sorted(languages, key=lambda row: (-row["units"], row["language"]))
    return p.table("units", "Units by language", order, fields)


def _shared(pairs: Sequence[Row]) -> b.Table:
    axis = charts.column_axis(charts.share_axis("share of pairs"), 0.0)
    fields = (
        p.DIRECTION, p.plot("never", lambda row: charts.plain_bar(row["never"], row["pairs"], "r-common"), axis),
        p.value("never", "never", "count"), p.value("pairs", "pairs", "count"),
        p.number("median", lambda row: f"{row['median']:g}"), p.value("most", "most", "count"),
    )  # fmt: skip
    return p.table("shared-units", "Do both words of a pair ever share a unit?", pairs, fields)
