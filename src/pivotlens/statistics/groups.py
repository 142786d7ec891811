"""Two groups of independent runs, such as trainings with several seeds: how far their means are apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from pivotlens.statistics.bootstrap import Interval
from pivotlens.statistics.paired import detectable_difference


@dataclass(frozen=True)
class Contrast:
    """The difference of two means with its 95 % t-interval.

    Attributes:
        interval: First mean minus second; the ends are NaN where they are not defined.
        degrees: Degrees of freedom; NaN likewise.
        p: Two-sided p-value; NaN likewise.
    """

    interval: Interval
    degrees: float
    p: float


def welch(first: Sequence[float], second: Sequence[float]) -> Contrast:
    """Return the difference of the means of two groups whose variances may differ (docs/method.md#trainings-compared).

    ``SE² = s₁²/n₁ + s₂²/n₂`` with ``SE⁴ / Σ (sᵢ²/nᵢ)²/(nᵢ − 1)`` degrees of freedom (Welch 1947). The interval is not
    defined where a group has fewer than two values, or neither has any variance.

    >>> found = welch([0.30, 0.32, 0.31], [0.28, 0.29, 0.27])
    >>> round(found.interval.value, 3), round(found.interval.low, 4), round(found.degrees, 1)
    (0.03, 0.0073, 4.0)
    """
    value = float(np.mean(first) - np.mean(second))
    undefined = Contrast(Interval(value, math.nan, math.nan), math.nan, math.nan)
    if min(len(first), len(second)) < 2:
        return undefined
    parts = [float(np.var(group, ddof=1)) / len(group) for group in (first, second)]
    error = math.sqrt(sum(parts))
    if not error > 0:
        return undefined
    lower = sum(part**2 / (len(group) - 1) for part, group in zip(parts, (first, second), strict=True))
    degrees = error**4 / lower
    half = float(stats.t.isf(0.025, degrees)) * error
    return Contrast(
        Interval(value, value - half, value + half), degrees, float(2 * stats.t.sf(abs(value) / error, degrees))
    )


def mean_interval(values: Sequence[float]) -> Interval:
    """Return the mean of independent values with its 95 % t-interval; the ends are NaN with fewer than two values.

    >>> [round(one, 3) for one in mean_interval([0.30, 0.32, 0.31])]
    [0.31, 0.285, 0.335]
    """
    mean = float(np.mean(values))
    if len(values) < 2:
        return Interval(mean, math.nan, math.nan)
    half = float(stats.t.isf(0.025, len(values) - 1) * np.std(values, ddof=1)) / math.sqrt(len(values))
    return Interval(mean, mean - half, mean + half)


def standard_deviation(values: Sequence[float]) -> Interval:
    """Return the standard deviation of normal values with its 95 % interval, from the χ² of ``(n − 1)·s²/σ²``.

    >>> [round(one, 3) for one in standard_deviation([0.30, 0.32, 0.31])]
    [0.01, 0.005, 0.063]
    """
    degrees = len(values) - 1
    if degrees < 1:
        return Interval(math.nan, math.nan, math.nan)
    found = float(np.std(values, ddof=1))
    low, high = (found * math.sqrt(degrees / float(stats.chi2.isf(tail, degrees))) for tail in (0.025, 0.975))
    return Interval(found, low, high)


def detectable_contrast(deviation: float, first: int, second: int, alpha: float = 0.05, power: float = 0.8) -> float:
    """Return the smallest true difference of two groups' means that a t-test finds at the given power.

    `detectable_difference` of ``σ·√(1/n₁ + 1/n₂)`` with ``n₁ + n₂ − 2`` degrees of freedom: both groups vary alike.

    Args:
        deviation: Standard deviation within a group.
        first: Values of the first group.
        second: Values of the second.
        alpha: Level of the two-sided test.
        power: Chance to find it.
    """
    return detectable_difference(deviation * math.sqrt(1 / first + 1 / second), first + second - 2, alpha, power)
