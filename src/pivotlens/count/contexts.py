"""Which tokens are in the sampled units of words, of word pairs and of languages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from pivotlens.arrays import Booleans, Hashes, Integers, ragged_take, sorted_distinct
from pivotlens.corpus.vocabulary import CountedWords, finder_of
from pivotlens.count.occurrences import in_own_language
from pivotlens.count.sampling import is_among
from pivotlens.count.sparse import SparseCounts, joint_counts

Encode = Callable[[Sequence[str]], Sequence[Integers]]
_TOKENS_HELD = 1 << 22


class ContextCounter:
    """Counts tokens over sampled units.

    Rows of the counts: the words, then the pairs of `CountedWords.translations` (units in the first word's sample
    that hold the second as well), then the languages of documents.

    Args:
        words: What to look for.
        thresholds: Largest hash of each word's sample, shape ``(words,)``.
        backgrounds: Largest hash of each language's background sample.
        encode: Turns texts into token ids.
        vocabulary: One more than the largest token id.
    """

    def __init__(
        self,
        words: CountedWords,
        thresholds: Hashes,
        backgrounds: Mapping[str, np.uint64],
        encode: Encode,
        vocabulary: int,
    ) -> None:
        self.words = words
        self._thresholds = thresholds
        self._backgrounds = dict(sorted(backgrounds.items()))
        self._encode = encode
        self._vocabulary = vocabulary
        self._languages = {code: number for number, code in enumerate(self._backgrounds)}
        self._first_language = len(words.words) + len(words.translations)
        n_rows = self._first_language + len(self._languages)
        self.counts = SparseCounts()
        self.units = np.zeros(n_rows, dtype=np.int64)
        self.background_tokens = np.zeros(len(self._languages), dtype=np.int64)
        offsets = np.searchsorted(words.translations[:, 0], np.arange(len(words.words) + 1))
        self._translations_of_word = offsets.astype(np.int64)
        self._held: list[tuple[Integers, Integers, Integers, Integers]] = []
        self._n_held = 0

    def add(self, texts: Sequence[str], languages: Sequence[str], hashes: Hashes) -> None:
        """Take in units: those in no sample are passed over; arguments as `CooccurrenceCounter.add`."""
        if not texts:
            return
        units, found = finder_of(self.words).find(texts)
        sampled = in_own_language(self.words, units, found, languages) & (hashes[units] <= self._thresholds[found])
        numbers = np.array([self._languages.get(code, -1) for code in languages], dtype=np.int64)
        thresholds = np.array([self._backgrounds.get(code, 0) for code in languages], dtype=np.uint64)
        background = np.flatnonzero((numbers >= 0) & (hashes <= thresholds))
        row_units = [units[sampled], background]
        rows = [
            found[sampled],
            self._first_language + numbers[background],
        ]
        pairs, pair_units = self._pairs(units, found, sampled)
        all_rows, all_units = np.concatenate([*rows, pairs]), np.concatenate([*row_units, pair_units])
        chosen = sorted_distinct(all_units)
        ids = self._encode([texts[unit] for unit in chosen.tolist()])
        lengths = np.array([len(of_unit) for of_unit in ids], dtype=np.int64)
        places = np.searchsorted(chosen, all_units)
        in_background = all_rows >= self._first_language
        np.add.at(
            self.background_tokens, all_rows[in_background] - self._first_language, lengths[places[in_background]]
        )
        self.units += np.bincount(all_rows, minlength=self.units.size)
        flat = np.concatenate([np.zeros(0, dtype=np.int64), *ids])
        keys = sorted_distinct(np.repeat(np.arange(lengths.size), lengths) * self._vocabulary + flat)
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
        """Bring what is held into ``counts``."""
        if not self._held:
            return
        shifts = np.cumsum([0, *(sizes.size for _, _, sizes, _ in self._held)])
        rows = np.concatenate([held[0] for held in self._held])
        units = np.concatenate([held[1] + shift for held, shift in zip(self._held, shifts, strict=False)])
        offsets = np.concatenate([[0], np.cumsum(np.concatenate([held[2] for held in self._held]))])
        tokens = np.concatenate([held[3] for held in self._held])
        self._held, self._n_held = [], 0
        self.counts.add(*joint_counts(rows, units, offsets, tokens, self._vocabulary))
