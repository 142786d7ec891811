"""Pairs of words of different concepts: what the rule gives where there is no pivot to be found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pivotlens.arrays import Floats, Integers
from pivotlens.mine.associations import Associations
from pivotlens.progress import track

LanguagePair = tuple[str, str]
Measure = Callable[[Associations], Floats]
"""What the strength of a pivot is made of, for one of its words."""


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
    def of(cls, found: Associations, forms: Integers, max_p: float, measure: Measure) -> MeasuredWord:
        """Keep what a pair's pivots may be taken from.

        Args:
            found: The word's associations in all of its units.
            forms: Its forms.
            max_p: Largest p-value of a discovery in the real pairs.
            measure: What strength is made of.
        """
        kept = found.at((found.npmi > 0) & (found.p_value <= max_p))
        return cls(kept.tokens, measure(kept), forms)


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


@dataclass(frozen=True)
class StrengthNull:
    """How strong each token word is between words of different concepts, in one language pair.

    Entries are ordered by token word, then strength; shape ``(entries,)``.

    Attributes:
        tokens: Token words.
        strength: Their strength in a shuffled pair.
        pair: Which shuffled pair, counted from 0.
        pairs: Shuffled pairs looked at.
    """

    tokens: Integers
    strength: Floats
    pair: Integers
    pairs: int

    def share_at_least(self, tokens: Integers, strength: Floats) -> Floats:
        """Return, for each token word, the share of shuffled pairs in which it is at least so strong.

        The usual ``(1 + count) / (1 + pairs)``, so that no share is 0; shape of ``tokens``.
        """
        begin = np.searchsorted(self.tokens, tokens, side="left")
        end = np.searchsorted(self.tokens, tokens, side="right")
        weaker = [
            np.searchsorted(self.strength[first:last], value, side="left")
            for first, last, value in zip(begin.tolist(), end.tolist(), strength.tolist(), strict=True)
        ]
        return np.asarray((1 + end - begin - np.array(weaker, dtype=np.int64)) / (1 + self.pairs), dtype=np.float64)

    def kept(self, max_null: float | None, top: int) -> tuple[Integers, Integers]:
        """Return the entries that the rule keeps in the shuffled pairs themselves.

        Args:
            max_null: Largest share of shuffled pairs in which a token word may be as strong; None keeps all.
            top: Pivots kept a pair.

        Returns:
            Token word and shuffled pair of each entry kept.
        """
        chosen = np.arange(self.tokens.size)
        if max_null is not None:
            # Entries are ordered by this key; those of equal strength have the same, and count as at least as strong.
            _, level = np.unique(self.strength, return_inverse=True)
            key = self.tokens * level.size + level
            at_least = np.searchsorted(self.tokens, self.tokens, side="right") - np.searchsorted(key, key)
            chosen = np.flatnonzero(at_least / self.pairs <= max_null)
        order = np.lexsort((self.tokens[chosen], -self.strength[chosen], self.pair[chosen]))
        chosen = chosen[order]
        pair = self.pair[chosen]
        begin = np.searchsorted(pair, pair, side="left")
        best = np.arange(chosen.size) - begin < top
        return self.tokens[chosen[best]], pair[best]


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


def shuffled_strengths(first: MeasuredWord, second: MeasuredWord) -> tuple[Integers, Floats]:
    """Return the token words associated with both words of different concepts, and their strength."""
    tokens, left, right = np.intersect1d(first.tokens, second.tokens, assume_unique=True, return_indices=True)
    free = ~(np.isin(tokens, first.forms) | np.isin(tokens, second.forms))
    return tokens[free].astype(np.int64), np.minimum(first.value[left], second.value[right])[free]


def strength_null(
    first: Sequence[MeasuredWord | None], second: Sequence[MeasuredWord | None], partners: Sequence[Integers]
) -> StrengthNull:
    """Gather the strengths of one language pair.

    Units that hold both words are not taken out, since they are counted for words of one concept only; words of
    different concepts that often occur together make this null a strict one.

    Args:
        first: Measured words of the first language, by concept; None where the word does not occur.
        second: Of the second language, in the same order.
        partners: For each shuffle, the concept whose word stands at the other side.
    """
    tokens, strength, pair = [np.zeros(0, dtype=np.int64)], [np.zeros(0)], [np.zeros(0, dtype=np.int64)]
    pairs = 0
    for other in partners:
        for concept, partner in enumerate(other.tolist()):
            one, two = first[concept], second[partner]
            if one is None or two is None:
                continue
            found, values = shuffled_strengths(one, two)
            tokens.append(found)
            strength.append(values)
            pair.append(np.full(found.size, pairs, dtype=np.int64))
            pairs += 1
    columns = np.concatenate(tokens), np.concatenate(strength), np.concatenate(pair)
    order = np.lexsort((columns[2], columns[1], columns[0]))
    return StrengthNull(columns[0][order], columns[1][order], columns[2][order], pairs)


def strength_nulls(
    words: Mapping[str, Sequence[MeasuredWord | None]], pairs: Sequence[LanguagePair], partners: Sequence[Integers]
) -> dict[LanguagePair, StrengthNull]:
    """Gather the strengths of every language pair; see `strength_null`."""
    return {
        languages: strength_null(words[languages[0]], words[languages[1]], partners)
        for languages in track(pairs, "Shuffling pairs", len(pairs))
    }


def shuffled_degrees(
    nulls: Mapping[LanguagePair, StrengthNull],
    limits: Mapping[LanguagePair, float | None],
    top: int,
    shuffles: int,
    token_words: int,
) -> Shuffled:
    """Count how often each token word is a pivot between words of different concepts.

    Args:
        nulls: Of each language pair.
        limits: Of each language pair, ``max_null`` as in `StrengthNull.kept`.
        top: Pivots kept a pair.
        shuffles: Shuffled pairings of the concepts.
        token_words: Number of token words.
    """
    degree = np.zeros(token_words)
    with_pivots = 0
    for languages, null in nulls.items():
        tokens, pair = null.kept(limits[languages], top)
        degree += np.bincount(tokens, minlength=token_words)
        with_pivots += np.unique(pair).size
    return Shuffled(degree / max(shuffles, 1), sum(null.pairs for null in nulls.values()), with_pivots)
