"""Tokens whose units are copies of one another, such as a notice of authors on a family of pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from pivotlens.arrays import Floats
from pivotlens.mine.associations import WordUnits


@dataclass(frozen=True)
class Likeness:
    """How far the units with a token word hold the same benchmark words, in one language; arrays by token word.

    Attributes:
        units: Units with the token word (d).
        words: Benchmark words in these units, one unit after another: Σ_w k_w.
        again: For each of them the other units with the token word that hold it too: Σ_w k_w·(k_w − 1).
    """

    units: Floats
    words: Floats
    again: Floats

    @classmethod
    def of(cls, units: Floats, words: Iterable[WordUnits]) -> Likeness:
        """Gather the benchmark words of a language.

        Args:
            units: Units of the language with each token word, as the background has it.
            words: Token words in the units of each benchmark word.
        """
        units, total, again = units.copy(), np.zeros(units.size), np.zeros(units.size)
        for word in words:
            k = _scaled(word)
            units[word.tokens] = np.maximum(units[word.tokens], k)
            total[word.tokens] += k
            again[word.tokens] += k * np.maximum(k - 1, 0)
        return cls(units, total, again)

    def beside(self, word: WordUnits) -> Floats:
        """Return how alike the units with each of a word's token words are, the word itself left aside.

        The share of the other units with the token word in which a benchmark word of a unit is met again: 1 where all
        hold the same words, about what any two units share where they have nothing but the token in common; 0
        where they hold no other benchmark word.

        Returns:
            Values from 0, shape ``(word.tokens,)``.
        """
        k, tokens = _scaled(word), word.tokens
        met, again = self.words[tokens] - k, self.again[tokens] - k * np.maximum(k - 1, 0)
        possible = np.maximum(self.units[tokens] - 1, 0) * met
        alike = np.zeros(k.size)
        return np.divide(np.maximum(again, 0), possible, out=alike, where=possible > 1e-9)


def _scaled(word: WordUnits) -> Floats:
    return word.counts.astype(np.float64) * (word.units / max(word.sampled, 1))
