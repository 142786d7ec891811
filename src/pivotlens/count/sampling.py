"""Samples by smallest hash, which can be merged in any order."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pivotlens.arrays import Booleans, Hashes, Integers

EVERYTHING = np.uint64(0xFFFFFFFFFFFFFFFF)
_PENDING = 1 << 20
# There are many samples of one key, and few of many: what waits to be sorted is to be as little as what is kept.
_PENDING_A_PLACE = 4
_KEYS_AT_ONCE = 256


def is_among(values: npt.NDArray[np.generic], ordered: npt.NDArray[np.generic]) -> Booleans:
    """Tell which values are in an ordered array, shape ``(values,)``."""
    places = np.searchsorted(ordered, values)
    found = np.zeros(values.size, dtype=bool)
    inside = places < ordered.size
    found[inside] = ordered[places[inside]] == values[inside]
    return found


class BottomK:
    """The ``k`` smallest hashes of every key.

    Memory is that of the hashes kept, eight bytes each, and of a block of keys that is pruned.

    Args:
        n_keys: Number of keys.
        k: Hashes kept a key; 0 stands for all, and then nothing needs to be kept.
    """

    def __init__(self, n_keys: int, k: int) -> None:
        self.k = k
        self._n_keys = n_keys
        self._most_pending = min(_PENDING, _PENDING_A_PLACE * n_keys * k)
        self._thresholds: Hashes = np.full(n_keys, EVERYTHING, dtype=np.uint64)
        starts = range(0, max(n_keys, 1), _KEYS_AT_ONCE)
        self._kept = [np.zeros(0, dtype=np.uint64) for _ in starts]
        self._lengths = [np.zeros(min(_KEYS_AT_ONCE, n_keys - start), dtype=np.int64) for start in starts]
        self._keys: list[Integers] = []
        self._hashes: list[Hashes] = []
        self._pending = 0

    def add(self, keys: Integers, hashes: Hashes) -> None:
        """Take in hashes; both arrays have the shape ``(n,)``, and no hash of a key comes twice."""
        if self.k == 0:
            return
        kept = hashes <= self._thresholds[keys]
        self._keys.append(keys[kept])
        self._hashes.append(hashes[kept])
        self._pending += int(kept.sum())
        if self._pending > self._most_pending:
            self._prune()

    def _prune(self) -> None:
        keys = np.concatenate([*self._keys, np.zeros(0, dtype=np.int64)])
        hashes = np.concatenate([*self._hashes, np.zeros(0, dtype=np.uint64)])
        self._keys, self._hashes, self._pending = [], [], 0
        order = np.argsort(keys, kind="stable")
        keys, hashes = keys[order], hashes[order]
        edges = np.searchsorted(keys, np.arange(0, self._n_keys + _KEYS_AT_ONCE, _KEYS_AT_ONCE))
        for block in np.flatnonzero(np.diff(edges)).tolist():
            here = slice(edges[block], edges[block + 1])
            self._merge(block, keys[here] - block * _KEYS_AT_ONCE, hashes[here])

    def _merge(self, block: int, keys: Integers, hashes: Hashes) -> None:
        """Take hashes into a block of keys, which are numbered within it."""
        lengths = self._lengths[block]
        keys = np.concatenate([np.repeat(np.arange(lengths.size), lengths), keys])
        hashes = np.concatenate([self._kept[block], hashes])
        order = np.lexsort((hashes, keys))
        keys, hashes = keys[order], hashes[order]
        ranks = np.arange(keys.size) - np.searchsorted(keys, keys, side="left")
        last = ranks == self.k - 1
        self._thresholds[block * _KEYS_AT_ONCE + keys[last]] = hashes[last]
        kept = ranks < self.k
        self._kept[block] = hashes[kept]
        self._lengths[block] = np.bincount(keys[kept], minlength=lengths.size)

    @property
    def thresholds(self) -> Hashes:
        """The largest hash of each key's sample, shape ``(keys,)``: a unit is in it if its hash is at most that."""
        if self._pending:
            self._prune()
        return self._thresholds

    def result(self) -> tuple[Integers, Hashes]:
        """Return the kept keys and hashes, sorted, shape ``(kept,)``."""
        if self._pending:
            self._prune()
        lengths = np.concatenate([*self._lengths, np.zeros(0, dtype=np.int64)])
        return np.repeat(np.arange(lengths.size), lengths), np.concatenate(self._kept)
