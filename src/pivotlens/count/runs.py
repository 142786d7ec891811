"""Counts by row and token on the disk: sorted runs that are written as memory fills up, and are read as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pivotlens.arrays import Integers
from pivotlens.artifacts.files import atomic_path
from pivotlens.count.sparse import SparseCounts

ROWS_AT_ONCE = 64
"""Rows that are merged at once: with a large vocabulary, one has tens of thousands of cells."""


class RunWriter:
    """Takes in counts and writes them beside a part, as sorted runs of bounded size.

    Args:
        part: The part; a run is two files whose names begin with its.
        n_rows: Rows.
        vocabulary: One more than the largest token.
        most_cells: Cells held in memory at once, about.
    """

    def __init__(self, part: Path, n_rows: int, vocabulary: int, most_cells: int) -> None:
        self._part = part
        self._edges = np.arange(0, n_rows + ROWS_AT_ONCE, ROWS_AT_ONCE, dtype=np.int64) * vocabulary
        self._most_cells = most_cells
        self._held = SparseCounts()
        self._offsets: list[Integers] = []

    def add(self, keys: Integers, counts: Integers) -> None:
        """Take in counts; arguments as of `SparseCounts.add`."""
        self._held.add(keys, counts)
        if self._held.cells > self._most_cells:
            self._write()

    def _write(self) -> None:
        keys, counts = self._held.total()
        self._held = SparseCounts()
        if keys.size == 0:
            return
        keys_file, counts_file = _files(self._part, len(self._offsets))
        with atomic_path(keys_file) as temporary:
            keys.tofile(temporary)
        with atomic_path(counts_file) as temporary:
            counts.astype(np.int32).tofile(temporary)
        self._offsets.append(np.searchsorted(keys, self._edges))

    def finish(self) -> Integers:
        """Write what is left; return where each `ROWS_AT_ONCE` rows begin in each run, shape ``(runs, edges)``."""
        self._write()
        return np.array(self._offsets, dtype=np.int64).reshape(-1, self._edges.size)


def _files(part: Path, run: int) -> tuple[Path, Path]:
    return part.with_name(f"{part.name}.{run}.keys"), part.with_name(f"{part.name}.{run}.counts")


@dataclass(frozen=True)
class Runs:
    """The runs of several parts, read as if they were one.

    Attributes:
        parts: Each part, and the offsets that `RunWriter.finish` returned for it.
        vocabulary: One more than the largest token.
    """

    parts: Sequence[tuple[Path, Integers]]
    vocabulary: int

    def rows(self, first: int, end: int) -> Iterator[tuple[Integers, Integers, Integers]]:
        """Yield rows, tokens and counts of the cells of rows ``first..end``, in order, some rows at a time."""
        for block in range(first // ROWS_AT_ONCE, -(-end // ROWS_AT_ONCE)):
            keys, counts = self._merged(block)
            low, high = np.searchsorted(keys, [first * self.vocabulary, end * self.vocabulary])
            rows, tokens = np.divmod(keys[low:high], self.vocabulary)
            yield rows, tokens, counts[low:high]

    def _merged(self, block: int) -> tuple[Integers, Integers]:
        summed = SparseCounts()
        for part, offsets in self.parts:
            for run, (low, high) in enumerate(offsets[:, block : block + 2].tolist()):
                keys_file, counts_file = _files(part, run)
                size = high - low
                keys = np.fromfile(keys_file, dtype=np.int64, count=size, offset=8 * low)
                counts = np.fromfile(counts_file, dtype=np.int32, count=size, offset=4 * low)
                summed.add(keys, counts.astype(np.int64))
        return summed.total()
