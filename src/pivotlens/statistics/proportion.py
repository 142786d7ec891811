"""Intervals of a proportion."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pivotlens.arrays import Floats

Z_95 = 1.959963984540054
"""The 97.5 % point of the standard normal distribution: both tails together hold 5 %."""


def wilson_lower(successes: npt.ArrayLike, trials: npt.ArrayLike, z: float = Z_95) -> Floats:
    """Return the lower end of Wilson's score interval of a proportion (Wilson 1927, JASA 22:209).

    With p = successes/trials: ``(p + z²/2n − z·sqrt(p(1−p)/n + z²/4n²)) / (1 + z²/n)``.

    Args:
        successes: Counts, any shape that broadcasts with ``trials``; ``0 <= successes <= trials``.
        trials: Counts.
        z: Normal quantile; the default gives the 95 % interval.

    Returns:
        Values in 0..1, float64, in the broadcast shape; 0 where there are no trials or no successes.

    Raises:
        ValueError: A count is negative or not a number, or there are more successes than trials.

    >>> wilson_lower([1, 10, 100], [1, 10, 100]).round(2).tolist()
    [0.21, 0.72, 0.96]
    """
    hits, n = np.broadcast_arrays(np.asarray(successes, dtype=np.float64), np.asarray(trials, dtype=np.float64))
    if not np.all((hits >= 0) & (hits <= n)):
        raise ValueError("successes must lie between 0 and trials")
    safe = np.where(n > 0, n, 1.0)
    # Multiplied out by n, so that nothing is lost to rounding where the proportion is tiny.
    spread = z * np.sqrt(hits * (safe - hits) / safe + z * z / 4)
    low = (hits + z * z / 2 - spread) / (safe + z * z)
    return np.asarray(np.where(hits > 0, np.clip(low, 0.0, 1.0), 0.0), dtype=np.float64)


def wilson_interval(successes: npt.ArrayLike, trials: npt.ArrayLike, z: float = Z_95) -> tuple[Floats, Floats]:
    """Return both ends of Wilson's score interval of a proportion; see `wilson_lower`; 0 and 1 without trials.

    >>> low, high = wilson_interval(9, 20)
    >>> round(float(low), 3), round(float(high), 3)
    (0.258, 0.658)
    """
    hits, n = np.broadcast_arrays(np.asarray(successes, dtype=np.float64), np.asarray(trials, dtype=np.float64))
    return wilson_lower(hits, n, z), 1.0 - wilson_lower(n - hits, n, z)
