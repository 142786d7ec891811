"""How far labels agree: between rules, between lenses, between shot sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pivotlens.report.run_tables import Row, interval_of
from pivotlens.report.wording import RULE_NOTES
from pivotlens.statistics.bootstrap import Interval


@dataclass(frozen=True)
class Kappa:
    """Cohen's kappa of two sets of labels.

    Attributes:
        agreement: Share of items with the same label.
        kappa: Over the labels as they are.
        pivot: Over semantic pivot or not.
    """

    kind: str
    first: str
    second: str
    n: int
    agreement: float | None
    kappa: Interval | None
    pivot: Interval | None


@dataclass(frozen=True)
class MatrixCell:
    """A kappa of the matrix; ``shade`` is 0 to 10, empty cells are on the diagonal."""

    kappa: Interval | None
    shade: int


@dataclass(frozen=True)
class Agreement:
    """The rules as a matrix, kappa above the diagonal and kappa of the pivots below it; and the other pairs."""

    rules: tuple[str, ...]
    matrix: tuple[tuple[MatrixCell | None, ...], ...]
    n: int
    others: tuple[Kappa, ...]


def agreement(rows: Sequence[Row]) -> Agreement | None:
    """Build the section from ``trace/agreement`` of one model and wording."""
    pairs = [
        Kappa(
            row["kind"],
            row["first"],
            row["second"],
            row["n"],
            row["agreement"],
            interval_of(row, "kappa", "kappa_low", "kappa_high"),
            interval_of(row, "kappa_pivot", "kappa_pivot_low", "kappa_pivot_high"),
        )
        for row in rows
    ]
    if not pairs:
        return None
    between = {(pair.first, pair.second): pair for pair in pairs if pair.kind == "rules"}
    there = dict.fromkeys(name for key in between for name in key)
    rules = (*(name for name in RULE_NOTES if name in there), *(name for name in there if name not in RULE_NOTES))

    def cell(row: int, column: int) -> MatrixCell | None:
        if row == column:
            return None
        pair = between.get((rules[row], rules[column])) or between.get((rules[column], rules[row]))
        if pair is None:
            return MatrixCell(None, 0)
        found = pair.kappa if row < column else pair.pivot
        return MatrixCell(found, round(10 * min(max(found.value, 0.0), 1.0)) if found else 0)

    return Agreement(
        rules=rules,
        matrix=tuple(tuple(cell(row, column) for column in range(len(rules))) for row in range(len(rules))),
        n=max((pair.n for pair in between.values()), default=0),
        others=tuple(pair for pair in pairs if pair.kind != "rules"),
    )
