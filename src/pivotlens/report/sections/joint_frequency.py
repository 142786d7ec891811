"""Joint frequency of a pair's words: beside the behaviour of items, and beside their score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pivotlens.report.run_tables import Row

MOST_POINTS = 1500
"""Most items drawn as points; of more, evenly spread ones in the order of the table."""
ENOUGH = 20
"""Fewest items of a range whose mean score is drawn."""


@dataclass(frozen=True)
class JointPoint:
    """An item with a score."""

    joint: int
    score: float
    behaviour: str


@dataclass(frozen=True)
class JointBin:
    """Items whose words share from ``low`` to ``high`` units of the corpus.

    Attributes:
        low: Fewest units.
        high: Most units.
        n_direct: Correctly answered items that are `direct`.
        n_pivot: Those that are `semantic_pivot`.
        share_direct: Part of all correctly answered items that are `direct`; None where there is none.
        share_pivot: Likewise.
        n_scored: Items with a score.
        place: Mean of their ``log(1 + units)``; None where there are none.
        score: Mean of their scores; None likewise.
    """

    low: int
    high: int
    n_direct: int
    n_pivot: int
    share_direct: float | None
    share_pivot: float | None
    n_scored: int
    place: float | None
    score: float | None

    @property
    def label(self) -> str:
        """The range in a few characters."""
        return str(self.low) if self.low == self.high else f"{self.low}–{self.high}"


@dataclass(frozen=True)
class JointFrequency:
    """Items of all directions, those spelled alike left out."""

    bins: tuple[JointBin, ...]
    points: tuple[JointPoint, ...]

    @property
    def n_scored(self) -> int:
        """Items with a score."""
        return sum(one.n_scored for one in self.bins)

    @property
    def n_direct(self) -> int:
        """Correctly answered items that are `direct`."""
        return sum(one.n_direct for one in self.bins)

    @property
    def n_pivot(self) -> int:
        """Correctly answered items that are `semantic_pivot`."""
        return sum(one.n_pivot for one in self.bins)


def joint_frequency(bins: Sequence[Row], predictors: Sequence[Row]) -> JointFrequency | None:
    """Build the figures' data from ``attribute/bins`` and ``attribute/predictors``; None where there is no item."""
    if not bins:
        return None
    scored = [row for row in predictors if not row["same_spelling"] and row["score"] is not None]
    shown = min(len(scored), MOST_POINTS)
    return JointFrequency(
        bins=tuple(_bin(row) for row in bins),
        points=tuple(
            JointPoint(row["df_both"], row["score"], row["behaviour"] or "")
            for row in (scored[number * len(scored) // shown] for number in range(shown))
        ),
    )


def _bin(row: Row) -> JointBin:
    return JointBin(
        low=row["low"],
        high=row["high"],
        n_direct=row["n_direct"],
        n_pivot=row["n_pivot"],
        share_direct=row["share_direct"],
        share_pivot=row["share_pivot"],
        n_scored=row["n_scored"],
        place=row["log_joint"],
        score=row["score"],
    )
