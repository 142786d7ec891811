"""Behaviours by direction under every rule, and what each rule takes for a pivot."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from pivotlens.report.run_tables import Row, direction_of, first_shot_set, interval_of, is_pooled
from pivotlens.report.wording import BEHAVIOUR_NAMES, RULE_NOTES, percent, plural, probability, visible
from pivotlens.statistics.bootstrap import Interval
from pivotlens.text import ENGLISH, Direction

PIVOT = "semantic_pivot"
DEFAULT_RULE = "calibrated"


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
    """What one rule says."""

    rule: str
    rows: tuple[BehaviourRow, ...]
    pivots: tuple[TokenCount, ...]

    @property
    def pivot_share(self) -> float:
        """Share of semantic pivots over all items of all directions."""
        return sum(row.counts[PIVOT] for row in self.rows) / max(1, sum(row.n for row in self.rows))


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
    summary: Sequence[Row],
    sensitivity: Sequence[Row],
    ratio: float,
    agreement: float | None = None,
) -> Behaviours:
    """Build the section from ``trace/behaviours``, ``trace/summary`` and ``trace/sensitivity``.

    Args:
        labels: One row an item and rule.
        summary: Shares with intervals.
        sensitivity: Shares under other thresholds; may be empty.
        ratio: The ratio of the calibrated rule, for the sentence on the raw one.
        agreement: Share of items whose label is the same in the other shot sets, where several were traced.
    """
    by_rule: dict[str, list[Row]] = defaultdict(list)
    for row in first_shot_set(list(labels)):
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
    rules = tuple(RuleResult(rule, _rows(rule, by_rule[rule], shares), _pivots(by_rule[rule])) for rule in order)
    return Behaviours(rules, junk_sentence(by_rule.get("peak", []), ratio), agreement, _sensitivity(sensitivity))


def _rows(
    rule: str, labels: list[Row], shares: dict[tuple[str, Direction, str], tuple[int, Interval | None]]
) -> tuple[BehaviourRow, ...]:
    by_direction: dict[Direction, list[Row]] = defaultdict(list)
    for row in labels:
        by_direction[direction_of(row)].append(row)
    rows = []
    for direction, members in by_direction.items():
        counted = Counter(row["behaviour"] for row in members)
        n_correct, pivot_correct = shares.get((rule, direction, "correct"), (0, None))
        rows.append(
            BehaviourRow(
                direction=direction,
                counts={
                    name: counted[name] for name in (*BEHAVIOUR_NAMES, *sorted(set(counted) - set(BEHAVIOUR_NAMES)))
                },
                n=len(members),
                n_correct=n_correct,
                pivot_all=shares.get((rule, direction, "all"), (0, None))[1],
                pivot_correct=pivot_correct,
            )
        )
    return tuple(rows)


def _tokens(labels: list[Row]) -> list[TokenCount]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in labels:
        if row["token"] is not None and row["layer"] is not None:
            groups[row["token"]].append(row)
    tokens = [
        TokenCount(
            token=visible(token),
            count=len(rows),
            concepts=len({row["concept_id"] for row in rows}),
            layer=min(Counter(row["layer"] for row in rows).items(), key=lambda pair: (-pair[1], pair[0]))[0],
            prob=sum(row["prob"] or 0.0 for row in rows) / len(rows),
        )
        for token, rows in groups.items()
    ]
    return sorted(tokens, key=lambda token: (-token.count, token.token))


def _pivots(labels: list[Row], most: int = 8) -> tuple[TokenCount, ...]:
    return tuple(_tokens([row for row in labels if row["behaviour"] == PIVOT])[:most])


def junk_sentence(peaks: list[Row], ratio: float) -> str:
    """Say what the raw rule's peaks are, from the data; empty where the rule was not applied."""
    tokens = _tokens(peaks)
    if not tokens:
        return ""
    top = tokens[0]
    pivots = sum(row["behaviour"] == PIVOT for row in peaks)
    said = (
        f"The raw rule calls {percent(pivots / len(peaks))} of {plural(len(peaks), 'item')} a semantic pivot. "
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
