"""The two passes over one shard: find the words, then cut the sampled units into tokens."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pivotlens.arrays import Booleans, Hashes, Integers
from pivotlens.corpus import BadRows, PartStore, Shard, UnitBatch, UnitPlan, unit_batches, unit_hashes
from pivotlens.corpus.packing import read_arrays, write_arrays
from pivotlens.count.contexts import ContextCounter
from pivotlens.count.occurrences import Cell, CooccurrenceCounter
from pivotlens.count.sampling import is_among
from pivotlens.count.strata import strata_of
from pivotlens.count.vocabulary import CountedWords
from pivotlens.models.tokenizer import load_tokenizer


def _hashes(shard: Shard, batch: UnitBatch, seed: int) -> Hashes:
    return unit_hashes(shard.file.name, batch.rows, batch.units, seed, "count")


@dataclass(frozen=True)
class OccurrencePass:
    """Finds the words in a shard's units; its part is a counter as arrays, with the bad rows."""

    words: CountedWords
    plan: UnitPlan
    sample: int
    background: int
    seed: int

    def __call__(self, shard: Shard, part: Path) -> None:
        """Write the part of a shard."""
        counter = CooccurrenceCounter(self.words, self.sample, self.background)
        bad = BadRows()
        for batch in unit_batches(shard, self.plan):
            counter.documents.update(batch.documents)
            bad.extend(batch.bad)
            counter.add(batch.texts, batch.languages, _hashes(shard, batch, self.seed), strata_of(batch))
        write_arrays(part, counter.to_arrays() | bad.to_arrays())


@dataclass(frozen=True)
class ContextPass:
    """Cuts the sampled units of a shard into tokens and counts them.

    Attributes:
        occurrences: The parts of `OccurrencePass`.
        thresholds: Largest hash of each word's sample over all files, shape ``(words,)``.
        backgrounds: Language and stratum, and largest hash of its background sample.
        tokenizer: Folder of the tokenizer.
    """

    words: CountedWords
    plan: UnitPlan
    sample: int
    seed: int
    occurrences: PartStore
    thresholds: Hashes
    backgrounds: dict[Cell, np.uint64]
    tokenizer: str

    def __call__(self, shard: Shard, part: Path) -> None:
        """Write the part of a shard."""
        tokenizer = load_tokenizer(self.tokenizer)
        counter = ContextCounter(self.words, self.thresholds, self.backgrounds, tokenizer)
        wanted = self._wanted(shard)
        for batch in unit_batches(shard, self.plan):
            hashes, strata = _hashes(shard, batch, self.seed), strata_of(batch)
            chosen = np.flatnonzero(self._is_sampled(batch.languages, strata, hashes, wanted))
            texts, languages = ([column[unit] for unit in chosen] for column in (batch.texts, batch.languages))
            counter.add(texts, languages, hashes[chosen], strata[chosen])
        counter.flush()
        keys, counts = counter.counts.total()
        write_arrays(
            part,
            {
                "keys": keys,
                "counts": counts,
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

    def _is_sampled(self, languages: list[str], strata: Integers, hashes: Hashes, wanted: Hashes | None) -> Booleans:
        if wanted is None:
            return np.ones(hashes.size, dtype=bool)
        cells = zip(languages, strata.tolist(), strict=True)
        thresholds = np.array([self.backgrounds[cell] for cell in cells], dtype=np.uint64)
        sampled: Booleans = is_among(hashes, wanted) | (hashes <= thresholds)
        return sampled
