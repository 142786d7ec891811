"""How well counts predict behaviour."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from pivotlens.report.run_tables import Row, direction_of, interval_of, is_pooled
from pivotlens.statistics.bootstrap import Interval
from pivotlens.text import Direction

PREDICTOR_NAMES = {
    "log_joint": "joint frequency",
    "log_target": "target's frequency",
    "npmi": "NPMI",
    "llr": "log-likelihood ratio",
}


@dataclass(frozen=True)
class AucRow:
    """AUC of each predictor in a direction (None for the mean within directions); None where it was not computed."""

    direction: Direction | None
    n_direct: int
    n_pivot: int
    aucs: tuple[Interval | None, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class AucTable:
    """One rule on one choice of items."""

    rule: str
    items: str
    predictors: tuple[str, ...]
    rows: tuple[AucRow, ...]

    @property
    def pooled(self) -> AucRow | None:
        """The mean within directions."""
        return next((row for row in self.rows if row.direction is None), None)

    @property
    def computed(self) -> bool:
        """Tell whether any AUC could be computed."""
        return any(auc is not None for row in self.rows for auc in row.aucs)


@dataclass(frozen=True)
class StatisticRow:
    """A test, as the stage reports it."""

    direction: Direction | None
    test: str
    items: str
    statistic: float | None
    p_value: float | None
    n: int
    note: str


@dataclass(frozen=True)
class Attribution:
    """The section; the first table is the primary one."""

    tables: tuple[AucTable, ...]
    tests: tuple[StatisticRow, ...]


def attribution(auc: Sequence[Row], tests: Sequence[Row]) -> Attribution:
    """Build the section from ``attribute/auc`` and ``attribute/tests``."""
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in auc:
        groups[row["rule"], row["items"]].append(row)
    # The calibrated rule on correctly answered items is the primary analysis.
    order = sorted(groups, key=lambda key: (key[0] != "calibrated", key[1] != "correct", key))
    return Attribution(tuple(_table(*key, groups[key]) for key in order), tuple(_test(row) for row in tests))


def _table(rule: str, items: str, rows: list[Row]) -> AucTable:
    known = [name for name in PREDICTOR_NAMES if any(row["predictor"] == name for row in rows)]
    predictors = (*known, *sorted({row["predictor"] for row in rows} - set(known)))
    by_direction: dict[tuple[str, str], dict[str, Row]] = defaultdict(dict)
    for row in rows:
        by_direction[row["source_language"], row["target_language"]][row["predictor"]] = row
    made = []
    for members in by_direction.values():
        any_row = next(iter(members.values()))
        made.append(
            AucRow(
                direction=None if is_pooled(any_row) else direction_of(any_row),
                n_direct=any_row["n_cooccurrence"],
                n_pivot=any_row["n_pivot"],
                aucs=tuple(interval_of(members[name], "auc") if name in members else None for name in predictors),
                notes=tuple(dict.fromkeys(row["note"] for row in members.values() if row["note"])),
            )
        )
    made.sort(key=lambda row: row.direction is not None)
    return AucTable(rule, items, predictors, tuple(made))


def _test(row: Row) -> StatisticRow:
    return StatisticRow(
        direction=None if is_pooled(row) else direction_of(row),
        test=row["test"].replace("_", " "),
        items=row.get("items") or "",
        statistic=row["statistic"],
        p_value=row["p_value"],
        n=row["n"],
        note=row["note"] or "",
    )
