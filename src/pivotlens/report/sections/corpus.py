"""What the corpus holds: units by language, words often enough, pairs that ever meet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from statistics import median

from pivotlens.report import charts
from pivotlens.report.blocks import (
    Column,
    Grid,
    Pair,
    Paragraph,
    Plot,
    Section,
    Soft,
    Table,
    Value,
    lines,
    prose,
)  # fmt: skip
from pivotlens.report.run_tables import Row, RunTables, direction_of, rows
from pivotlens.report.wording import language_name, plural, whole
from pivotlens.text import Direction

ENOUGH = 20
"""Units from which a word's figures mean something."""


def corpus(run: RunTables) -> Section | None:
    """Build the section from ``count/languages``, ``count/pairs`` and ``count/problems``."""
    if run.count is None:
        return None
    languages, pairs, problems = (rows(run.count, name) for name in ("languages", "pairs", "problems"))
    unread = f" {plural(len(problems), 'row')} could not be read." if problems else ""
    lede = prose(f"What was counted. A word counts once a unit; below {ENOUGH} units its figures say little.{unread}")
    tables = (units_by_language(languages, pairs), *([shared_units(pairs)] if pairs else []))
    return Section("corpus", "Corpus", (Paragraph(lede, "lede"), Grid(tables)))


def units_by_language(languages: Sequence[Row], pairs: Sequence[Row]) -> Table:
    """Return documents and units by language, and how many concepts have a word in enough units."""
    frequency: dict[str, dict[str, int]] = defaultdict(dict)
    for row in pairs:
        frequency[row["source_language"]][row["concept_id"]] = row["df_source"]
        frequency[row["target_language"]][row["concept_id"]] = row["df_target"]
    most = max((row["units"] for row in languages), default=0)

    def enough(language: str) -> tuple[Value, Soft] | str:
        words = frequency.get(language)
        if not words:
            return ""
        return Value(sum(count >= ENOUGH for count in words.values()), "count"), Soft(f" of {whole(len(words))}")

    return Table(
        "units",
        (Column("language"), *(Column(name, "number") for name in ("documents", "units")), Column("units", "plot"),
         Column("text, MB", "number"), Column(f"concepts in ≥ {ENOUGH} units", "number")),
        lines(
            (
                language_name(row["language"]), Value(row["documents"], "count"), Value(row["units"], "count"),
                Plot(charts.plain_bar(row["units"], most, "r-ink")), Value(row["bytes"] / 1e6, "short"),
                enough(row["language"]),
            )
            for row in sorted(languages, key=lambda row: (-row["units"], row["language"]))
        ),
        prose("Units by language"),
    )  # fmt: skip


def shared_units(pairs: Sequence[Row]) -> Table:
    """Return by direction how many pairs never share a unit, and the median and largest number of shared units."""
    by_direction: dict[Direction, list[int]] = defaultdict(list)
    for row in pairs:
        by_direction[direction_of(row)].append(row["df_both"])

    def never(counts: Sequence[int]) -> int:
        return sum(count == 0 for count in counts)

    return Table(
        "shared-units",
        (Column("direction"), Column("never", "plot"),
         *(Column(name, "number") for name in ("never", "pairs", "median", "most"))),
        lines(
            (
                Pair(direction), Plot(charts.plain_bar(never(counts), len(counts), "r-common")),
                Value(never(counts) / len(counts), "share"), Value(len(counts), "count"),
                f"{median(counts):g}", Value(max(counts), "count"),
            )
            for direction, counts in by_direction.items()
        ),
        prose("Do both words of a pair ever share a unit?"),
    )  # fmt: skip
