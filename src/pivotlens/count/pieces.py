"""Telling a token that stands as a word from one that is only the beginning of a longer word."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pivotlens.arrays import Booleans, Integers
from pivotlens.text.folding import joins_words

_UNKNOWN, _GOES_ON, _OPEN = 1, 2, 4


class TokenEdges:
    """What the first and the last character of tokens are, looked up once a token.

    Args:
        text: Returns what a token writes, with its leading space.
        vocabulary: One more than the largest token id.
    """

    def __init__(self, text: Callable[[int], str], vocabulary: int) -> None:
        self._text = text
        self._flags = np.full(vocabulary, _UNKNOWN, dtype=np.uint8)

    def are_cut_off(self, tokens: Integers, units: Integers) -> Booleans:
        """Tell which tokens the next one of the unit goes on with, letter to letter, shape ``(tokens,)``.

        So that `` fal`` of *falls* is not counted as a word ``fal``. Characters of scripts without spaces are no such
        letters.

        Args:
            tokens: Token ids in the order of the text, shape ``(tokens,)``.
            units: Unit of each.
        """
        for token in np.unique(tokens[self._flags[tokens] == _UNKNOWN]).tolist():
            text = self._text(token)
            goes_on, is_open = (bool(text) and joins_words(text[place]) for place in (0, -1))
            self._flags[token] = goes_on * _GOES_ON | is_open * _OPEN
        flags = self._flags[tokens]
        cut = np.zeros(tokens.size, dtype=bool)
        cut[:-1] = ((flags[:-1] & _OPEN) > 0) & ((flags[1:] & _GOES_ON) > 0) & (units[:-1] == units[1:])
        return cut
