"""Types of the arrays that the rooms pass to each other, and arrays whose rows differ in length."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
"""Hashes of units or texts, which are compared and drawn by, never added."""
Booleans = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]


def ragged(rows: Sequence[Sequence[int]]) -> tuple[Integers, Integers]:
    """Return rows of different lengths as offsets and values, for `ragged_take`.

    Returns:
        Where each row begins and where the last ends, shape ``(n_rows + 1,)``, and all rows one after another.

    >>> offsets, values = ragged([[5, 3], [], [4]])
    >>> offsets.tolist(), values.tolist()
    ([0, 2, 2, 3], [5, 3, 4])
    """
    offsets = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum([len(row) for row in rows], out=offsets[1:])
    return offsets, np.fromiter(chain.from_iterable(rows), dtype=np.int64, count=int(offsets[-1]))


def ragged_take(offsets: Integers, values: Integers, rows: Integers) -> tuple[Integers, Integers]:
    """Take whole rows of a ragged array.

    Args:
        offsets: Where each row begins in ``values``, and the end of the last, shape ``(n_rows + 1,)``.
        values: All rows one after another.
        rows: Rows to take, shape ``(taken,)``, in any order, repeats allowed.

    Returns:
        The position in ``rows`` that each value comes from, and the values; both shape ``(total,)``.

    >>> origins, values = ragged_take(*ragged([[5, 3], [], [4]]), np.array([2, 0]))
    >>> origins.tolist(), values.tolist()
    ([0, 1, 1], [4, 5, 3])
    """
    lengths = offsets[rows + 1] - offsets[rows]
    origins = np.repeat(np.arange(rows.size, dtype=np.int64), lengths)
    ends = np.cumsum(lengths)
    within = np.arange(origins.size, dtype=np.int64) - np.repeat(ends - lengths, lengths)
    return origins, values[np.repeat(offsets[rows], lengths) + within]


def sorted_distinct(values: Integers) -> Integers:
    """Return distinct values in order; for whole numbers several times faster than `numpy.unique`, which hashes.

    >>> sorted_distinct(np.array([4, 1, 4, 2])).tolist()
    [1, 2, 4]
    """
    values = np.sort(values)
    first = np.ones(values.size, dtype=bool)
    np.not_equal(values[1:], values[:-1], out=first[1:])
    return values[first]
