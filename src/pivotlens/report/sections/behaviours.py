"""Behaviours by direction under every rule, and what each rule takes for a pivot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from pivotlens.report.run_tables import Row, direction_of, interval_of, is_pooled
from pivotlens.report.wording import BEHAVIOUR_NAMES, RULE_NOTES, percent, plural, probability, visible
from pivotlens.statistics.bootstrap import Interval
from pivotlens.text import ENGLISH, Direction

PIVOT = "semantic_pivot"
DEFAULT_RULE = "calibrated"
MOST_PIVOTS = 8
"""Most pivots of a rule that are shown."""


@dataclass(frozen=True)
class BehaviourRow:
    """Counts of a direction under a rule, in the order of `BEHAVIOUR_NAMES`.

    Attributes:
        pivot_all: Share of semantic pivots among all items, with its interval.
        n_correct: How many items are answered correctly, without those spelled alike in both languages.
        pivot_correct: Share of semantic pivots among these.
    """

    direction: Direction
    counts: dict[str, int]
    n: int
    n_correct: int
    pivot_all: Interval | None
    pivot_correct: Interval | None

    @property
    def has_english(self) -> bool:
        """Tell whether a side is English, where the category `pivot` means less."""
        return ENGLISH in self.direction


@dataclass(frozen=True)
class TokenCount:
    """A token with how often a rule chose it, its most frequent layer and its mean probability."""

    token: str
    count: int
    concepts: int
    layer: int
    prob: float


@dataclass(frozen=True)
class RuleResult:
    """What one rule says.

    Attributes:
        pivot_share: Share of semantic pivots over all items of all directions.
        pivot_share_free: Over those of directions with neither side English; None where there are none.
    """

    rule: str
    rows: tuple[BehaviourRow, ...]
    pivots: tuple[TokenCount, ...]
    pivot_share: float
    pivot_share_free: float | None


@dataclass(frozen=True)
class SensitivityRow:
    """Share of semantic pivots of a direction by (threshold, ratio)."""

    direction: Direction
    shares: tuple[float | None, ...]


@dataclass(frozen=True)
class Sensitivity:
    """How the calibrated label moves with its two thresholds."""

    settings: tuple[tuple[float, float], ...]
    rows: tuple[SensitivityRow, ...]


@dataclass(frozen=True)
class Behaviours:
    """The section: rules in the order of `RULE_NOTES`, the default first; `agreement` is between shot sets."""

    rules: tuple[RuleResult, ...]
    junk: str
    agreement: float | None
    sensitivity: Sensitivity | None

    @property
    def labels(self) -> frozenset[str]:
        """Labels that any rule gives."""
        rows = (row for result in self.rules for row in result.rows)
        return frozenset(name for row in rows for name, count in row.counts.items() if count)

    def rule(self, name: str) -> RuleResult | None:
        """Return a rule's result by name."""
        return next((result for result in self.rules if result.rule == name), None)


def behaviours(
    labels: Sequence[Row],
    tokens: Sequence[Row],
    summary: Sequence[Row],
    sensitivity: Sequence[Row],
    ratio: float,
    agreement: float | None = None,
) -> Behaviours:
    """Build the section from tables of the trace, of one model and wording.

    Args:
        labels: ``trace/labels``.
        tokens: ``trace/deciding_tokens``.
        summary: ``trace/summary``: shares with intervals.
        sensitivity: ``trace/sensitivity``: shares under other thresholds; may be empty.
        ratio: The ratio of the calibrated rule, for the sentence on the raw one.
        agreement: Share of items whose label is the same in the other shot sets, where several were traced.
    """
    by_rule: dict[str, list[Row]] = defaultdict(list)
    for row in labels:
        by_rule[row["rule"]].append(row)
    shares: dict[tuple[str, Direction, str], tuple[int, Interval | None]] = {}
    for row in summary:
        key = row["rule"], direction_of(row), row["items"]
        if row["behaviour"] == PIVOT:
            shares[key] = row["n"], interval_of(row, "share")
        else:
            # Behaviours that never occur have no row: their share is zero in every resample.
            shares.setdefault(key, (row["n"], Interval(0.0, 0.0, 0.0) if row["n"] else None))
    order = [*(rule for rule in RULE_NOTES if rule in by_rule), *sorted(set(by_rule) - set(RULE_NOTES))]
    rules = tuple(
        RuleResult(
            rule,
            _rows(rule, by_rule[rule], shares),
            _tokens([row for row in tokens if (row["rule"], row["behaviour"]) == (rule, PIVOT)])[:MOST_PIVOTS],
            _pivot_share(by_rule[rule], "all") or 0.0,
            _pivot_share(by_rule[rule], "neither_english"),
        )
        for rule in order
    )
    peaks = _tokens([row for row in tokens if (row["rule"], row["behaviour"]) == ("peak", "")])
    return Behaviours(rules, junk_sentence(by_rule.get("peak", []), peaks, ratio), agreement, _sensitivity(sensitivity))


def _rows(
    rule: str, labels: list[Row], shares: dict[tuple[str, Direction, str], tuple[int, Interval | None]]
) -> tuple[BehaviourRow, ...]:
    by_direction: dict[Direction, list[Row]] = defaultdict(list)
    for row in labels:
        if row["scope"] == "direction":
            by_direction[direction_of(row)].append(row)
    rows = []
    for direction, members in by_direction.items():
        counted = {row["behaviour"]: row["n"] for row in members}
        n_correct, pivot_correct = shares.get((rule, direction, "correct"), (0, None))
        rows.append(
            BehaviourRow(
                direction=direction,
                counts={
                    name: counted.get(name, 0)
                    for name in (*BEHAVIOUR_NAMES, *sorted(set(counted) - set(BEHAVIOUR_NAMES)))
                },
                n=members[0]["items"],
                n_correct=n_correct,
                pivot_all=shares.get((rule, direction, "all"), (0, None))[1],
                pivot_correct=pivot_correct,
            )
        )
    return tuple(rows)


def _pivot_share(labels: Sequence[Row], scope: str) -> float | None:
    """Return the share of semantic pivots in a scope, 0 where no item has the label; None where there are no items."""
    found = {row["behaviour"]: float(row["share"]) for row in labels if row["scope"] == scope}
    return found.get(PIVOT, 0.0) if found else None


def _tokens(rows: Sequence[Row]) -> tuple[TokenCount, ...]:
    tokens = [TokenCount(visible(row["token"]), row["n"], row["concepts"], row["layer"], row["prob"]) for row in rows]
    return tuple(sorted(tokens, key=lambda token: (-token.count, token.token)))


def junk_sentence(labels: Sequence[Row], tokens: Sequence[TokenCount], ratio: float) -> str:
    """Say what the raw rule's peaks are, from the data; empty where the rule was not applied.

    Args:
        labels: Rows of ``trace/labels`` of the rule.
        tokens: That it decided by, the most frequent first.
        ratio: Of the calibrated rule.
    """
    if not tokens:
        return ""
    top = tokens[0]
    items = next(row["items"] for row in labels if row["scope"] == "all")
    said = (
        f"The raw rule calls {percent(_pivot_share(labels, 'all'))} of {plural(items, 'item')} a semantic pivot. "
        f"Its most frequent peak is “{top.token}”, at layer {top.layer}, with a mean probability of "
        f"{probability(top.prob)}; it comes first in {plural(top.count, 'item')}, of {plural(top.concepts, 'concept')}"
    )
    if top.concepts < 2:
        return said + "."
    return (
        f"{said}. A token that comes whatever the word says nothing about the word; the calibrated rule therefore "
        f"asks that it be at least {ratio:g} times likelier for this item than for other concepts."
    )


def _sensitivity(rows: Sequence[Row]) -> Sensitivity | None:
    rows = [row for row in rows if row["behaviour"] == PIVOT and not is_pooled(row)]
    if not rows:
        return None
    settings = sorted({(row["threshold"], row["ratio"]) for row in rows})
    shares: dict[Direction, dict[tuple[float, float], float]] = defaultdict(dict)
    for row in rows:
        shares[direction_of(row)][row["threshold"], row["ratio"]] = row["share"]
    return Sensitivity(
        tuple(settings),
        tuple(SensitivityRow(key, tuple(found.get(each) for each in settings)) for key, found in shares.items()),
    )
