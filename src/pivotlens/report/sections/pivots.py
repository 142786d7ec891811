"""Pivots mined from the corpus: of word pairs, and of the corpus as a whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from pivotlens.report import blocks as b
from pivotlens.report import charts
from pivotlens.report.run_tables import Row, RunTables, rows
from pivotlens.report.sections.items import ItemKey, item_key
from pivotlens.report.sections.provenance import details
from pivotlens.report.wording import percent, plural, visible, whole
from pivotlens.text import Direction

PER_PAIR = 5
CORPUS_PIVOTS = 30
_CORPUS_COLUMNS = ("token", "degree", "degree_shuffled", "language_pairs", "stability", "score")
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
    language_pairs: int
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


def mined_pivots(run: RunTables, first: Collection[ItemKey], most: int) -> MinedPivots | None:
    """Return the section's data; None where the stage says nothing of the mining as a whole.

    Args:
        run: The run: ``mine/pair_pivots``, ``pivots``, ``summary`` and ``grammar`` are read.
        first: Pairs to keep before others: those whose items the page shows.
        most: Most pairs kept.
    """
    summary = rows(run.mine, "summary")
    if not summary:
        return None
    (whole_,) = summary
    of_grammar = {row["token_id"] for row in rows(run.mine, "grammar")}
    groups: dict[ItemKey, list[Row]] = defaultdict(list)
    for row in rows(run.mine, "pair_pivots"):
        groups[item_key(row)].append(row)
    # Association is symmetric: the other direction of a pair holds the same pivots.
    once: dict[tuple[frozenset[str], str], ItemKey] = {}
    for key in groups:
        once.setdefault(_unordered(key), key)
    pairs = [_pair(key, groups[key]) for key in once.values()]
    wanted = {_unordered(key) for key in first}
    pairs.sort(key=lambda pair: (_unordered((pair.direction, pair.concept_id)) not in wanted, *_strongest_first(pair)))
    corpus = sorted(rows(run.mine, "pivots"), key=lambda row: (-row["score"], row["token_id"]))
    return MinedPivots(
        pairs=tuple(sorted(pairs[:most], key=_strongest_first)),
        n_pairs=whole_["pairs"],
        n_pivots=whole_["pair_pivots"],
        linked=whole_["linked"],
        corpus=tuple(
            CorpusPivot(**{name: row[name] for name in _CORPUS_COLUMNS}, grammar=row["token_id"] in of_grammar)
            for row in corpus[:CORPUS_PIVOTS]
        ),
        n_corpus=whole_["corpus_pivots"],
        share=whole_["share_with_pivots"],
        share_shuffled=whole_["share_with_pivots_shuffled"],
    )


def pivots(run: RunTables, found: MinedPivots | None) -> b.Section | None:
    """Build the section.

    Args:
        run: The run.
        found: As `mined_pivots` gives it.
    """
    if run.mine is None or found is None:
        return None
    shuffled = (
        f" Of the pairs, {percent(found.share)} have at least one; of shuffled pairs, which share no meaning, "
        f"{percent(found.share_shuffled)} do."
        if found.share is not None and found.share_shuffled is not None
        else ""
    )
    lede = b.prose(
        "Tokens that the corpus associates with both words of a pair, found without the model: "
        f"{plural(found.n_pivots, 'pivot')} of {plural(found.n_pairs, 'pair')}.{shuffled} Strength is the smaller of "
        "the two associations' lower bounds."
    )
    every = tuple((name, visible(value)) for name, value in details(run.mine.manifest.details))
    figures = b.Table("mining", b.columns(["figure", "value"], []), b.lines(every), ("All figures of the mining",),
                    unseen=True, kind="plain")  # fmt: skip
    blocks: list[b.Block] = [b.Paragraph(lede, "lede"), *_of_corpus(found)]
    if every:
        blocks.append(b.Details(b.prose("All figures of the mining"), (figures,)))
    return b.Section("pivots", "Mined pivots", (*blocks, *_of_pairs(found)))


def _of_corpus(found: MinedPivots) -> list[b.Block]:
    if not found.corpus:
        return []
    some = f" The first {len(found.corpus)} of {whole(found.n_corpus)}." if found.n_corpus > len(found.corpus) else ""
    lede = b.prose(
        "The tokens that serve the most pairs of words, against what shuffled pairs give (grey); stable says how often "
        f"both associations stay positive when the corpus is resampled.{some}"
    )
    most = max(each.degree for each in found.corpus)
    table = b.Table(
        "corpus-pivots",
        (b.Column("token"), b.Column("pairs", "plot"), b.Column("pairs", "number"), b.Column("shuffled", "number"),
         b.Column("language pairs", "number"), b.Column("stable", "number")),
        b.lines(
            (
                b.Word(each.token, kind="token"),
                b.Plot(charts.plain_bar(each.degree, most, "r-mined")
                     + charts.plain_bar(each.degree_shuffled, most, "r-common")),
                b.Value(each.degree, "count"), b.Value(each.degree_shuffled, "short"),
                b.Value(each.language_pairs, "count"),
                b.Value(each.stability, "share"),
            )
            for each in found.corpus
        ),
        b.prose("Pivots of the whole corpus"), unseen=True,
    )  # fmt: skip
    return [b.Heading(b.prose("Pivots of the whole corpus")), b.Paragraph(lede, "lede"), table]


def _of_pairs(found: MinedPivots) -> list[b.Block]:
    if not found.pairs:
        return []
    shown = len(found.pairs)
    some = b.prose(
        f"Shown are {whole(shown)} of {whole(found.n_pairs)} pairs, those of the items above first, with up to "
        f"{PER_PAIR} pivots each."
    )
    note: list[b.Block] = [b.Paragraph(some, "note")] if shown < found.n_pairs else []
    strongest = b.Table(
        "pair-pivots",
        (b.Column("direction"), b.Column("pair"), b.Column("pivot"), b.Column("strength", "number")),
        tuple(
            b.Line((b.Pair(pair.direction), (b.Word(pair.source_word, pair.direction.source), " → ",
                                         b.Word(pair.target_word, pair.direction.target)),
                  b.Word(pair.pivots[0].token, kind="pivot"), b.Value(pair.pivots[0].strength)))
            for pair in found.pairs[:STRONGEST]
        ),
        b.prose("The strongest pivots"),
    )  # fmt: skip
    return [b.Heading(b.prose("Pivots of pairs")), *note, b.Widget("pairs", None, (strongest,))]


def _unordered(key: ItemKey) -> tuple[frozenset[str], str]:
    return frozenset(key[0]), key[1]


def _strongest_first(pair: PairPivots) -> tuple[float, Direction, str]:
    return -pair.pivots[0].strength, pair.direction, pair.concept_id


def _pair(key: ItemKey, rows: list[Row]) -> PairPivots:
    rows = sorted(rows, key=lambda row: (-row["strength"], row["token_id"]))
    kept = ({**row, "relation": row["relation"] or ""} for row in rows[:PER_PAIR])
    pivots = tuple(MinedPivot(**{name: row[name] for name in MinedPivot.__dataclass_fields__}) for row in kept)
    return PairPivots(key[0], key[1], rows[0]["source_word"], rows[0]["target_word"], len(rows), pivots)
