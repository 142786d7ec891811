"""Strata of units: pieces of text that hold about as much as each other, of their own language and of others."""

from __future__ import annotations

import numpy as np

from pivotlens.arrays import Floats, Integers
from pivotlens.corpus import UnitBatch

LENGTHS = (0, 256, 1024, 4096, 16384)
"""Least characters of a unit by step of length."""
OTHERS = (0, 1, 128, 512, 2048, 8192)
"""Least characters of a unit in other languages than its own, by step."""
N_STRATA = len(LENGTHS) * len(OTHERS)


def strata_of(batch: UnitBatch) -> Integers:
    """Return the stratum of each unit of a batch, shape ``(units,)`` (docs/method.md#strata)."""
    lengths = np.array([len(text) for text in batch.texts], dtype=np.int64)
    return strata(lengths, batch.composition.identified * (1 - _own_shares(batch)))


def _own_shares(batch: UnitBatch) -> Floats:
    found = batch.composition
    number = {code: place for place, code in enumerate(found.codes)}
    own = np.array([number.get(code, -1) for code in batch.languages], dtype=np.int64)
    unit_of_cell = np.repeat(np.arange(own.size), np.diff(found.offsets))
    is_own = found.languages == own[unit_of_cell]
    shares = np.zeros(own.size)
    shares[unit_of_cell[is_own]] = found.shares[is_own]
    return shares


def strata(lengths: Integers, others: Floats) -> Integers:
    """Return strata by characters of the units and by those of them in other languages.

    >>> strata(np.array([100, 100, 5000]), np.array([0.0, 60.0, 700.0])).tolist()
    [0, 1, 21]
    """
    # Half a character absorbs the rounding of shares.
    steps = np.searchsorted(np.array(OTHERS), others + 0.5, side="right") - 1
    return (np.searchsorted(np.array(LENGTHS), lengths, side="right") - 1) * len(OTHERS) + steps
