"""Percentile bootstrap, resampling whole clusters (concepts) so that their directions stay together."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from pivotlens.arrays import Booleans, Floats, Integers


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
    """Return the mean of ``values`` with its bootstrap interval (docs/method.md#intervals).

    Args:
        values: Shape ``(concepts, directions, shot_sets)``; NaN marks an absent item. The estimate is the mean over
            directions of the means over concepts and shot sets. Concepts are resampled jointly over all directions,
            and shot sets are resampled too.
        resamples: Number of bootstrap resamples.
        seed: Seed of the resampling.

    Four concepts in two directions; one was not asked in the second.

    >>> scores = np.array([[0.9, 0.7], [0.5, 0.1], [0.4, 0.2], [0.6, np.nan]])
    >>> found = bootstrap_mean(scores[..., None], resamples=1000, seed=0)
    >>> round(found.value, 3), found.low < found.value < found.high
    (0.467, True)
    """
    present: Booleans = np.asarray(np.isfinite(values).all(axis=2))
    return bootstrap_sums(np.where(present[..., None], values, 0.0), present.astype(np.float64), resamples, seed)


def bootstrap_sums(sums: Floats, counts: Floats, resamples: int, seed: int) -> Interval:
    """Return a mean with its bootstrap interval, where a cluster may hold several items of a stratum.

    Args:
        sums: Of the items' values, shape ``(clusters, strata, sets)``; 0 where there is none. The estimate is the mean
            over strata of the means over items and sets. Clusters are resampled jointly over all strata, and sets
            are resampled too.
        counts: Items behind each sum, shape ``(clusters, strata)``.
        resamples: Number of bootstrap resamples.
        seed: Seed of the resampling.
    """
    clusters, _, sets = sums.shape
    if clusters == 0:
        return Interval(float("nan"), float("nan"), float("nan"))

    def mean_of(cluster_weights: Floats, set_weights: Floats) -> Floats:
        total = np.einsum("rc,cds,rs->rd", cluster_weights, sums, set_weights, optimize=True)
        count = cluster_weights @ counts * set_weights.sum(axis=1, keepdims=True)
        means = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
        kept = ~np.isnan(means)
        added, n_kept = np.where(kept, means, 0.0).sum(axis=1), kept.sum(axis=1)
        overall: Floats = np.divide(added, n_kept, out=np.full(added.shape, np.nan), where=n_kept > 0)
        return overall

    estimate = float(mean_of(np.ones((1, clusters)), np.ones((1, sets)))[0])
    drawn = mean_of(_draw_counts(clusters, resamples, seed), _draw_counts(sets, resamples, seed + 1))
    return Interval(estimate, *percentile_interval(drawn))


def bootstrap_columns(values: Floats, resamples: int, seed: int) -> tuple[Floats, Floats, Floats]:
    """Return the mean of each column with the ends of its bootstrap interval, each of shape ``(columns,)``.

    Args:
        values: Shape ``(items, columns)``; NaN where an item has no figure. Items are drawn with all their columns.
        resamples: Number of bootstrap resamples.
        seed: Seed of the resampling.

    Returns:
        Means, lower and upper ends; NaN in a column without any figure.
    """
    mean = _column_means(np.ones((1, len(values))), values)[0]
    missing = np.isnan(mean)
    drawn = np.where(missing, 0.0, _column_means(_draw_counts(len(values), resamples, seed), values))
    low, high = np.nanquantile(drawn, [0.025, 0.975], axis=0)
    return mean, np.where(missing, np.nan, low), np.where(missing, np.nan, high)


def _column_means(weights: Floats, values: Floats) -> Floats:
    present = ~np.isnan(values)
    total = weights @ np.where(present, values, 0.0)
    count = weights @ present
    means: Floats = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return means


@functools.lru_cache(maxsize=4)  # a summary asks for the same draws again and again
def _draw_counts(n: int, resamples: int, seed: int) -> Floats:
    """How often each of ``n`` was drawn in each resample, shape ``(resamples, n)``."""
    flat = resample_indices(n, resamples, seed) + np.arange(resamples)[:, None] * n
    return np.bincount(flat.ravel(), minlength=resamples * n).reshape(resamples, n).astype(np.float64)
