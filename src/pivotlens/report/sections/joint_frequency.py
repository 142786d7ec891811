"""Joint frequency of a pair's words: beside the behaviour of items, and beside their score."""

from __future__ import annotations

import math
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
        n_scored: Items with a score.
        place: Mean of their ``log(1 + units)``; None where there are none.
        score: Mean of their scores; None likewise.
    """

    low: int
    high: int
    n_direct: int
    n_pivot: int
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


def joint_frequency(rows: Sequence[Row]) -> JointFrequency | None:
    """Build the figures' data from ``attribute/predictors``; None where there is no item.

    The ranges are 0, 1, 2–3, 4–7 and so on: equally wide on a logarithmic axis.
    """
    kept = [row for row in rows if not row["same_spelling"]]
    if not kept:
        return None
    by_range: dict[int, list[Row]] = {}
    for row in kept:
        by_range.setdefault(row["df_both"].bit_length(), []).append(row)
    scored = [row for row in kept if row["score"] is not None]
    shown = min(len(scored), MOST_POINTS)
    return JointFrequency(
        bins=tuple(_bin(length, by_range.get(length, [])) for length in range(max(by_range) + 1)),
        points=tuple(
            JointPoint(row["df_both"], row["score"], row["behaviour"] or "")
            for row in (scored[number * len(scored) // shown] for number in range(shown))
        ),
    )


def _bin(bits: int, rows: Sequence[Row]) -> JointBin:
    labels = [row["behaviour"] for row in rows if row["correct"]]
    scores = [row["score"] for row in rows if row["score"] is not None]
    places = [math.log1p(row["df_both"]) for row in rows if row["score"] is not None]
    return JointBin(
        low=(1 << bits) >> 1,
        high=(1 << bits) - 1,
        n_direct=labels.count("direct"),
        n_pivot=labels.count("semantic_pivot"),
        n_scored=len(scores),
        place=sum(places) / len(places) if places else None,
        score=sum(scores) / len(scores) if scores else None,
    )
