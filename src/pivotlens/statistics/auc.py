"""Area under the ROC curve, with ties, and its bootstrap over clusters."""

from __future__ import annotations

import numpy as np
import scipy

from pivotlens.arrays import Booleans, Floats
from pivotlens.statistics.bootstrap import resample_indices


def auc(scores: Floats, positive: Booleans) -> float:
    """Return the probability that a positive item scores higher than a negative one, ties counting half.

    The Mann-Whitney statistic of midranks: ``(R₊ − n₊(n₊+1)/2) / (n₊·n₋)`` (Hanley and McNeil 1982).

    Args:
        scores: Shape ``(n,)``; no NaN.
        positive: Shape ``(n,)``.

    Returns:
        A value in 0..1, or NaN where a class is empty.

    >>> auc(np.array([0.9, 0.4, 0.4, 0.1]), np.array([True, True, False, False]))
    0.875
    """
    n_positive = int(positive.sum())
    n_negative = positive.size - n_positive
    if not n_positive or not n_negative:
        return float("nan")
    rank_sum = float(scipy.stats.rankdata(scores)[positive].sum())
    return (rank_sum - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative)


def weighted_auc(scores: Floats, positive: Booleans, weights: Floats) -> Floats:
    """Return the AUC of each of many reweightings of the same items.

    Args:
        scores: Shape ``(n,)``; no NaN.
        positive: Shape ``(n,)``.
        weights: Shape ``(resamples, n)``: how often each item is there.

    Returns:
        Shape ``(resamples,)``; NaN where a class has no weight.
    """
    if scores.size == 0:
        return np.full(weights.shape[0], np.nan)
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(scores[order]) > 0])
    ordered, is_positive = weights[:, order], positive[order]
    positives = np.add.reduceat(ordered * is_positive, starts, axis=1)
    negatives = np.add.reduceat(ordered * ~is_positive, starts, axis=1)
    below = np.cumsum(negatives, axis=1) - negatives
    wins = (positives * (below + negatives / 2)).sum(axis=1)
    pairs = positives.sum(axis=1) * negatives.sum(axis=1)
    areas: Floats = np.divide(wins, pairs, out=np.full(pairs.shape, np.nan), where=pairs > 0)
    return areas


def cluster_weights(clusters: int, resamples: int, seed: int) -> Floats:
    """Return how often each cluster is drawn in each bootstrap resample, shape ``(resamples, clusters)``.

    Items of one cluster (a concept in all its directions) take their cluster's weight, so they stay together.
    """
    weights = np.zeros((resamples, clusters))
    if clusters:
        np.add.at(weights, (np.arange(resamples)[:, None], resample_indices(clusters, resamples, seed)), 1.0)
    return weights
