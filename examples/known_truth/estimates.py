"""Means with intervals: over seeds, each a world of its own, and over the concepts within them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pivotlens.arrays import Floats
from pivotlens.statistics.groups import mean_interval

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

    def shown(self, digits: int = 2) -> str:
        """Return mean and interval over seeds, as tables show them."""
        if np.isnan(self.mean):
            return "–"
        mean, low, high = (_number(value, digits) for value in (self.mean, self.low, self.high))
        return mean if np.isnan(self.low) else f"{mean} [{low}, {high}]"

    def shown_share(self, digits: int = 2) -> str:
        """Return the same of a figure between 0 and 1, which a t-interval of few seeds can leave."""
        return Estimate(self.mean, max(self.low, 0.0), min(self.high, 1.0), self.seeds).shown(digits)

    def shown_concepts(self, digits: int = 2) -> str:
        """Return the interval over concepts."""
        if np.isnan(self.concepts[0]):
            return "–"
        return f"[{', '.join(_number(value, digits) for value in self.concepts)}]"


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", "−")


def over_seeds(values: Sequence[float]) -> Estimate:
    """Return the mean of a value a seed; seeds that have none (NaN) are left out."""
    kept = [float(value) for value in values if not np.isnan(value)]
    if not kept:
        return Estimate(float("nan"), float("nan"), float("nan"), ())
    return Estimate(*mean_interval(kept), tuple(kept))


def difference(groups: Sequence[tuple[Floats, Floats]], seed: int = 0) -> Estimate:
    """Return the difference of two groups' means; a seed in which either is empty has none.

    Args:
        groups: A seed's values of both groups, an entry a concept.
        seed: Of the resamples of concepts.
    """
    random = np.random.default_rng(seed)
    resampled = [_resampled(first, random) - _resampled(second, random) for first, second in groups]
    return _with_concepts([_mean(first) - _mean(second) for first, second in groups], resampled)


def mean_of(groups: Sequence[Floats], seed: int = 0) -> Estimate:
    """Return the mean of one group; see `difference`."""
    random = np.random.default_rng(seed)
    return _with_concepts([_mean(group) for group in groups], [_resampled(group, random) for group in groups])


def _with_concepts(values: Sequence[float], resampled: Sequence[Floats]) -> Estimate:
    found = over_seeds(values)
    kept = [each for each, value in zip(resampled, values, strict=True) if not np.isnan(value)]
    if not kept:
        return found
    low, high = np.quantile(np.mean(kept, axis=0), (0.025, 0.975))
    return Estimate(found.mean, found.low, found.high, found.seeds, (float(low), float(high)))


def _resampled(group: Floats, random: np.random.Generator) -> Floats:
    """Return means of resampled concepts, shape ``(resamples,)``; NaN where there are none."""
    if group.size == 0:
        return np.full(_RESAMPLES, np.nan)
    found: Floats = group[random.integers(group.size, size=(_RESAMPLES, group.size))].mean(axis=1)
    return found


def _mean(values: Floats) -> float:
    return float(values.mean()) if values.size else float("nan")
