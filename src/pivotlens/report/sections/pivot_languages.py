"""Shares of semantic pivots, split by what the pivot is written in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from pivotlens.report.run_tables import Row, interval_of
from pivotlens.report.wording import PIVOT_LANGUAGE_NAMES, percent
from pivotlens.statistics.bootstrap import Interval


@dataclass(frozen=True)
class Split:
    """Semantic pivots of a group of directions, or of one, under a rule.

    Attributes:
        directions: A key of `GROUP_NAMES`, or a direction such as ``zh-fr``.
        rule: Name.
        n: Items.
        shares: Of the items, by the keys of `PIVOT_LANGUAGE_NAMES`; they add up to the share of semantic pivots.
    """

    directions: str
    rule: str
    n: int
    shares: dict[str, Interval]

    @property
    def text(self) -> str:
        """The shares that are not zero, in words."""
        there = ((PIVOT_LANGUAGE_NAMES[kind], found.value) for kind, found in self.shares.items() if found.value)
        return ", ".join(f"{name} {percent(value)}" for name, value in there)


def splits(rows: Sequence[Row]) -> tuple[Split, ...]:
    """Return the splits over all items, from ``trace/pivot_languages`` of one model and wording."""
    found: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        if row["items"] == "all":
            found[row["directions"], row["rule"]].append(row)
    made = []
    for (directions, rule), members in found.items():
        by_kind = {row["pivot_language"]: interval_of(row, "share") for row in members}
        shares = {kind: each for kind in PIVOT_LANGUAGE_NAMES if (each := by_kind.get(kind)) is not None}
        made.append(Split(directions, rule, members[0]["n"], shares))
    return tuple(made)


def split_of(found: Sequence[Split], directions: str, rule: str) -> Split | None:
    """Return the split of a group or direction under a rule, where it holds any pivot."""
    return next((one for one in found if (one.directions, one.rule) == (directions, rule) and one.text), None)
