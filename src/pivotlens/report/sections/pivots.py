"""Pivots mined from the corpus: of word pairs, and of the corpus as a whole."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pivotlens.report import charts
from pivotlens.report.blocks import (
    Block,
    Column,
    Details,
    Heading,
    Line,
    Pair,
    Paragraph,
    Plot,
    Section,
    Table,
    Value,
    Widget,
    Word,
    columns,
    lines,
    prose,
)  # fmt: skip
from pivotlens.report.run_tables import Row, RunTables, has, rows
from pivotlens.report.sections.items import ItemKey, item_key
from pivotlens.report.sections.provenance import details
from pivotlens.report.wording import percent, plural, visible, whole
from pivotlens.text import Direction, fold
from pivotlens.text.function_words import EVERYWHERE, is_function_word
from pivotlens.text.word_lists import bundled_word_lists

PER_PAIR = 5
CORPUS_PIVOTS = 30
STRONGEST = 20
"""Pairs that stand on the page where it has no script."""


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
    details: Mapping[str, Any],
    first: Collection[ItemKey],
    most: int,
    everywhere: Collection[int] = (),
) -> MinedPivots:
    """Build the section from ``mine/pair_pivots`` and ``mine/pivots``.

    Args:
        pair_rows: Rows of pair pivots.
        corpus_rows: Rows of corpus pivots.
        details: What the stage says of the mining as a whole.
        first: Pairs to keep before others: those whose items the page shows.
        most: Most pairs kept.
        everywhere: Token ids that are met so often in the corpus that they count as words of grammar.
    """
    groups: dict[ItemKey, list[Row]] = defaultdict(list)
    for row in pair_rows:
        groups[item_key(row)].append(row)
    # Association is symmetric: the other direction of a pair holds the same pivots.
    once: dict[tuple[frozenset[str], str], ItemKey] = {}
    for key in groups:
        once.setdefault(_unordered(key), key)
    pairs = [_pair(key, groups[key]) for key in once.values()]
    kept = [row for key in once.values() for row in groups[key]]
    wanted = {_unordered(key) for key in first}
    pairs.sort(key=lambda pair: (_unordered((pair.direction, pair.concept_id)) not in wanted, *_strongest_first(pair)))
    corpus = sorted(corpus_rows, key=lambda row: (-row["score"], row["token_id"]))
    return MinedPivots(
        pairs=tuple(sorted(pairs[:most], key=_strongest_first)),
        n_pairs=len(pairs),
        n_pivots=len(kept),
        linked=sum(bool(row["relation"]) for row in kept),
        corpus=tuple(
            CorpusPivot(
                row["token"],
                row["degree"],
                row["degree_shuffled"],
                row["directions"],
                row["stability"],
                row["score"],
                grammar=row["token_id"] in everywhere or is_function_word(row["token"]),
            )
            for row in corpus[:CORPUS_PIVOTS]
        ),
        n_corpus=len(corpus_rows),
        share=details.get("share_with_pivots"),
        share_shuffled=details.get("shuffled_share_with_pivots"),
    )


def mined(run: RunTables, first: Collection[ItemKey], most: int) -> MinedPivots | None:
    """Return the section's data, or None where nothing was mined; see `mined_pivots`."""
    if run.mine is None:
        return None
    corpus = rows(run.mine, "pivots")
    tokens: list[Row] = []
    if run.count is not None and has(run.count, "tokens"):
        counted = run.count.table("tokens")
        wanted = pa.array([row["token_id"] for row in corpus], pa.int64())
        tokens = counted.filter(pc.is_in(counted["token_id"], wanted)).to_pylist()
    everywhere = met_everywhere(corpus, tokens, rows(run.count, "languages"))
    return mined_pivots(rows(run.mine, "pair_pivots"), corpus, run.mine.manifest.details, first, most, everywhere)


def pivots(run: RunTables, found: MinedPivots | None) -> Section | None:
    """Build the section.

    Args:
        run: The run.
        found: As `mined` gives it.
    """
    if run.mine is None or found is None:
        return None
    shuffled = (
        f" Of the pairs, {percent(found.share)} have at least one; of shuffled pairs, which share no meaning, "
        f"{percent(found.share_shuffled)} do."
        if found.share is not None and found.share_shuffled is not None
        else ""
    )
    lede = prose(
        "Tokens that the corpus associates with both words of a pair, found without the model: "
        f"{plural(found.n_pivots, 'pivot')} of {plural(found.n_pairs, 'pair')}.{shuffled} Strength is the smaller of "
        "the two associations' lower bounds."
    )
    every = tuple((name, visible(value)) for name, value in details(run.mine.manifest.details))
    figures = Table("mining", columns(["figure", "value"], []), lines(every), ("All figures of the mining",),
                    unseen=True, kind="plain")  # fmt: skip
    blocks: list[Block] = [Paragraph(lede, "lede"), *_of_corpus(found)]
    if every:
        blocks.append(Details(prose("All figures of the mining"), (figures,)))
    return Section("pivots", "Mined pivots", (*blocks, *_of_pairs(found)))


def _of_corpus(found: MinedPivots) -> list[Block]:
    if not found.corpus:
        return []
    some = f" The first {len(found.corpus)} of {whole(found.n_corpus)}." if found.n_corpus > len(found.corpus) else ""
    lede = prose(
        "The tokens that serve the most pairs of words, against what shuffled pairs give (grey); stable says how often "
        f"both associations stay positive when the corpus is resampled.{some}"
    )
    most = max(each.degree for each in found.corpus)
    table = Table(
        "corpus-pivots",
        (Column("token"), Column("pairs", "plot"), Column("pairs", "number"), Column("shuffled", "number"),
         Column("directions", "number"), Column("stable", "number")),
        lines(
            (
                Word(each.token, kind="token"),
                Plot(charts.plain_bar(each.degree, most, "r-mined")
                     + charts.plain_bar(each.degree_shuffled, most, "r-common")),
                Value(each.degree, "count"), Value(each.degree_shuffled, "short"), Value(each.directions, "count"),
                Value(each.stability, "share"),
            )
            for each in found.corpus
        ),
        prose("Pivots of the whole corpus"), unseen=True,
    )  # fmt: skip
    return [Heading(prose("Pivots of the whole corpus")), Paragraph(lede, "lede"), table]


def _of_pairs(found: MinedPivots) -> list[Block]:
    if not found.pairs:
        return []
    shown = len(found.pairs)
    some = prose(
        f"Shown are {whole(shown)} of {whole(found.n_pairs)} pairs, those of the items above first, with up to "
        f"{PER_PAIR} pivots each."
    )
    note: list[Block] = [Paragraph(some, "note")] if shown < found.n_pairs else []
    strongest = Table(
        "pair-pivots",
        (Column("direction"), Column("pair"), Column("pivot"), Column("strength", "number")),
        tuple(
            Line((Pair(pair.direction), (Word(pair.source_word, pair.direction.source), " → ",
                                         Word(pair.target_word, pair.direction.target)),
                  Word(pair.pivots[0].token, kind="pivot"), Value(pair.pivots[0].strength)))
            for pair in found.pairs[:STRONGEST]
        ),
        prose("The strongest pivots"),
    )  # fmt: skip
    return [Heading(prose("Pivots of pairs")), *note, Widget("pairs", None, (strongest,))]


def met_everywhere(pivots: Sequence[Row], tokens: Iterable[Row], languages: Sequence[Row]) -> frozenset[int]:
    """Return the pivots that are met in the corpus as often as words of grammar, of those that no word list knows.

    Args:
        pivots: Rows of ``mine/pivots``.
        tokens: Rows of ``count/tokens`` of these.
        languages: Rows of ``count/languages``.
    """
    lists = bundled_word_lists()
    unknown = {row["token_id"] for row in pivots if not lists.of(fold(row["token"]).strip())}
    # The share of units that a word is in, if it is met once in a thousand tokens.
    share = {
        row["language"]: 1 - math.exp(-EVERYWHERE * row["tokens_sampled"] / row["units_sampled"])
        for row in languages
        if row["units_sampled"]
    }
    units = {row["language"]: row["units"] for row in languages}
    return frozenset(
        row["token_id"]
        for row in tokens
        if row["token_id"] in unknown
        and (language := row["document_language"]) in share
        and row["df"] > share[language] * units[language]
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
