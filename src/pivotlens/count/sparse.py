"""Counts of far more cells than are ever filled."""

from __future__ import annotations

import numpy as np
import scipy

from pivotlens.arrays import Integers
from pivotlens.count.token_kernels import count_tokens_of_rows

# Keys are columns of a sparse matrix of one row; any int64 below this is one.
_KEYS = 1 << 62


class SparseCounts:
    """Sums of counts by key, kept as sorted runs that are merged when they are of similar length.

    Merging is addition: the order in which counts come does not matter.
    """

    def __init__(self) -> None:
        self._runs: list[scipy.sparse.csr_array] = []

    def add(self, keys: Integers, counts: Integers) -> None:
        """Take in counts of at least 1; ``keys`` sorted and distinct, both shape ``(n,)``, int64."""
        if keys.size == 0:
            return
        self._runs.append(scipy.sparse.csr_array((counts, keys, [0, keys.size]), shape=(1, _KEYS)))
        while len(self._runs) > 1 and self._runs[-2].nnz <= 2 * self._runs[-1].nnz:
            self._merge_last()

    @property
    def cells(self) -> int:
        """Cells held; one that several runs have counts several times."""
        return sum(run.nnz for run in self._runs)

    def _merge_last(self) -> None:
        self._runs.append(self._runs.pop() + self._runs.pop())

    def total(self) -> tuple[Integers, Integers]:
        """Return the sorted keys and their counts, shape ``(keys,)``."""
        while len(self._runs) > 1:
            self._merge_last()
        if not self._runs:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        return self._runs[0].indices, self._runs[0].data


def count_keys(keys: Integers) -> tuple[Integers, Integers]:
    """Return distinct keys, sorted, and how often each occurs."""
    return np.unique(keys, return_counts=True)


def joint_counts(
    rows: Integers, units: Integers, offsets: Integers, tokens: Integers, vocabulary: int
) -> tuple[Integers, Integers]:
    """Count, for every row and token, the units that belong to the row and contain the token.

    Args:
        rows: Row of each (row, unit) pair, shape ``(pairs,)``; each pair once.
        units: Unit of each pair.
        offsets: Where each unit's tokens begin in ``tokens``, shape ``(units + 1,)``.
        tokens: Distinct tokens of each unit, one unit after another.
        vocabulary: One more than the largest token.

    Returns:
        Sorted keys ``row * vocabulary + token`` and their counts, both shape ``(cells filled,)``.
    """
    n_rows = int(rows.max(initial=-1)) + 1
    keys, counts = count_tokens_of_rows(rows, units, offsets, tokens.astype(np.int32), n_rows, vocabulary)
    return keys, counts.astype(np.int64)
