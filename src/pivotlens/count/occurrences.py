"""Which words are in which units: document frequencies, pairs, and the samples whose tokens are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pivotlens.arrays import Booleans, Hashes, Integers, ragged_take
from pivotlens.corpus.vocabulary import CountedWords, finder_of
from pivotlens.count.sampling import BottomK
from pivotlens.count.sparse import SparseCounts, count_keys
from pivotlens.count.strata import N_STRATA


class PairCounts(NamedTuple):
    """Units that hold two words of a concept; all shape ``(pairs,)``, ``first < second``."""

    concepts: Integers
    first: Integers
    second: Integers
    counts: Integers


@dataclass(frozen=True)
class LanguageTotals:
    """What the corpus holds in a language."""

    documents: int
    units: int
    characters: int
    bytes: int


Cell = tuple[str, int]
"""A language of units, and a stratum of them."""


class CooccurrenceCounter:
    """Counts words and pairs over units; two counters over different units can be merged into one.

    Args:
        words: What to look for.
        sample: Units kept a word, among the units in the word's own language; 0 stands for all.
        background: Units kept a stratum of a language; 0 stands for all.
    """

    def __init__(self, words: CountedWords, sample: int, background: int) -> None:
        self.words = words
        self.documents: Counter[str] = Counter()
        self._units: Counter[str] = Counter()
        self._characters: Counter[str] = Counter()
        self._bytes: Counter[str] = Counter()
        self._languages: dict[str, int] = {}
        self._word_counts = SparseCounts()
        self._pair_counts = SparseCounts()
        self._samples = BottomK(len(words.words), sample)
        self._background_size = background
        self._backgrounds: dict[Cell, BottomK] = {}
        self._cell_units: Counter[Cell] = Counter()

    def add(self, texts: Sequence[str], languages: Sequence[str], hashes: Hashes, strata: Integers) -> None:
        """Take in units.

        Args:
            texts: Their text.
            languages: Their languages.
            hashes: Their hashes, shape ``(units,)``, which the samples go by.
            strata: Their strata, shape ``(units,)``.
        """
        if not texts:
            return
        for text, language in zip(texts, languages, strict=True):
            self._units[language] += 1
            self._characters[language] += len(text)
            self._bytes[language] += len(text.encode("utf-8", "surrogatepass"))
        units, words = finder_of(self.words).find(texts)
        language_of_unit = np.array([self._language(code) for code in languages], dtype=np.int64)
        n_words = max(len(self.words.words), 1)
        self._word_counts.add(*count_keys(language_of_unit[units] * n_words + words))
        self._pair_counts.add(*count_keys(self._pairs(units, words)))
        own = in_own_language(self.words, units, words, languages)
        self._samples.add(words[own], hashes[units[own]])
        cells = language_of_unit * N_STRATA + strata
        codes = list(self._languages)
        for cell in np.unique(cells).tolist():
            language, stratum = divmod(cell, N_STRATA)
            there = cells == cell
            self._cell_units[codes[language], stratum] += int(there.sum())
            self._add_background((codes[language], stratum), hashes[there])

    def _language(self, code: str) -> int:
        return self._languages.setdefault(code, len(self._languages))

    def _add_background(self, cell: Cell, hashes: Hashes) -> None:
        background = self._backgrounds.setdefault(cell, BottomK(1, self._background_size))
        background.add(np.zeros(hashes.size, dtype=np.int64), hashes)

    def _pairs(self, units: Integers, words: Integers) -> Integers:
        n_languages = len(self.words.languages)
        slots = concept_slots(self.words, units, words)
        keys = (slots.units * len(self.words.concepts) + slots.concepts) * n_languages + slots.languages
        order = np.argsort(keys, kind="stable")
        groups, concepts, languages = keys[order] // n_languages, slots.concepts[order], slots.languages[order]
        found = []
        # In a group stand the languages of one concept in one unit: two apart by 1, 2, … are a pair each.
        for apart in range(1, n_languages):
            same = groups[apart:] == groups[:-apart]
            first, second = languages[:-apart][same], languages[apart:][same]
            found.append((concepts[apart:][same] * n_languages + first) * n_languages + second)
        return np.concatenate([np.zeros(0, dtype=np.int64), *found])

    # -- results

    @property
    def languages(self) -> dict[str, LanguageTotals]:
        """Totals by language, sorted: of documents by their label, of the rest by the language of the unit."""
        codes = sorted({*self.documents, *self._units})
        return {
            code: LanguageTotals(self.documents[code], self._units[code], self._characters[code], self._bytes[code])
            for code in codes
        }

    def word_counts(self) -> tuple[npt.NDArray[np.str_], Integers, Integers]:
        """Return document language, word and units, for every word and language that meet; shape ``(cells,)``."""
        keys, counts = self._word_counts.total()
        languages, words = np.divmod(keys, max(len(self.words.words), 1))
        return np.array([*self._languages, ""], dtype=np.str_)[languages], words, counts

    def pair_counts(self) -> PairCounts:
        """Return how many units hold both words of a concept, by concept and languages."""
        n_languages = max(len(self.words.languages), 1)
        keys, counts = self._pair_counts.total()
        rest, second = np.divmod(keys, n_languages)
        concepts, first = np.divmod(rest, n_languages)
        return PairCounts(concepts, first, second, counts)

    def samples(self) -> tuple[Integers, Hashes, Hashes]:
        """Return words and hashes of the sampled units, and each word's threshold, shape ``(words,)``."""
        words, hashes = self._samples.result()
        return words, hashes, self._samples.thresholds

    @property
    def thresholds(self) -> Hashes:
        """The largest hash of each word's sample, shape ``(words,)``."""
        return self._samples.thresholds

    @property
    def cell_units(self) -> dict[Cell, int]:
        """Units of each language and stratum that has any, sorted."""
        return dict(sorted(self._cell_units.items()))

    def backgrounds(self) -> dict[Cell, tuple[Hashes, np.uint64]]:
        """Return the hashes of the background sample of each language and stratum, and its threshold."""
        found = {}
        for cell, background in sorted(self._backgrounds.items()):
            _, hashes = background.result()
            found[cell] = (hashes, background.thresholds[0])
        return found

    # -- merging

    def to_arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """Return everything counted, as arrays."""
        totals = self.languages
        languages, words, counts = self.word_counts()
        sample_words, sample_hashes, _ = self.samples()
        backgrounds = self.backgrounds()
        lengths = [hashes.size for hashes, _ in backgrounds.values()]
        return {
            "languages": np.array([*totals, ""], dtype=np.str_)[:-1],
            "totals": np.array(
                [[row.documents, row.units, row.characters, row.bytes] for row in totals.values()], dtype=np.int64
            ).reshape(-1, 4),
            "word_languages": languages,
            "word_counts": np.stack([words, counts]),
            "pair_counts": np.stack(list(self.pair_counts())),
            "sample_words": sample_words,
            "sample_hashes": sample_hashes,
            "cell_languages": np.array([*(code for code, _ in backgrounds), ""], dtype=np.str_)[:-1],
            "cell_strata": np.array([stratum for _, stratum in backgrounds], dtype=np.int64),
            "cell_units": np.array([self._cell_units[cell] for cell in backgrounds], dtype=np.int64),
            "background_sizes": np.array(lengths, dtype=np.int64),
            "background_hashes": np.concatenate(
                [np.zeros(0, dtype=np.uint64), *(hashes for hashes, _ in backgrounds.values())]
            ),
        }

    def merge_arrays(self, arrays: dict[str, npt.NDArray[np.generic]]) -> None:
        """Add what another counter of the same words has counted over other units."""
        for code, totals in zip(arrays["languages"].tolist(), arrays["totals"].tolist(), strict=True):
            self._language(code)
            self.documents[code] += totals[0]
            self._units[code] += totals[1]
            self._characters[code] += totals[2]
            self._bytes[code] += totals[3]
        n_words, n_languages = max(len(self.words.words), 1), len(self.words.languages)
        words, counts = arrays["word_counts"].astype(np.int64)
        codes = np.array([self._language(code) for code in arrays["word_languages"].tolist()], dtype=np.int64)
        self._word_counts.add(*_sorted(codes * n_words + words, counts))
        concepts, first, second, counts = arrays["pair_counts"].astype(np.int64)
        self._pair_counts.add(*_sorted((concepts * n_languages + first) * n_languages + second, counts))
        self._samples.add(arrays["sample_words"].astype(np.int64), arrays["sample_hashes"].astype(np.uint64))
        names = ("cell_languages", "cell_strata", "cell_units", "background_sizes")
        hashes, end = arrays["background_hashes"].astype(np.uint64), 0
        for code, stratum, units, size in zip(*(arrays[name].tolist() for name in names), strict=True):
            self._cell_units[code, stratum] += units
            self._add_background((code, stratum), hashes[end : end + size])
            end += size


@dataclass(frozen=True)
class ConceptSlots:
    """Words in units as (unit, concept, language); all shape ``(slots,)``, int64."""

    units: Integers
    concepts: Integers
    languages: Integers
    words: Integers = field(repr=False)


def concept_slots(words: CountedWords, units: Integers, found: Integers) -> ConceptSlots:
    """Return the concepts that words in units stand for."""
    origins, concepts = ragged_take(*words.concepts_of_word, found)
    found = found[origins]
    return ConceptSlots(units[origins], concepts, words.language_of_word[found], found)


def in_own_language(words: CountedWords, units: Integers, found: Integers, languages: Sequence[str]) -> Booleans:
    """Tell which words in units stand in a unit of their own language."""
    index = {code: number for number, code in enumerate(words.languages)}
    language_of_unit = np.array([index.get(code, -1) for code in languages], dtype=np.int64)
    own: Booleans = language_of_unit[units] == words.language_of_word[found]
    return own


def _sorted(keys: Integers, counts: Integers) -> tuple[Integers, Integers]:
    order = np.argsort(keys, kind="stable")
    return keys[order], counts[order]
