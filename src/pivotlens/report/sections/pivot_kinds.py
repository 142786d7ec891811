"""What the tokens named as semantic pivots are: words of which language, how linked, at which layer."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from pivotlens.report.run_tables import Row
from pivotlens.text import Direction, parse_direction

MOST_LANGUAGES = 8
_KINDS = 5
_FREE = "neither_english"


@dataclass(frozen=True)
class LanguageBar:
    """Pivots that are a word of a language, by relation; the language is empty where none is known.

    Attributes:
        share: Of all pivots.
    """

    language: str
    counts: dict[str, int]
    share: float

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
        share_english_alone: Their share.
        layers: How many pivots each layer has, of layers 0 to the last one with any.
        layer_shares: Their shares.
        alike: Pivots that are written in `several` languages.
        alike_english: Those of them that are linked as a word of English, among others or alone.
    """

    rule: str
    directions: str
    n: int
    relations: tuple[str, ...]
    languages: tuple[LanguageBar, ...]
    english_alone: int
    share_english_alone: float
    layers: tuple[int, ...]
    layer_shares: tuple[float, ...]
    by_direction: tuple[DirectionKinds, ...]
    alike: int = 0
    alike_english: int = 0


def pivot_kinds(summary: Sequence[Row], counts: Sequence[Row], links: Sequence[Row]) -> tuple[PivotKinds, ...]:
    """Build the section, one for each rule, from tables of the trace, of one model and wording.

    Bars and layers are over directions with neither side English; over all where there are no pivots in these.

    Args:
        summary: ``trace/pivot_summary``.
        counts: ``trace/pivot_counts``.
        links: ``trace/pivot_links``.
    """
    total: Counter[str] = Counter()
    for row in counts:
        if (row["directions"], row["by"]) == ("all", "relation"):
            total[row["value"]] += row["n"]
    named = sorted(total, key=lambda name: (-total[name], name))
    # Five and the rest; the same ones for every rule, so that a colour means one thing.
    relations = tuple(named) if len(named) <= _KINDS + 1 else (*named[:_KINDS], "other")
    return tuple(
        _kinds(_of(rule, summary), _of(rule, counts), _of(rule, links), relations)
        for rule in dict.fromkeys(row["rule"] for row in summary)
    )


def _of(rule: str, rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row["rule"] == rule]


def _kinds(
    summary: Sequence[Row], counts: Sequence[Row], links: Sequence[Row], relations: tuple[str, ...]
) -> PivotKinds:
    by_directions = {row["directions"]: row for row in summary}
    chosen = _FREE if _FREE in by_directions else "all"
    whole = by_directions[chosen]
    bars: dict[str, Counter[str]] = defaultdict(Counter)
    for row in links:
        if row["directions"] == chosen:
            kind = row["relation"]
            bars[row["language"]][kind if kind in relations else "other"] += row["n"]
    counted = {(row["by"], row["value"]): row for row in counts if row["directions"] == chosen}
    languages = [
        LanguageBar(code, {name: found[name] for name in relations}, counted["language", code]["share"])
        for code, found in bars.items()
    ]
    languages.sort(key=lambda bar: (-bar.n, bar.language))
    last = max(int(value) for by, value in counted if by == "layer")
    layers = [counted.get(("layer", str(layer)), {"n": 0, "share": 0.0}) for layer in range(last + 1)]
    return PivotKinds(
        rule=whole["rule"],
        directions=_FREE if chosen == _FREE else "",
        n=whole["n"],
        relations=relations,
        languages=tuple(languages[:MOST_LANGUAGES]),
        english_alone=whole["n_english_alone"],
        share_english_alone=whole["english_alone"],
        layers=tuple(row["n"] for row in layers),
        layer_shares=tuple(row["share"] for row in layers),
        by_direction=tuple(_direction(row) for row in summary if row["directions"] not in (_FREE, "all")),
        alike=whole["n_alike"],
        alike_english=whole["n_alike_english"],
    )


def _direction(row: Row) -> DirectionKinds:
    direction = parse_direction(row["directions"])
    return DirectionKinds(direction, row["n"], row["english"], row["relation"], row["relation_share"], row["layer"])
