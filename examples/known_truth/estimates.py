"""Means with intervals: over seeds, each a world of its own, and over the concepts within them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from pivotlens.arrays import Floats

_RESAMPLES = 2000


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds.

    Attributes:
        mean: Of the seeds' values.
        low: Lower end of the 95 % t-interval over seeds; NaN with fewer than two.
        high: Its upper end.
        seeds: The seeds' values.
        concepts: 95 % interval over concepts, resampled within each seed; NaN where it was not asked for.
    """

    mean: float
    low: float
    high: float
    seeds: tuple[float, ...]
    concepts: tuple[float, float] = (float("nan"), float("nan"))

    def shown(self, digits: int = 2, scale: float = 1.0) -> str:
        """Return mean and interval over seeds, as tables show them."""
        if np.isnan(self.mean):
            return "–"
        mean, low, high = (
            f"{value * scale:.{digits}f}".replace("-", "−") for value in (self.mean, self.low, self.high)
        )
        return mean if np.isnan(self.low) else f"{mean} [{low}, {high}]"

    def shown_concepts(self, digits: int = 2, scale: float = 1.0) -> str:
        """Return the interval over concepts."""
        if np.isnan(self.concepts[0]):
            return "–"
        low, high = (f"{value * scale:.{digits}f}".replace("-", "−") for value in self.concepts)
        return f"[{low}, {high}]"


def over_seeds(values: Sequence[float]) -> Estimate:
    """Return the mean of a value a seed; seeds that have none (NaN) are left out."""
    kept = np.array([value for value in values if not np.isnan(value)])
    if kept.size == 0:
        return Estimate(float("nan"), float("nan"), float("nan"), ())
    mean = float(kept.mean())
    if kept.size < 2:
        return Estimate(mean, float("nan"), float("nan"), tuple(kept.tolist()))
    half = float(stats.t.ppf(0.975, kept.size - 1) * stats.sem(kept))
    return Estimate(mean, mean - half, mean + half, tuple(kept.tolist()))


def difference(groups: Sequence[tuple[Floats, Floats]], seed: int = 0) -> Estimate:
    """Return the difference of two groups' means.

    Args:
        groups: A seed's values of both groups, an entry a concept; an empty second group counts as 0.
        seed: Of the resamples of concepts.
    """
    random = np.random.default_rng(seed)
    found = over_seeds([_mean(first) - (_mean(second) if second.size else 0.0) for first, second in groups])
    resampled = np.zeros(_RESAMPLES)
    for first, second in groups:
        for group, sign in ((first, 1.0), (second, -1.0)):
            if group.size:
                drawn = random.integers(group.size, size=(_RESAMPLES, group.size))
                resampled += sign * group[drawn].mean(axis=1) / len(groups)
    low, high = np.quantile(resampled, (0.025, 0.975))
    return Estimate(found.mean, found.low, found.high, found.seeds, (float(low), float(high)))


def mean_of(groups: Sequence[Floats], seed: int = 0) -> Estimate:
    """Return the mean of one group; see `difference`."""
    return difference([(group, np.zeros(0)) for group in groups], seed)


def _mean(values: Floats) -> float:
    return float(values.mean()) if values.size else float("nan")
