"""Pivots mined from the corpus: of word pairs, and of the corpus as a whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pivotlens.report.run_tables import Row
from pivotlens.report.sections.items import ItemKey, item_key
from pivotlens.text import Direction

PER_PAIR = 5
CORPUS_PIVOTS = 30


@dataclass(frozen=True)
class MinedPivot:
    """A pivot of a pair with its evidence."""

    token: str
    df_source: int
    df_target: int
    df_both: int
    npmi_source: float
    npmi_target: float
    q_value: float
    strength: float
    relation: str


@dataclass(frozen=True)
class PairPivots:
    """A word pair with its strongest pivots."""

    direction: Direction
    concept_id: str
    source_word: str
    target_word: str
    found: int
    pivots: tuple[MinedPivot, ...]


@dataclass(frozen=True)
class CorpusPivot:
    """A corpus-level pivot; ``grammar``: it goes with everything, so that it is not named as a finding."""

    token: str
    degree: int
    degree_shuffled: float
    directions: int
    stability: float
    score: float
    grammar: bool = False


@dataclass(frozen=True)
class MinedPivots:
    """The section.

    Attributes:
        pairs: Pairs shown, strongest first; a pair mined for both directions is there once.
        n_pairs: Pairs with at least one pivot.
        n_pivots: Pair pivots in all.
        linked: Pair pivots with a dictionary or WordNet link to the concept.
        share: Share of the mined pairs that have a pivot; None where the stage does not say.
        share_shuffled: The same for shuffled pairs.
    """

    pairs: tuple[PairPivots, ...]
    n_pairs: int
    n_pivots: int
    linked: int
    corpus: tuple[CorpusPivot, ...]
    n_corpus: int
    share: float | None
    share_shuffled: float | None

    def by_item(self) -> dict[ItemKey, tuple[MinedPivot, ...]]:
        """Return the pivots shown, by pair and in both directions."""
        return {
            (Direction(*ends), pair.concept_id): pair.pivots
            for pair in self.pairs
            for ends in (pair.direction, pair.direction[::-1])
        }


def mined_pivots(
    pair_rows: Sequence[Row],
    corpus_rows: Sequence[Row],
    summary: Sequence[Row],
    grammar: Sequence[Row],
    first: Collection[ItemKey],
    most: int,
) -> MinedPivots | None:
    """Build the section; None where the stage says nothing of the mining as a whole.

    Args:
        pair_rows: ``mine/pair_pivots``.
        corpus_rows: ``mine/pivots``.
        summary: ``mine/summary``.
        grammar: ``mine/grammar``.
        first: Pairs to keep before others: those whose items the page shows.
        most: Most pairs kept.
    """
    if not summary:
        return None
    (whole,) = summary
    of_grammar = {row["token_id"] for row in grammar}
    groups: dict[ItemKey, list[Row]] = defaultdict(list)
    for row in pair_rows:
        groups[item_key(row)].append(row)
    # Association is symmetric: the other direction of a pair holds the same pivots.
    once: dict[tuple[frozenset[str], str], ItemKey] = {}
    for key in groups:
        once.setdefault(_unordered(key), key)
    pairs = [_pair(key, groups[key]) for key in once.values()]
    wanted = {_unordered(key) for key in first}
    pairs.sort(key=lambda pair: (_unordered((pair.direction, pair.concept_id)) not in wanted, *_strongest_first(pair)))
    corpus = sorted(corpus_rows, key=lambda row: (-row["score"], row["token_id"]))
    return MinedPivots(
        pairs=tuple(sorted(pairs[:most], key=_strongest_first)),
        n_pairs=whole["pairs"],
        n_pivots=whole["pair_pivots"],
        linked=whole["linked"],
        corpus=tuple(
            CorpusPivot(
                row["token"],
                row["degree"],
                row["degree_shuffled"],
                row["directions"],
                row["stability"],
                row["score"],
                grammar=row["token_id"] in of_grammar,
            )
            for row in corpus[:CORPUS_PIVOTS]
        ),
        n_corpus=whole["corpus_pivots"],
        share=whole["share_with_pivots"],
        share_shuffled=whole["share_with_pivots_shuffled"],
    )


def _unordered(key: ItemKey) -> tuple[frozenset[str], str]:
    return frozenset(key[0]), key[1]


def _strongest_first(pair: PairPivots) -> tuple[float, Direction, str]:
    return -pair.pivots[0].strength, pair.direction, pair.concept_id


def _pair(key: ItemKey, rows: list[Row]) -> PairPivots:
    rows = sorted(rows, key=lambda row: (-row["strength"], row["token_id"]))
    pivots = tuple(
        MinedPivot(
            token=row["token"],
            df_source=row["df_source"],
            df_target=row["df_target"],
            df_both=row["df_both"],
            npmi_source=row["npmi_source"],
            npmi_target=row["npmi_target"],
            q_value=row["q_value"],
            strength=row["strength"],
            relation=row["relation"] or "",
        )
        for row in rows[:PER_PAIR]
    )
    return PairPivots(key[0], key[1], rows[0]["source_word"], rows[0]["target_word"], len(rows), pivots)
