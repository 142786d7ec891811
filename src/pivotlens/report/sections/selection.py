"""The rebuilt corpus: its arms, by language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pivotlens.report.run_tables import Row


@dataclass(frozen=True)
class ArmRow:
    """An arm in a language: tokens taken of the budget and of what was available; share of pivot tokens."""

    mode: str
    language: str
    units: int
    tokens: int
    budget: int
    available: int
    share: float


@dataclass(frozen=True)
class Arm:
    """An arm over all languages; ``share`` is weighted by tokens."""

    mode: str
    units: int
    tokens: int
    share: float
    rows: tuple[ArmRow, ...]


def arms(summary: Sequence[Row]) -> tuple[Arm, ...]:
    """Build the section from ``select/summary``; arms and languages keep the order of the table."""
    made = []
    for mode in dict.fromkeys(row["mode"] for row in summary):
        rows = tuple(
            ArmRow(
                mode, row["language"], row["units"], row["tokens"], row["budget"], row["available"], row["share"] or 0.0
            )
            for row in summary
            if row["mode"] == mode and row["language"] != "all"
        )
        tokens = sum(row.tokens for row in rows)
        pivots = sum(row.share * row.tokens for row in rows)
        made.append(Arm(mode, sum(row.units for row in rows), tokens, pivots / tokens if tokens else 0.0, rows))
    return tuple(made)
