"""What the tokens named as semantic pivots are: words of which language, how linked, at which layer."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from pivotlens.report.run_tables import Row, direction_of
from pivotlens.report.sections.shares import GROUP_NAMES
from pivotlens.text import ENGLISH, Direction

MOST_LANGUAGES = 8
_KINDS = 5


@dataclass(frozen=True)
class LanguageBar:
    """Pivots that are a word of a language, by relation; the language is empty where none is known."""

    language: str
    counts: dict[str, int]

    @property
    def n(self) -> int:
        """Pivots of the language."""
        return sum(self.counts.values())


@dataclass(frozen=True)
class DirectionKinds:
    """The pivots of a direction.

    Attributes:
        english: Share that are a word of English.
        relation: The most frequent relation, with its share.
        layer: Median layer.
    """

    direction: Direction
    n: int
    english: float
    relation: str
    relation_share: float
    layer: int


@dataclass(frozen=True)
class PivotKinds:
    """The pivots of a rule.

    Attributes:
        directions: Key of `GROUP_NAMES`, of the directions that bars and layers are over.
        relations: Names of the relations, the most frequent under all rules first, at most five and then ``other``.
        english_alone: Pivots that are a word of English and of no other language of the benchmark.
        layers: How many pivots each layer has, of layers 0 to the last one with any.
        alike: Pivots that are written in `several` languages.
        alike_english: Those of them that are linked as a word of English, among others or alone.
    """

    rule: str
    directions: str
    n: int
    relations: tuple[str, ...]
    languages: tuple[LanguageBar, ...]
    english_alone: int
    layers: tuple[int, ...]
    by_direction: tuple[DirectionKinds, ...]
    alike: int = 0
    alike_english: int = 0


def pivot_kinds(rows: Sequence[Row]) -> tuple[PivotKinds, ...]:
    """Build the section from ``trace/pivots`` of one model and wording, one for each rule.

    Bars and layers are over directions with neither side English; over all where there are no pivots in these.
    """
    by_rule: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_rule[row["rule"]].append(row)
    total = _by_relation(rows)
    named = sorted(total, key=lambda name: (-total[name], name))
    # Five and the rest; the same ones for every rule, so that a colour means one thing.
    relations = tuple(named) if len(named) <= _KINDS + 1 else (*named[:_KINDS], "other")
    return tuple(_kinds(rule, found, relations) for rule, found in by_rule.items())


def relation_kind(relation: str) -> str:
    """Return a relation without its language, and without whether the token is a form or a piece of the word."""
    return relation.partition(" (")[0].partition(":")[0] or "unknown"


def _by_relation(rows: Sequence[Row]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for row in rows:
        counts[relation_kind(row["relation"])] += row["n"]
    return counts


def _kinds(rule: str, rows: list[Row], relations: tuple[str, ...]) -> PivotKinds:
    free = [row for row in rows if ENGLISH not in direction_of(row)]
    chosen = free or rows
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    layers: Counter[int] = Counter()
    for row in chosen:
        kind = relation_kind(row["relation"])
        for language in row["languages"].split("+"):
            counts[language][kind if kind in relations else "other"] += row["n"]
        layers[row["layer"]] += row["n"]
    alike = [row for row in chosen if row.get("pivot_language") == "several"]
    bars = [LanguageBar(code, {name: found[name] for name in relations}) for code, found in counts.items()]
    bars.sort(key=lambda bar: (-bar.n, bar.language))
    return PivotKinds(
        rule=rule,
        directions=next(iter(GROUP_NAMES)) if free else "",
        n=sum(row["n"] for row in chosen),
        relations=relations,
        languages=tuple(bars[:MOST_LANGUAGES]),
        english_alone=sum(row["n"] for row in chosen if row["languages"] == ENGLISH),
        layers=tuple(layers[layer] for layer in range(max(layers) + 1)),
        by_direction=tuple(_direction(rows, direction) for direction in dict.fromkeys(map(direction_of, rows))),
        alike=sum(row["n"] for row in alike),
        alike_english=sum(row["n"] for row in alike if ENGLISH in row["languages"].split("+")),
    )


def _direction(rows: Sequence[Row], direction: Direction) -> DirectionKinds:
    rows = [row for row in rows if direction_of(row) == direction]
    n = sum(row["n"] for row in rows)
    relation, most = min(_by_relation(rows).items(), key=lambda pair: (-pair[1], pair[0]))
    layers = sorted(layer for row in rows for layer in [row["layer"]] * row["n"])
    english = sum(row["n"] for row in rows if ENGLISH in row["languages"].split("+"))
    return DirectionKinds(direction, n, english / n, relation, most / n, layers[(n - 1) // 2])
