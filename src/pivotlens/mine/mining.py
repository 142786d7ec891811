"""Mining pivots from counts alone: pairs, shuffled pairs, corpus."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from pivotlens.arrays import Integers
from pivotlens.artifacts import Concept
from pivotlens.mine.associations import Associations, Background, WordUnits, associate, in_one
from pivotlens.mine.config import TESTED, MineConfig
from pivotlens.mine.corpus_counts import CorpusCounts, Word
from pivotlens.mine.corpus_pivots import CorpusPivots, corpus_pivots
from pivotlens.mine.pair_pivots import Candidates, PairPivots, discoveries, pair_candidates, pair_pivots
from pivotlens.mine.shuffled_pairs import (
    LanguagePair,
    Measure,
    MeasuredWord,
    Shuffled,
    shuffled_degrees,
    shuffled_partners,
    strength_nulls,
)
from pivotlens.progress import track

_WORDS_HELD = 64

_MEASURES: Mapping[str, Measure] = {
    "npmi": Associations.lower_bounds,
    "pooled": Associations.lower_bounds,
    "paper": Associations.excess,
    "pmi": Associations.pmi,
}


@dataclass(frozen=True)
class MinedPair:
    """A concept in two languages, and its pivots; the first side of the pivots is the first language."""

    concept: Concept
    languages: LanguagePair
    pivots: PairPivots


@dataclass(frozen=True)
class Mined:
    """Everything mined.

    Attributes:
        pairs: Pairs of which both words occur in the corpus.
        left_out: How many pivots of pairs, and tokens among them, were left out as forms of words of other parts.
        absent: Pairs of which a word does not.
        tested: Candidates tested over all pairs.
        corpus: Corpus pivots.
        shuffled: What shuffled pairs give.
        unlimited: Language pairs with too few shuffled pairs for the limit on ``null_share``.
    """

    pairs: tuple[MinedPair, ...]
    left_out: tuple[int, int]
    absent: int
    tested: int
    corpus: CorpusPivots
    shuffled: Shuffled
    unlimited: tuple[LanguagePair, ...]

    @property
    def with_pivots(self) -> int:
        """Pairs with at least one pivot."""
        return sum(pair.pivots.strength.size > 0 for pair in self.pairs)

    @property
    def share_with_pivots(self) -> float | None:
        """Their share of the pairs mined; None where there are none."""
        return self.with_pivots / len(self.pairs) if self.pairs else None


def mine_corpus(
    counts: CorpusCounts,
    concepts: Sequence[Concept],
    pairs: Sequence[LanguagePair],
    config: MineConfig,
    words_of_other_parts: Collection[str] = (),
) -> Mined:
    """Mine the pivots of every concept in every language pair, and of the corpus (docs/method.md#mining-pivots).

    Args:
        counts: The corpus.
        concepts: Concepts with words in all languages of the pairs.
        pairs: Unordered language pairs.
        config: Thresholds, mode and seed.
        words_of_other_parts: Words whose forms are no pivots, though all is tested and ranked with them.
    """
    miner = _Miner(counts, config)
    wanted = [(concept, languages) for concept in concepts for languages in pairs]
    present = [item for item in wanted if all(counts.has((code, item[0].words[code])) for code in item[1])]
    candidates = [
        miner.candidates(concept, languages) for concept, languages in track(present, "Mining pairs", len(present))
    ]
    tested = config.mode in TESTED
    found, largest_p = discoveries(candidates, config.max_q if tested else None)
    languages_used = dict.fromkeys(code for languages in pairs for code in languages)
    measured = {code: [miner.measured(concept, code, largest_p) for concept in concepts] for code in languages_used}
    partners = list(shuffled_partners(len(concepts), config.shuffles, config.seed))
    nulls = strength_nulls(measured, pairs, partners)
    # With too few shuffled pairs of its languages no share could be small enough.
    limits = {
        languages: config.max_null if tested and 1 / (1 + null.pairs) <= config.max_null else None
        for languages, null in nulls.items()
    }
    pivots = [
        pair_pivots(of_pair, nulls[languages], limits[languages], config.top, _MEASURES[config.mode])
        for (_, languages), of_pair in zip(present, found, strict=True)
    ]
    other = counts.tokens.inflections(words_of_other_parts)
    others = [of_pair.candidates.first.tokens[np.isin(of_pair.candidates.first.tokens, other)] for of_pair in pivots]
    left_out = np.concatenate([np.zeros(0, dtype=np.int64), *others])
    pivots = [of_pair.without(other) for of_pair in pivots]
    shuffled = shuffled_degrees(nulls, limits, config.top, len(partners), len(counts.tokens.texts))
    return Mined(
        pairs=tuple(MinedPair(*item, kept) for item, kept in zip(present, pivots, strict=True)),
        left_out=(int(left_out.size), int(np.unique(left_out).size)),
        absent=len(wanted) - len(present),
        tested=sum(pair.tested for pair in candidates),
        corpus=corpus_pivots(
            [(languages, kept) for (_, languages), kept in zip(present, pivots, strict=True)], shuffled.degree
        ),
        shuffled=shuffled,
        unlimited=tuple(
            languages
            for languages in dict.fromkeys(languages for _, languages in present)
            if tested and limits[languages] is None and nulls[languages].pairs
        ),
    )


def _expectations(backgrounds: Mapping[str, Background], mode: str) -> Mapping[str, Background]:
    """Return what the units of each language's words are compared with."""
    if mode == "pooled":
        return dict.fromkeys(backgrounds, in_one(backgrounds.values())) if backgrounds else {}
    return backgrounds if mode == "npmi" else {code: in_one([one]) for code, one in backgrounds.items()}


class _Miner:
    """Associations and forms of words, each computed once."""

    def __init__(self, counts: CorpusCounts, config: MineConfig) -> None:
        self.counts = counts
        self.config = config
        self._expectations = _expectations(counts.backgrounds, config.mode)
        # Of a concept's words, which all of its pairs ask for; of all words they would be most of the memory.
        self._complete = lru_cache(_WORDS_HELD)(lambda word: self._associate(word, self.counts.word_units(word)))

    def _associate(self, word: Word, units: WordUnits) -> Associations:
        found = associate(units, self._expectations[word[0]], self.config.min_df)
        return found.at(~np.isin(found.tokens, self._copied(word))) if self.config.mode in TESTED else found

    def _copied(self, word: Word) -> Integers:
        """Return the token words, upwards, that go with a word in units that are copies of one another."""
        units = self.counts.word_units(word)
        return units.tokens[self.counts.likeness(word[0]).beside(units) > self.config.max_likeness]

    def complete(self, word: Word) -> Associations:
        """Return the associations of a word in all of its units."""
        return self._complete(word)

    def without(self, word: Word, other: Word) -> Associations:
        """Return the associations of a word in its units without another word."""
        if (word, other) not in self.counts.shared_strata:
            return self.complete(word)
        return self._associate(word, self.counts.units_without(word, other))

    def candidates(self, concept: Concept, languages: LanguagePair) -> Candidates:
        """Return the candidates of a concept's pair."""
        first, second = ((code, concept.words[code]) for code in languages)
        tokens = self.counts.tokens
        forms = np.union1d(*(tokens.forms(concept.accepted[code], code) for code in languages))
        max_p = self.config.max_q if self.config.mode in TESTED else 1.0
        return pair_candidates(self.without(first, second), self.without(second, first), forms, max_p)

    def measured(self, concept: Concept, language: str, max_p: float) -> MeasuredWord | None:
        """Return a word as the shuffled pairs need it, or None where it does not occur."""
        word = (language, concept.words[language])
        if not self.counts.has(word):
            return None
        forms = self.counts.tokens.forms(concept.accepted[language], language)
        return MeasuredWord.of(self.complete(word), forms, max_p, _MEASURES[self.config.mode])
