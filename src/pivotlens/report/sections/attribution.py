"""How well counts predict behaviour."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from pivotlens.report.run_tables import Row, direction_of, interval_of, is_pooled
from pivotlens.report.sections.joint_frequency import JointFrequency, joint_frequency
from pivotlens.report.wording import plural
from pivotlens.statistics.bootstrap import Interval
from pivotlens.text import Direction

PRIMARY_RULE = "calibrated"
CLASSES = ("direct", "semantic_pivot")
ITEM_SET_NAMES = {
    "correct": "correct items",
    "all": "all items",
    "correct_unlike_english": "correct items, no word spelled like an English one",
    "all_unlike_english": "all items, no word spelled like an English one",
}
PREDICTOR_NAMES = {
    "log_joint": "joint frequency",
    "log_target": "target's frequency",
    "npmi": "NPMI",
    "llr": "log-likelihood ratio",
}


@dataclass(frozen=True)
class AucRow:
    """AUC of each predictor in a direction (None for the mean within directions); None where it was not computed.

    Attributes:
        notes: Why any predictor has none.
        reasons: Why each predictor has none.
    """

    direction: Direction | None
    n_direct: int
    n_pivot: int
    aucs: tuple[Interval | None, ...]
    notes: tuple[str, ...]
    reasons: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class JointPairs:
    """Items of a class in the directions with an AUC; ``shared``: both words ever share a unit."""

    items: str
    behaviour: str
    n: int
    shared: int


@dataclass(frozen=True)
class AucTable:
    """One rule on one choice of items."""

    rule: str
    items: str
    predictors: tuple[str, ...]
    rows: tuple[AucRow, ...]

    @property
    def coverage(self) -> str:
        """Over how many directions the mean is: of the first predictor, as it is drawn."""
        single = [row for row in self.rows if row.direction is not None]
        return f"{sum(row.aucs[0] is not None for row in single)} of {plural(len(single), 'direction')}"

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
    rule: str
    items: str
    statistic: float | None
    interval: Interval | None
    p_value: float | None
    n: int
    note: str


@dataclass(frozen=True)
class Attribution:
    """The section; the first table is the primary one."""

    tables: tuple[AucTable, ...]
    tests: tuple[StatisticRow, ...]
    joint: JointFrequency | None = None
    shared: tuple[JointPairs, ...] = ()

    @property
    def item_sets(self) -> tuple[str, ...]:
        """The choices of items for which a mean within directions could be computed, the primary one first."""
        there = {table.items for table in self.tables if table.pooled and any(table.pooled.aucs)}
        return tuple(sorted(there, key=lambda items: (items != "correct", items)))

    @property
    def primary_tests(self) -> tuple[StatisticRow, ...]:
        """The tests of the primary rule, and those of none."""
        return tuple(row for row in self.tests if row.rule in ("", PRIMARY_RULE))

    @property
    def other_tests(self) -> tuple[StatisticRow, ...]:
        """The tests of the other rules."""
        return tuple(row for row in self.tests if row.rule not in ("", PRIMARY_RULE))

    @property
    def correlation(self) -> StatisticRow | None:
        """The mean over directions of the correlation of joint frequency with the score."""
        return next((row for row in self.tests if row.direction is None and row.interval is not None), None)


def attribution(
    auc: Sequence[Row],
    tests: Sequence[Row],
    bins: Sequence[Row] = (),
    joint: Sequence[Row] = (),
    predictors: Sequence[Row] = (),
) -> Attribution:
    """Build the section from ``attribute/auc``, ``tests``, ``bins``, ``joint`` and ``predictors``."""
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in auc:
        groups[row["rule"], row["items"]].append(row)
    # The calibrated rule on correctly answered items is the primary analysis.
    order = sorted(groups, key=lambda key: (key[0] != PRIMARY_RULE, key[1] != "correct", key))
    found = sorted((_test(row) for row in tests), key=lambda row: row.direction is not None)
    tables = tuple(_table(*key, groups[key]) for key in order)
    return Attribution(tables, tuple(found), joint_frequency(bins, predictors), _shared(joint))


def _shared(joint: Sequence[Row]) -> tuple[JointPairs, ...]:
    return tuple(
        JointPairs(row["items"], row["behaviour"], row["n"], row["n_shared"])
        for row in joint
        if row["scope"] == "with_auc" and row["behaviour"] in CLASSES
    )


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
                reasons=tuple(
                    tuple(members[name]["note"].split("; ")) if name in members and members[name]["note"] else ()
                    for name in predictors
                ),
            )
        )
    made.sort(key=lambda row: row.direction is not None)
    return AucTable(rule, items, predictors, tuple(made))


def _test(row: Row) -> StatisticRow:
    return StatisticRow(
        direction=None if is_pooled(row) else direction_of(row),
        test=row["test"].replace("_", " "),
        rule=row.get("rule") or "",
        items=row.get("items") or "",
        statistic=row["statistic"],
        interval=interval_of(row, "statistic") if row.get("ci_low") is not None else None,
        p_value=row["p_value"],
        n=row["n"],
        note=row["note"] or "",
    )
