"""Counts of far more cells than are ever filled."""

from __future__ import annotations

import numpy as np

from pivotlens.text.matching import Integers, ragged_take

_INCREMENTS = 1 << 23


class SparseCounts:
    """Sums of counts by key, kept as sorted runs that are merged when they are of similar length.

    Merging is addition: the order in which counts come does not matter.
    """

    def __init__(self) -> None:
        self._runs: list[tuple[Integers, Integers]] = []

    def add(self, keys: Integers, counts: Integers) -> None:
        """Take in counts; ``keys`` sorted and distinct, both shape ``(n,)``, int64."""
        if keys.size == 0:
            return
        self._runs.append((keys, counts))
        while len(self._runs) > 1 and self._runs[-2][0].size <= 2 * self._runs[-1][0].size:
            self._merge_last()

    def _merge_last(self) -> None:
        (keys_a, counts_a), (keys_b, counts_b) = self._runs.pop(), self._runs.pop()
        self._runs.append(_summed(np.concatenate([keys_a, keys_b]), np.concatenate([counts_a, counts_b])))

    def total(self) -> tuple[Integers, Integers]:
        """Return the sorted keys and their counts, shape ``(keys,)``."""
        while len(self._runs) > 1:
            self._merge_last()
        return self._runs[0] if self._runs else (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))


def _summed(keys: Integers, counts: Integers) -> tuple[Integers, Integers]:
    order = np.argsort(keys, kind="stable")  # linear where sorted runs follow one another
    keys, counts = keys[order], counts[order]
    first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    return keys[first], np.add.reduceat(counts, first)


def count_keys(keys: Integers) -> tuple[Integers, Integers]:
    """Return distinct keys, sorted, and how often each occurs."""
    keys = np.sort(keys)
    first = np.flatnonzero(np.concatenate([np.ones(min(keys.size, 1), dtype=bool), keys[1:] != keys[:-1]]))
    return keys[first], np.diff(np.append(first, keys.size))


def joint_counts(rows: Integers, units: Integers, offsets: Integers, tokens: Integers, vocabulary: int) -> SparseCounts:
    """Count, for every row and token, the units that belong to the row and contain the token.

    Args:
        rows: Row of each (row, unit) pair, shape ``(pairs,)``; each pair once.
        units: Unit of each pair.
        offsets: Where each unit's tokens begin in ``tokens``, shape ``(units + 1,)``.
        tokens: Distinct tokens of each unit, one unit after another.
        vocabulary: One more than the largest token.

    Returns:
        Counts by ``row * vocabulary + token``.
    """
    counts = SparseCounts()
    order = np.argsort(rows, kind="stable")
    rows, units = rows[order], units[order]
    increments = offsets[units + 1] - offsets[units]
    present = np.zeros(vocabulary, dtype=bool)
    present[tokens] = True
    known = np.flatnonzero(present)
    compact = np.cumsum(present, dtype=np.int64)[tokens] - 1
    first = np.flatnonzero(np.concatenate([np.ones(min(rows.size, 1), dtype=bool), rows[1:] != rows[:-1]]))
    ends = np.append(first[1:], rows.size)
    work = np.add.reduceat(increments, first) if first.size else np.zeros(0, dtype=np.int64)
    # A row with many increments is counted in a table of its own; the others are sorted together.
    large = work * 4 > known.size
    filled_keys, filled_counts = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for begin, end in zip(first[large], ends[large], strict=True):
        table = np.zeros(known.size, dtype=np.int64)
        for low in range(begin, end, 1 << 12):
            _, found = ragged_take(offsets, compact, units[low : min(low + (1 << 12), end)])
            table += np.bincount(found, minlength=known.size)
        filled = np.flatnonzero(table)
        filled_keys.append(rows[begin] * vocabulary + known[filled])
        filled_counts.append(table[filled])
    counts.add(np.concatenate(filled_keys), np.concatenate(filled_counts))
    small = np.repeat(~large, ends - first)
    rows, units, increments = rows[small], units[small], increments[small]
    blocks = np.cumsum(increments) // _INCREMENTS
    for block in range(int(blocks[-1]) + 1 if blocks.size else 0):
        low, high = np.searchsorted(blocks, [block, block + 1])
        origins, found = ragged_take(offsets, tokens, units[low:high])
        counts.add(*count_keys(rows[low:high][origins] * vocabulary + found))
    return counts
