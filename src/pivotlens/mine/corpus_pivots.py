"""The pivots of the whole corpus: tokens that link many pairs, beyond what shuffled pairs give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pivotlens.mine.associations import Associations
from pivotlens.mine.pair_pivots import PairPivots, strongest
from pivotlens.progress import track

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
LanguagePair = tuple[str, str]


@dataclass(frozen=True)
class MeasuredWord:
    """A benchmark word with its significant positive associations.

    Attributes:
        tokens: Token words, upwards.
        value: What their strength is made of, shape ``(tokens,)``.
        forms: Token words that are forms of the word.
    """

    tokens: Integers
    value: Floats
    forms: Integers

    @classmethod
    def of(cls, found: Associations, forms: Integers, max_p: float, paper: bool) -> MeasuredWord:
        """Keep what a pair's pivots may be taken from.

        Args:
            found: The word's associations in all of its units.
            forms: Its forms.
            max_p: Largest p-value of a discovery in the real pairs.
            paper: Take the paper's measure.
        """
        kept = found.at((found.npmi > 0) & (found.p_value <= max_p))
        return cls(kept.tokens, kept.excess() if paper else kept.lower_bounds(), forms)


@dataclass(frozen=True)
class Shuffled:
    """What pairs of words of different concepts give under the same rule.

    Attributes:
        degree: Mean number of pairs in which each token word is a pivot, shape ``(token words,)``.
        pairs: Shuffled pairs looked at.
        with_pivots: Those with any pivot.
    """

    degree: Floats
    pairs: int
    with_pivots: int

    @property
    def share_with_pivots(self) -> float | None:
        """Share of the shuffled pairs with any pivot; None where there were none."""
        return self.with_pivots / self.pairs if self.pairs else None


def shuffled_partners(concepts: int, shuffles: int, seed: int) -> Iterator[Integers]:
    """Yield, for each shuffle, another concept for each: a permutation without fixed points, shape ``(concepts,)``.

    Each is one random cycle through all concepts. Nothing is yielded for fewer than two.
    """
    if concepts < 2:
        return
    for shuffle in range(shuffles):
        cycle = np.random.default_rng([seed, shuffle]).permutation(concepts)
        partners = np.empty(concepts, dtype=np.int64)
        partners[cycle] = np.roll(cycle, 1)
        yield partners


def shuffled_pair_pivots(first: MeasuredWord, second: MeasuredWord, top: int) -> Integers:
    """Return the pivots that the rule gives for a pair of words of different concepts."""
    tokens, left, right = np.intersect1d(first.tokens, second.tokens, assume_unique=True, return_indices=True)
    free = ~(np.isin(tokens, first.forms) | np.isin(tokens, second.forms))
    strength = np.minimum(first.value[left], second.value[right])[free]
    return np.asarray(tokens[free][strongest(tokens[free], strength, top)], dtype=np.int64)


def shuffled_degrees(
    words: Mapping[str, Sequence[MeasuredWord | None]],
    pairs: Sequence[LanguagePair],
    partners: Sequence[Integers],
    token_words: int,
    top: int,
) -> Shuffled:
    """Count how often each token word is a pivot between words of different concepts.

    Units that hold both words are not taken out, since they are counted for words of one concept only; words of
    different concepts that often occur together make this null a strict one.

    Args:
        words: Measured words of each language, in the same order of concepts; None where the word does not occur.
        pairs: Language pairs.
        partners: For each shuffle, the concept whose word stands at the other side.
        token_words: Number of token words.
        top: Pivots kept a pair.
    """
    degree = np.zeros(token_words)
    looked_at = with_pivots = 0
    for other in track(partners, "Shuffling pairs", len(partners)):
        for first_language, second_language in pairs:
            for concept, partner in enumerate(other.tolist()):
                first, second = words[first_language][concept], words[second_language][partner]
                if first is None or second is None:
                    continue
                pivots = shuffled_pair_pivots(first, second, top)
                degree[pivots] += 1
                looked_at += 1
                with_pivots += bool(pivots.size)
    return Shuffled(degree / max(len(partners), 1), looked_at, with_pivots)


@dataclass(frozen=True)
class CorpusPivots:
    """Corpus pivots, best first; arrays are of shape ``(pivots,)``.

    Attributes:
        tokens: Token words.
        degree: Concept and unordered language pairs for which each is a pivot.
        degree_shuffled: The same for shuffled pairs, mean over the shuffles.
        directions: Unordered language pairs among them.
        stability: Mean over its pairs of the share of parametric bootstrap resamples in which both NPMIs are positive.
        score: ``max(degree − degree_shuffled, 0) · stability``.
    """

    tokens: Integers
    degree: Integers
    degree_shuffled: Floats
    directions: Integers
    stability: Floats
    score: Floats


def corpus_pivots(mined: Sequence[tuple[LanguagePair, PairPivots]], shuffled: Floats) -> CorpusPivots:
    """Gather the pivots of all pairs.

    Args:
        mined: Language pair and pivots of each pair mined.
        shuffled: Mean degree of each token word among shuffled pairs, shape ``(token words,)``.
    """
    degree = np.zeros(shuffled.size, dtype=np.int64)
    stability = np.zeros(shuffled.size)
    directions = np.zeros(shuffled.size, dtype=np.int64)
    seen: dict[LanguagePair, npt.NDArray[np.bool_]] = {}
    for languages, pivots in mined:
        tokens = pivots.candidates.first.tokens
        degree[tokens] += 1
        stability[tokens] += pivots.stability
        seen.setdefault(languages, np.zeros(shuffled.size, dtype=bool))[tokens] = True
    for there in seen.values():
        directions += there
    found = np.flatnonzero(degree)
    mean_stability = stability[found] / degree[found]
    score = np.maximum(degree[found] - shuffled[found], 0.0) * mean_stability
    order = np.lexsort((found, -degree[found], -score))
    found = found[order]
    return CorpusPivots(
        tokens=found,
        degree=degree[found],
        degree_shuffled=shuffled[found],
        directions=directions[found],
        stability=mean_stability[order],
        score=score[order],
    )
