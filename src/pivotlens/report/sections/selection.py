"""The rebuilt corpus: its arms, by language."""

from __future__ import annotations

from collections import defaultdict
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


def arms(found: Sequence[Row], summary: Sequence[Row]) -> tuple[Arm, ...]:
    """Build the section; arms and languages keep the order of the tables.

    Args:
        found: ``select/arms``.
        summary: ``select/summary``.
    """
    by_mode: dict[str, list[ArmRow]] = defaultdict(list)
    for row in summary:
        by_mode[row["mode"]].append(
            ArmRow(
                row["mode"],
                row["language"],
                row["units"],
                row["tokens"],
                row["budget"],
                row["available"],
                row["share"] or 0.0,
            )
        )
    return tuple(
        Arm(row["mode"], row["units"], row["tokens"], row["share"], tuple(by_mode[row["mode"]])) for row in found
    )
