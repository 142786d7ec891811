"""The two passes over one shard: find the words, then cut the sampled units into tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from pivotlens.arrays import Booleans, Hashes, Integers
from pivotlens.corpus import BadRows, PartStore, Shard, UnitBatch, UnitPlan, unit_batches, unit_hashes
from pivotlens.corpus.packing import read_arrays, write_arrays
from pivotlens.corpus.vocabulary import CountedWords
from pivotlens.count.contexts import ContextCounter, Cutting
from pivotlens.count.occurrences import Cell, CooccurrenceCounter
from pivotlens.count.runs import RunWriter
from pivotlens.count.sampling import is_among
from pivotlens.count.strata import strata_of
from pivotlens.count.units import UnitKinds, pack_languages, unpack_languages
from pivotlens.models.tokenizer import load_tokenizer


def _hashes(shard: Shard, batch: UnitBatch, seed: int) -> Hashes:
    return unit_hashes(shard.file.name, batch.rows, batch.units, seed, "count")


@lru_cache(maxsize=1)
def _cutting(tokenizer: str) -> Cutting:
    return Cutting.by(load_tokenizer(tokenizer))


@dataclass(frozen=True)
class OccurrencePass:
    """Finds the words in a shard's units.

    Its part is a counter as arrays, with the units' kinds, the language and stratum of each, and the bad rows.
    """

    words: CountedWords
    plan: UnitPlan
    sample: int
    background: int
    seed: int

    def __call__(self, shard: Shard, part: Path) -> None:
        """Write the part of a shard."""
        counter = CooccurrenceCounter(self.words, self.sample, self.background)
        bad, kinds, found = BadRows(), UnitKinds(), list[str]()
        strata = [np.zeros(0, dtype=np.int64)]
        for batch in unit_batches(shard, self.plan):
            counter.documents.update(batch.documents)
            bad.extend(batch.bad)
            kinds.add(batch)
            found += batch.languages
            strata.append(strata_of(batch))
            counter.add(batch.texts, batch.languages, _hashes(shard, batch, self.seed), strata[-1])
        counted = counter.to_arrays() | kinds.to_arrays(self.plan.boilerplate)
        write_arrays(part, counted | pack_languages(found) | {"strata": np.concatenate(strata)} | bad.to_arrays())


@dataclass(frozen=True)
class ContextPass:
    """Cuts the sampled units of a shard into tokens and counts them.

    Attributes:
        occurrences: The parts of `OccurrencePass`.
        thresholds: Largest hash of each word's sample over all files, shape ``(words,)``.
        backgrounds: Language and stratum, and largest hash of its background sample.
        tokenizer: Folder of the tokenizer.
        most_cells: Cells of the counts that a process holds in memory, about.
    """

    words: CountedWords
    plan: UnitPlan
    sample: int
    seed: int
    occurrences: PartStore
    thresholds: Hashes
    backgrounds: dict[Cell, np.uint64]
    tokenizer: str
    most_cells: int

    def __call__(self, shard: Shard, part: Path) -> None:
        """Write the part of a shard."""
        cutting = _cutting(self.tokenizer)
        n_rows = len(self.words.words) + len(self.words.translations) + len(self.backgrounds)
        counts = RunWriter(part, n_rows, cutting.cutter.vocab_size, self.most_cells)
        counter = ContextCounter(self.words, self.thresholds, self.backgrounds, cutting, counts)
        wanted, first = self._wanted(shard), 0
        arrays = read_arrays(self.occurrences.path(shard), ("found_codes", "found", "strata"))
        found, strata_found = unpack_languages(arrays), arrays["strata"].astype(np.int64)
        for batch in unit_batches(shard, self.plan):
            here = slice(first, first + len(batch.texts))  # found once is enough
            languages, strata, first = found[here], strata_found[here], here.stop
            hashes = _hashes(shard, batch, self.seed)
            chosen = np.flatnonzero(self._is_sampled(languages, strata, hashes, wanted))
            texts, codes = ([column[unit] for unit in chosen] for column in (batch.texts, languages))
            counter.add(texts, codes, hashes[chosen], strata[chosen])
        counter.flush()
        write_arrays(
            part,
            {
                "offsets": counts.finish(),
                "units": counter.units,
                "background_units": counter.background_units,
                "background_tokens": counter.background_tokens,
            },
        )

    def _wanted(self, shard: Shard) -> Hashes | None:
        if self.sample == 0:
            return None
        arrays = read_arrays(self.occurrences.path(shard), ("sample_words", "sample_hashes"))
        words, hashes = arrays["sample_words"].astype(np.int64), arrays["sample_hashes"].astype(np.uint64)
        return np.sort(hashes[hashes <= self.thresholds[words]])

    def _is_sampled(
        self, languages: Sequence[str], strata: Integers, hashes: Hashes, wanted: Hashes | None
    ) -> Booleans:
        if wanted is None:
            return np.ones(hashes.size, dtype=bool)
        cells = zip(languages, strata.tolist(), strict=True)
        thresholds = np.array([self.backgrounds[cell] for cell in cells], dtype=np.uint64)
        sampled: Booleans = is_among(hashes, wanted) | (hashes <= thresholds)
        return sampled
