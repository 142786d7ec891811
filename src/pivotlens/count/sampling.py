"""Samples by smallest hash, which can be merged in any order."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pivotlens.arrays import Booleans, Hashes, Integers

EVERYTHING = np.uint64(0xFFFFFFFFFFFFFFFF)
_PENDING = 1 << 20


def is_among(values: npt.NDArray[np.generic], ordered: npt.NDArray[np.generic]) -> Booleans:
    """Tell which values are in an ordered array, shape ``(values,)``."""
    places = np.searchsorted(ordered, values)
    found = np.zeros(values.size, dtype=bool)
    inside = places < ordered.size
    found[inside] = ordered[places[inside]] == values[inside]
    return found


class BottomK:
    """The ``k`` smallest hashes of every key.

    Args:
        n_keys: Number of keys.
        k: Hashes kept a key; 0 stands for all, and then nothing needs to be kept.
    """

    def __init__(self, n_keys: int, k: int) -> None:
        self.k = k
        self.thresholds: Hashes = np.full(n_keys, EVERYTHING, dtype=np.uint64)
        self._keys: list[Integers] = []
        self._hashes: list[Hashes] = []
        self._pending = 0

    def add(self, keys: Integers, hashes: Hashes) -> None:
        """Take in hashes; both arrays have the shape ``(n,)``, and no hash of a key comes twice."""
        if self.k == 0:
            return
        kept = hashes <= self.thresholds[keys]
        self._keys.append(keys[kept])
        self._hashes.append(hashes[kept])
        self._pending += int(kept.sum())
        if self._pending > _PENDING:
            self._prune()

    def _prune(self) -> None:
        keys = np.concatenate([*self._keys, np.zeros(0, dtype=np.int64)])
        hashes = np.concatenate([*self._hashes, np.zeros(0, dtype=np.uint64)])
        order = np.lexsort((hashes, keys))
        keys, hashes = keys[order], hashes[order]
        ranks = np.arange(keys.size) - np.searchsorted(keys, keys, side="left")
        last = ranks == self.k - 1
        self.thresholds[keys[last]] = hashes[last]
        kept = ranks < self.k
        self._keys, self._hashes, self._pending = [keys[kept]], [hashes[kept]], 0

    def result(self) -> tuple[Integers, Hashes]:
        """Return the kept keys and hashes, sorted, shape ``(kept,)``; afterwards ``thresholds`` fit them.

        A unit is in a key's sample exactly if its hash is at most the key's threshold.
        """
        self._prune()
        return self._keys[0], self._hashes[0]
