"""The score table: one row a direction, and the mean over directions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pivotlens.report.run_tables import Row, direction_of, interval_of, is_pooled
from pivotlens.statistics.bootstrap import Interval
from pivotlens.text import Direction


@dataclass(frozen=True)
class ScoreRow:
    """Figures of a direction; ``direction`` is None for the mean over directions.

    Attributes:
        distinct: The score without items written alike in both languages.
        n_distinct: How many items that leaves.
    """

    direction: Direction | None
    n: int
    score: Interval | None
    distinct: Interval | None
    n_distinct: int | None
    share: Interval | None
    accuracy_10way: Interval | None
    accuracy_generated: Interval | None


@dataclass(frozen=True)
class ScoreTable:
    """The score section; ``low`` and ``high`` bound every interval, for one common axis."""

    rows: tuple[ScoreRow, ...]
    low: float
    high: float

    @property
    def pooled(self) -> ScoreRow | None:
        """The mean over directions, where there is one."""
        return next((row for row in self.rows if row.direction is None), None)

    @property
    def by_direction(self) -> tuple[ScoreRow, ...]:
        """Rows of the directions alone."""
        return tuple(row for row in self.rows if row.direction is not None)


def score_table(summary: Sequence[Row]) -> ScoreTable:
    """Build the section from ``score/summary``; the mean over directions comes first."""
    every = [row for row in summary if row["items"] == "all"]
    subset = {(row["source_language"], row["target_language"]): row for row in summary if row["items"] != "all"}
    rows = [_row(row, subset.get((row["source_language"], row["target_language"]))) for row in every]
    rows.sort(key=lambda row: row.direction is not None)
    ends = [
        end
        for row in rows
        for interval in (row.score, row.distinct)
        if interval is not None
        for end in interval
        if end == end
    ]
    return ScoreTable(tuple(rows), min([0.0, *ends]), max([0.1, *ends]))


def _row(row: Row, distinct: Row | None) -> ScoreRow:
    return ScoreRow(
        direction=None if is_pooled(row) else direction_of(row),
        n=row["n"],
        score=interval_of(row, "score"),
        distinct=interval_of(distinct, "score") if distinct else None,
        n_distinct=distinct["n"] if distinct else None,
        share=interval_of(row, "share", "share_low", "share_high"),
        accuracy_10way=interval_of(row, "accuracy_10way", "accuracy_10way_low", "accuracy_10way_high"),
        accuracy_generated=interval_of(row, "accuracy_generated", "accuracy_generated_low", "accuracy_generated_high"),
    )
