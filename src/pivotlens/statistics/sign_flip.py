"""Sign-flip test of paired differences."""

from __future__ import annotations

import numpy as np

from pivotlens.arrays import Floats

_CHUNK = 256


def sign_flip_p(parts: Floats, seed: int, flips: int = 10_000) -> float:
    """Return the two-sided p-value of the sum of paired differences under random signs.

    Under the null hypothesis each difference is as likely as its opposite. The observed signs count as one of the
    draws, so that the value is never 0 (Phipson & Smyth 2010, "Permutation p-values should never be zero").

    Args:
        parts: Independent differences, shape ``(n,)``.
        seed: Of the signs.
        flips: Random draws of all signs.
    """
    random = np.random.default_rng(seed)
    observed = abs(parts.sum())
    scale = np.abs(parts).sum() * 1e-12  # equal sums must not differ by the order of their terms
    larger = 0
    for start in range(0, flips, _CHUNK):
        signs = random.integers(0, 2, size=(min(_CHUNK, flips - start), len(parts)), dtype=np.int8) * 2 - 1
        larger += int((np.abs(signs @ parts) >= observed - scale).sum())
    return (larger + 1) / (flips + 1)
