"""Lower bound of a rate."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincinv

from pivotlens.arrays import Floats


def poisson_lower(events: npt.ArrayLike, exposure: npt.ArrayLike, level: float = 0.95) -> Floats:
    """Return the lower end of the exact interval of a Poisson rate (Garwood 1936, Biometrika 28:437).

    For k events in an exposure e: the (1 − level)/2 quantile of a gamma distribution of shape k, over e.

    Args:
        events: Counts, any shape that broadcasts with ``exposure``; at least 0.
        exposure: What they were counted over, such as tokens; at least 0.
        level: Of the two-sided interval.

    Returns:
        Rates per unit of exposure, float64, in the broadcast shape; 0 where there are no events or no exposure.

    Raises:
        ValueError: A count or an exposure is negative or not a number.

    >>> poisson_lower([0, 1, 10, 100], 1000).round(4).tolist()
    [0.0, 0.0, 0.0048, 0.0814]
    """
    counts, over = np.broadcast_arrays(np.asarray(events, dtype=np.float64), np.asarray(exposure, dtype=np.float64))
    if not np.all((counts >= 0) & (over >= 0)):
        raise ValueError("events and exposure must not be negative")
    distinct, places = np.unique(counts, return_inverse=True)  # counts are few, quantiles dear
    low = np.zeros(distinct.size)
    low[distinct > 0] = gammaincinv(distinct[distinct > 0], (1 - level) / 2)
    there = (counts > 0) & (over > 0)
    return np.asarray(np.where(there, low[places].reshape(counts.shape) / np.where(there, over, 1.0), 0.0))
