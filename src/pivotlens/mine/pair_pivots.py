"""The pivots of word pairs: tokens associated with both words, apart from units that hold both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pivotlens.arrays import Booleans, Floats, Integers
from pivotlens.mine.associations import Associations
from pivotlens.mine.shuffled_pairs import Measure, StrengthNull
from pivotlens.statistics.multiple_testing import benjamini_hochberg


@dataclass(frozen=True)
class Candidates:
    """Token words that go with both words of a pair; entries of both sides belong together.

    Attributes:
        first: Associations with the first word.
        second: Associations with the second word.
        tested: Token words that both words share often enough, whatever the sign of their association.
    """

    first: Associations
    second: Associations
    tested: int

    @property
    def p_value(self) -> Floats:
        """The worse of the two p-values, shape ``(token words,)``."""
        return np.maximum(self.first.p_value, self.second.p_value)

    def at(self, places: Integers | Booleans) -> Candidates:
        """Return the same with only some of the token words."""
        return Candidates(self.first.at(places), self.second.at(places), self.tested)


@dataclass(frozen=True)
class PairPivots:
    """The pivots of one pair, best first; arrays are of shape ``(pivots,)``.

    Attributes:
        candidates: Their associations.
        strength: The smaller of the two sides' measures.
        q_value: False discovery rate among all candidates of the run.
        null_share: Share of shuffled pairs in which the same token is at least as strong.
        stability: Share of parametric bootstrap resamples of the pair in which both NPMIs are positive.
    """

    candidates: Candidates
    strength: Floats
    q_value: Floats
    null_share: Floats
    stability: Floats

    def without(self, tokens: Integers) -> PairPivots:
        """Return the same without some token words."""
        kept = ~np.isin(self.candidates.first.tokens, tokens)
        return PairPivots(
            self.candidates.at(kept), self.strength[kept], self.q_value[kept], self.null_share[kept],
            self.stability[kept],
        )  # fmt: skip


def pair_candidates(first: Associations, second: Associations, forms: Integers, max_p: float) -> Candidates:
    """Return the token words positively associated with both words.

    Args:
        first: The first word's associations, in units without the second.
        second: The second word's, in units without the first.
        forms: Token words that are forms of either, upwards: never candidates.
        max_p: Candidates with a worse p-value are counted as tested and left out; a q-value is never below its p.
    """
    _, left, right = np.intersect1d(first.tokens, second.tokens, assume_unique=True, return_indices=True)
    free = ~np.isin(first.tokens[left], forms)
    left, right = left[free], right[free]
    positive = (first.npmi[left] > 0) & (second.npmi[right] > 0)
    small = np.maximum(first.p_value[left], second.p_value[right]) <= max_p
    kept = positive & small
    return Candidates(first.at(left[kept]), second.at(right[kept]), int(left.size))


def strengths(candidates: Candidates, measure: Measure) -> Floats:
    """Return the strength of each candidate: the weaker of its two sides."""
    return np.minimum(measure(candidates.first), measure(candidates.second))


def strongest(tokens: Integers, strength: Floats, top: int) -> Integers:
    """Return the places of the strongest, best first; equal ones in the order of their text."""
    return np.lexsort((tokens, -strength))[:top].astype(np.int64)


@dataclass(frozen=True)
class Discoveries:
    """Candidates of a pair that pass the false discovery rate, with their q-values of shape ``(token words,)``."""

    candidates: Candidates
    q_value: Floats


def discoveries(candidates: Sequence[Candidates], max_q: float | None) -> tuple[list[Discoveries], float]:
    """Apply the false discovery rate to the candidates of all pairs together.

    Args:
        candidates: Of each pair of the run.
        max_q: False discovery rate; None keeps all.

    Returns:
        The discoveries of each pair, and the largest p-value among them all: 1 where nothing is filtered, −1 where
        nothing was discovered.
    """
    sizes = [pair.p_value.size for pair in candidates]
    p_values = np.concatenate([np.zeros(0), *(pair.p_value for pair in candidates)])
    q_values = benjamini_hochberg(p_values, sum(pair.tested for pair in candidates))
    found = np.ones(q_values.size, dtype=bool) if max_q is None else q_values <= max_q
    largest = 1.0 if max_q is None else float(p_values[found].max(initial=-1.0))
    ends = np.cumsum([0, *sizes])
    return [
        Discoveries(pair.at(found[low:high]), q_values[low:high][found[low:high]])
        for pair, low, high in zip(candidates, ends[:-1], ends[1:], strict=True)
    ], largest


def pair_pivots(
    found: Discoveries, null: StrengthNull, max_null: float | None, top: int, measure: Measure
) -> PairPivots:
    """Keep the pivots of one pair.

    Args:
        found: Its discoveries.
        null: Strengths in shuffled pairs of the same languages.
        max_null: Largest share of shuffled pairs in which a token may be as strong: what goes with any word, such as
            an article, is no pivot of this pair. None keeps all.
        top: Pivots kept.
        measure: What pivots are ranked by.
    """
    chosen, q = found.candidates, found.q_value
    strength = strengths(chosen, measure)
    null_share = null.share_at_least(chosen.first.tokens, strength)
    if max_null is not None:
        specific = null_share <= max_null
        chosen, q, strength, null_share = chosen.at(specific), q[specific], strength[specific], null_share[specific]
    order = strongest(chosen.first.tokens, strength, top)
    best = chosen.at(order)
    stability = best.first.positive_shares() * best.second.positive_shares()
    return PairPivots(best, strength[order], q[order], null_share[order], stability)
