"""Which tokens are in the sampled units of words, of word pairs, and of strata of languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from pivotlens.arrays import Booleans, Hashes, Integers, ragged_take, sorted_distinct
from pivotlens.corpus.vocabulary import CountedWords, finder_of
from pivotlens.count.occurrences import Cell, in_own_language
from pivotlens.count.pieces import TokenEdges
from pivotlens.count.sampling import is_among
from pivotlens.count.sparse import joint_counts
from pivotlens.count.strata import N_STRATA

_TOKENS_HELD = 1 << 20


class Cutter(Protocol):
    """Cuts texts into tokens: `TextTokenizer`."""

    @property
    def vocab_size(self) -> int:
        """One more than the largest token id."""

    def encode_batch(self, texts: Sequence[str]) -> Sequence[Integers]:
        """Return the token ids of each text."""

    def text(self, token_id: int) -> str:
        """Return what a token writes, with its leading space."""


@dataclass(frozen=True)
class Cutting:
    """A cutter, and what is known of its tokens' edges by now: made once a process.

    Attributes:
        cutter: Cuts texts into tokens.
        edges: Of its tokens.
    """

    cutter: Cutter
    edges: TokenEdges

    @classmethod
    def by(cls, cutter: Cutter) -> Self:
        """Return a cutter of whose tokens nothing is known yet."""
        return cls(cutter, TokenEdges(cutter.text, cutter.vocab_size))


class Cells(Protocol):
    """Takes in counts by key: `SparseCounts`, or a `RunWriter` where they may not fit in memory."""

    def add(self, keys: Integers, counts: Integers) -> None:
        """Take in counts; arguments as of `SparseCounts.add`."""


class ContextCounter:
    """Counts tokens over sampled units; a token that is the beginning of a longer word is not counted there.

    Rows of the counts: the words, then the pairs of `CountedWords.translations` (units in the first word's sample
    that hold the second as well), then the strata of languages.

    Args:
        words: What to look for.
        thresholds: Largest hash of each word's sample, shape ``(words,)``.
        backgrounds: Largest hash of the background sample of each language and stratum.
        cutting: Cuts texts into tokens.
        counts: Takes the counts.
    """

    def __init__(
        self,
        words: CountedWords,
        thresholds: Hashes,
        backgrounds: Mapping[Cell, np.uint64],
        cutting: Cutting,
        counts: Cells,
    ) -> None:
        self.words = words
        self._thresholds = thresholds
        self._backgrounds = dict(sorted(backgrounds.items()))
        self._cutting = cutting
        self._vocabulary = cutting.cutter.vocab_size
        self._cells = {cell: number for number, cell in enumerate(self._backgrounds)}
        self._first_cell = len(words.words) + len(words.translations)
        self._counts = counts
        self.units = np.zeros((self._first_cell, N_STRATA), dtype=np.int64)
        self.background_units = np.zeros(len(self._cells), dtype=np.int64)
        self.background_tokens = np.zeros(len(self._cells), dtype=np.int64)
        offsets = np.searchsorted(words.translations[:, 0], np.arange(len(words.words) + 1))
        self._translations_of_word = offsets.astype(np.int64)
        self._held: list[tuple[Integers, Integers, Integers, Integers]] = []
        self._n_held = 0

    def add(self, texts: Sequence[str], languages: Sequence[str], hashes: Hashes, strata: Integers) -> None:
        """Take in units: those in no sample are passed over; arguments as `CooccurrenceCounter.add`."""
        if not texts:
            return
        units, found = finder_of(self.words).find(texts)
        sampled = in_own_language(self.words, units, found, languages) & (hashes[units] <= self._thresholds[found])
        cells = list(zip(languages, strata.tolist(), strict=True))
        numbers = np.array([self._cells.get(cell, -1) for cell in cells], dtype=np.int64)
        thresholds = np.array([self._backgrounds.get(cell, 0) for cell in cells], dtype=np.uint64)
        background = np.flatnonzero((numbers >= 0) & (hashes <= thresholds))
        pairs, pair_units = self._pairs(units, found, sampled)
        rows, row_units = np.concatenate([found[sampled], pairs]), np.concatenate([units[sampled], pair_units])
        np.add.at(self.units, (rows, strata[row_units]), 1)
        all_rows = np.concatenate([rows, self._first_cell + numbers[background]])
        all_units = np.concatenate([row_units, background])
        chosen = sorted_distinct(all_units)
        ids = self._cutting.cutter.encode_batch([texts[unit] for unit in chosen.tolist()])
        lengths = np.array([len(of_unit) for of_unit in ids], dtype=np.int64)
        places = np.searchsorted(chosen, all_units)
        of_background = places[rows.size :]
        self.background_units += np.bincount(numbers[background], minlength=len(self._cells))
        np.add.at(self.background_tokens, numbers[background], lengths[of_background])
        flat = np.concatenate([np.zeros(0, dtype=np.int64), *ids])
        units_of_tokens = np.repeat(np.arange(lengths.size), lengths)
        whole = ~self._cutting.edges.are_cut_off(flat, units_of_tokens)
        keys = sorted_distinct(units_of_tokens[whole] * self._vocabulary + flat[whole])
        unit_of_token, tokens = np.divmod(keys, self._vocabulary)
        sizes = np.bincount(unit_of_token, minlength=lengths.size).astype(np.int64)
        self._held.append((all_rows, places, sizes, tokens))
        self._n_held += tokens.size
        if self._n_held > _TOKENS_HELD:
            self.flush()

    def _pairs(self, units: Integers, found: Integers, sampled: Booleans) -> tuple[Integers, Integers]:
        """Return rows and units of the translation pairs whose first word is sampled and whose second is there."""
        numbers = np.arange(len(self.words.translations), dtype=np.int64)
        origins, pairs = ragged_take(self._translations_of_word, numbers, found[sampled])
        pair_units = units[sampled][origins]
        n_words = max(len(self.words.words), 1)
        wanted = pair_units * n_words + self.words.translations[pairs, 1]
        there = is_among(wanted, units * n_words + found)
        return len(self.words.words) + pairs[there], pair_units[there]

    def flush(self) -> None:
        """Hand on the counts of what is held."""
        if not self._held:
            return
        shifts = np.cumsum([0, *(sizes.size for _, _, sizes, _ in self._held)])
        rows = np.concatenate([held[0] for held in self._held])
        units = np.concatenate([held[1] + shift for held, shift in zip(self._held, shifts, strict=False)])
        offsets = np.concatenate([[0], np.cumsum(np.concatenate([held[2] for held in self._held]))])
        tokens = np.concatenate([held[3] for held in self._held])
        self._held, self._n_held = [], 0
        self._counts.add(*joint_counts(rows, units, offsets, tokens, self._vocabulary))
