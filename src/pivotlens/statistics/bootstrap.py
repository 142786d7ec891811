"""Percentile bootstrap, resampling whole clusters (concepts) so that their directions stay together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class Interval(NamedTuple):
    """An estimate with the ends of its 95 % interval."""

    value: float
    low: float
    high: float


def resample_indices(n: int, resamples: int, seed: int) -> Integers:
    """Return bootstrap indices, shape ``(resamples, n)``, drawn with replacement from ``0..n-1``."""
    return np.random.default_rng(seed).integers(0, n, size=(resamples, n), dtype=np.int64)


def percentile_interval(samples: Floats, level: float = 0.95) -> tuple[float, float]:
    """Return the percentile interval of bootstrap samples, shape ``(resamples,)``; NaN samples are left out.

    Returns:
        The ends, or two NaN where no sample is a number.
    """
    samples = samples[~np.isnan(samples)]
    if samples.size == 0:
        return float("nan"), float("nan")
    tail = (1 - level) / 2
    low, high = np.quantile(samples, [tail, 1 - tail])
    return float(low), float(high)


def bootstrap_mean(values: Floats, resamples: int, seed: int) -> Interval:
    """Return the mean of ``values`` with its bootstrap interval.

    Args:
        values: Shape ``(clusters, …)``; clusters are resampled, and every further axis of a cluster goes with it.
            NaN marks what is absent. The estimate is the mean over the further axes of the means over clusters,
            so that a direction with fewer items weighs as much as another (METHOD §1).
        resamples: Number of bootstrap resamples.
        seed: Seed of the resampling.
    """
    if values.shape[0] == 0:
        return Interval(float("nan"), float("nan"), float("nan"))
    flat = values.reshape(values.shape[0], -1)
    present = ~np.isnan(flat)
    filled = np.where(present, flat, 0.0)

    def mean_of(weights: Floats) -> Floats:
        total, count = weights @ filled, weights @ present
        means = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
        kept = ~np.isnan(means)
        sums = np.where(kept, means, 0.0).sum(axis=-1)
        n_kept = kept.sum(axis=-1)
        means_of_means: Floats = np.divide(sums, n_kept, out=np.full(sums.shape, np.nan), where=n_kept > 0)
        return means_of_means

    indices = resample_indices(flat.shape[0], resamples, seed)
    weights = np.zeros(indices.shape, dtype=np.float64)
    np.add.at(weights, (np.arange(resamples)[:, None], indices), 1.0)
    estimate = float(mean_of(np.ones((1, flat.shape[0])))[0])
    return Interval(estimate, *percentile_interval(mean_of(weights)))
