"""The scores of a whole corpus, read from the parts of its shards one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pivotlens.arrays import Booleans, Integers
from pivotlens.corpus import PartStore, Shard
from pivotlens.corpus.packing import read_arrays, unpack_strings
from pivotlens.select.passes import BUCKETS
from pivotlens.select.scoring import ScoredUnits, is_duplicate


@dataclass(frozen=True)
class ScoredCorpus:
    """Scored units of all shards, of which only those of one are in memory.

    Attributes:
        shards: The corpus, in its order.
        scores: The parts of `ScorePass`.
        min_tokens: Units of fewer tokens are not chosen.
    """

    shards: Sequence[Shard]
    scores: PartStore
    min_tokens: int

    def __iter__(self) -> Iterator[tuple[Shard, ScoredUnits]]:
        for number, shard in enumerate(self.shards):
            first, end = self._offsets[number : number + 2].tolist()
            names = ("row", "unit", "language", "n_tokens", "n_pivots")
            arrays = read_arrays(self.scores.path(shard), (*names, "hash_top", "hash_random", "languages"))
            yield (
                shard,
                ScoredUnits(
                    file=shard.file.name,
                    first=first,
                    languages=tuple(unpack_strings(arrays["languages"])),
                    **{name: arrays[name].astype(np.int64) for name in names},
                    hashes={mode: arrays[f"hash_{mode}"].astype(np.uint64) for mode in ("top", "random")},
                    duplicate=self._duplicate[first:end],
                    min_tokens=self.min_tokens,
                ),
            )

    @cached_property
    def _offsets(self) -> Integers:
        """Number of the first unit of each shard in the corpus, and of one past the last; shape ``(shards + 1,)``."""
        sizes = [read_arrays(self.scores.path(shard), ["row"])["row"].size for shard in self.shards]
        return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])

    @cached_property
    def _duplicate(self) -> Booleans:
        """Whether an earlier unit has the same text, shape ``(units,)``: all that is kept of every unit, one byte."""
        duplicate = np.zeros(int(self._offsets[-1]), dtype=bool)
        for bucket in range(BUCKETS):
            units, digests = [np.zeros(0, dtype=np.int64)], [np.zeros((0, 4), dtype=np.uint64)]
            for shard, first in zip(self.shards, self._offsets[:-1].tolist(), strict=True):
                arrays = read_arrays(self.scores.path(shard), (f"units_{bucket}", f"digests_{bucket}"))
                units.append(first + arrays[f"units_{bucket}"].astype(np.int64))
                digests.append(arrays[f"digests_{bucket}"].astype(np.uint64))
            duplicate[np.concatenate(units)] = is_duplicate(np.concatenate(digests))
        return duplicate
