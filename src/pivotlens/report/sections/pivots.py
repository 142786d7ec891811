"""Pivots mined from the corpus: of word pairs, and of the corpus as a whole."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from markupsafe import Markup

from pivotlens.report import blocks as b
from pivotlens.report import charts
from pivotlens.report.run_tables import Row, RunTables, rows
from pivotlens.report.sections import parts as p
from pivotlens.report.sections.items import ItemKey, item_key
from pivotlens.report.sections.provenance import details
from pivotlens.report.wording import percent, plural, visible, whole
from pivotlens.text import Direction

PER_PAIR = 5
CORPUS_PIVOTS = 30
STRONGEST = 20
"""Pairs that stand on the page where it has no script."""


@dataclass(frozen=True)
class PairPivots:
    """A word pair with its strongest pivots, rows of ``mine/pair_pivots``, and how many were found."""

    direction: Direction
    concept_id: str
    source_word: str
    target_word: str
    found: int
    pivots: tuple[Row, ...]


@dataclass(frozen=True)
class MinedPivots:
    """The section.

    Attributes:
        pairs: Pairs shown, strongest first; a pair mined for both directions is there once.
        summary: The row of ``mine/summary``.
        corpus: Rows of ``mine/pivots``, the best first.
        grammar: Ids of tokens that go with everything, so that they are not named as findings.
    """

    pairs: tuple[PairPivots, ...]
    summary: Row
    corpus: tuple[Row, ...]
    grammar: Collection[int]

    @property
    def shares(self) -> tuple[float, float] | None:
        """Shares of the mined pairs and of shuffled ones that have a pivot; None where the stage does not say."""
        found, shuffled = self.summary["share_with_pivots"], self.summary["share_with_pivots_shuffled"]
        return None if found is None or shuffled is None else (found, shuffled)

    def by_item(self) -> dict[ItemKey, tuple[Row, ...]]:
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
    # Association is symmetric: the other direction of a pair holds the same pivots.
    once: dict[tuple[frozenset[str], str], PairPivots] = {}
    for key, found in p.by(rows(run.mine, "pair_pivots"), item_key).items():
        once.setdefault(_unordered(key), _pair(key, found))
    wanted = {_unordered(key) for key in first}
    kept = sorted(once, key=lambda key: (key not in wanted, *_strongest_first(once[key])))[:most]
    corpus = sorted(rows(run.mine, "pivots"), key=lambda row: (-row["score"], row["token_id"]))
    return MinedPivots(
        pairs=tuple(sorted((once[key] for key in kept), key=_strongest_first)),
        summary=summary[0],
        corpus=tuple(corpus[:CORPUS_PIVOTS]),
        grammar={row["token_id"] for row in rows(run.mine, "grammar")},
    )


def _unordered(key: ItemKey) -> tuple[frozenset[str], str]:
    return frozenset(key[0]), key[1]


def _strongest_first(pair: PairPivots) -> tuple[float, Direction, str]:
    return -pair.pivots[0]["strength"], pair.direction, pair.concept_id


def _pair(key: ItemKey, found: list[Row]) -> PairPivots:
    best = sorted(found, key=lambda row: (-row["strength"], row["token_id"]))
    return PairPivots(*key, best[0]["source_word"], best[0]["target_word"], len(best), tuple(best[:PER_PAIR]))


def pivots(run: RunTables, found: MinedPivots | None) -> b.Section | None:
    """Build the section.

    Args:
        run: The run.
        found: As `mined_pivots` gives it.
    """
    if run.mine is None or found is None:
        return None
    shuffled = (
        f" Of the pairs, {percent(found.shares[0])} have at least one; of shuffled pairs, which share no meaning, "
        f"{percent(found.shares[1])} do."
        if found.shares
        else ""
    )
    said = p.lede(
        "Tokens that the corpus associates with both words of a pair, found without the model: "
        f"{plural(found.summary['pair_pivots'], 'pivot')} of {plural(found.summary['pairs'], 'pair')}.{shuffled} "
        "Strength is the smaller of the two associations' lower bounds."
    )
    title, every = "All figures of the mining", list(details(run.mine.manifest.details))
    fields = (p.text("figure", lambda one: one[0]), p.text("value", lambda one: visible(one[1])))
    figures = p.folded(title, p.table("mining", (title,), every, fields, unseen=True, kind="plain"))
    return b.Section("pivots", "Mined pivots", (said, *_of_corpus(found), *figures, *_of_pairs(found)))


def _of_corpus(found: MinedPivots) -> list[b.Block]:
    if not found.corpus:
        return []
    n, shown = found.summary["corpus_pivots"], len(found.corpus)
    some = f" The first {shown} of {whole(n)}." if n > shown else ""
    most = max(row["degree"] for row in found.corpus)

    def draw(row: Row) -> Markup:
        shuffled = charts.plain_bar(row["degree_shuffled"], most, "r-common")
        return charts.plain_bar(row["degree"], most, "r-mined") + shuffled

    fields = (
        p.text("token", lambda row: b.Word(row["token"], kind="token")), p.plot("pairs", draw),
        p.value("pairs", "degree", "count"), p.value("shuffled", "degree_shuffled", "short"),
        p.value("language pairs", "language_pairs", "count"), p.value("stable", "stability", "share"),
    )  # fmt: skip
    title = "Pivots of the whole corpus"
    said = p.lede(
        "The tokens that serve the most pairs of words, against what shuffled pairs give (grey); stable says how often "
        f"both associations stay positive when the corpus is resampled.{some}"
    )
    return [p.heading(title), said, p.table("corpus-pivots", title, found.corpus, fields, unseen=True)]


def _of_pairs(found: MinedPivots) -> list[b.Block]:
    if not found.pairs:
        return []
    shown, n = len(found.pairs), found.summary["pairs"]
    some = p.note(
        f"Shown are {whole(shown)} of {whole(n)} pairs, those of the items above first, with up to {PER_PAIR} pivots "
        "each."
    )

    def words(pair: PairPivots) -> b.Cell:
        source, target = pair.direction
        return b.Word(pair.source_word, source), " → ", b.Word(pair.target_word, target)

    fields = (
        p.text("direction", lambda pair: b.Pair(pair.direction)), p.text("pair", words),
        p.text("pivot", lambda pair: b.Word(pair.pivots[0]["token"], kind="pivot")),
        p.number("strength", lambda pair: b.Value(pair.pivots[0]["strength"])),
    )  # fmt: skip
    strongest = p.table("pair-pivots", "The strongest pivots", found.pairs[:STRONGEST], fields)
    return [p.heading("Pivots of pairs"), *([some] if shown < n else []), b.Widget("pairs", None, (strongest,))]
