"""The pivots of the whole corpus: tokens that link many pairs, beyond what shuffled pairs give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pivotlens.arrays import Booleans, Floats, Integers
from pivotlens.mine.pair_pivots import PairPivots
from pivotlens.mine.shuffled_pairs import LanguagePair


@dataclass(frozen=True)
class CorpusPivots:
    """Corpus pivots, best first; arrays are of shape ``(pivots,)``.

    Attributes:
        tokens: Token words.
        degree: Concept and unordered language pairs for which each is a pivot.
        degree_shuffled: The same for shuffled pairs, mean over the shuffles.
        language_pairs: Unordered language pairs among them.
        stability: Mean over its pairs of the share of parametric bootstrap resamples in which both NPMIs are positive.
        score: ``max(degree − degree_shuffled, 0) / √(degree_shuffled + 1) · stability``.
    """

    tokens: Integers
    degree: Integers
    degree_shuffled: Floats
    language_pairs: Integers
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
    language_pairs = np.zeros(shuffled.size, dtype=np.int64)
    seen: dict[LanguagePair, Booleans] = {}
    for languages, pivots in mined:
        tokens = pivots.candidates.first.tokens
        degree[tokens] += 1
        stability[tokens] += pivots.stability
        seen.setdefault(languages, np.zeros(shuffled.size, dtype=bool))[tokens] = True
    for there in seen.values():
        language_pairs += there
    found = np.flatnonzero(degree)
    mean_stability = stability[found] / degree[found]
    # In standard deviations of a Poisson count, and one more: what links any words at all has a large one.
    score = np.maximum(degree[found] - shuffled[found], 0.0) / np.sqrt(shuffled[found] + 1.0) * mean_stability
    order = np.lexsort((found, -degree[found], -score))
    found = found[order]
    return CorpusPivots(
        tokens=found,
        degree=degree[found],
        degree_shuffled=shuffled[found],
        language_pairs=language_pairs[found],
        stability=mean_stability[order],
        score=score[order],
    )
