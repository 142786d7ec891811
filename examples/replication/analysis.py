"""What the experiment says: the endpoint with its intervals, the other contrasts, and the conclusion by rule."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from examples.replication.artifacts import Training, Tries
from examples.replication.settings import NONE, Settings
from pivotlens.statistics.bootstrap import Interval, bootstrap_mean
from pivotlens.statistics.groups import Contrast, detectable_contrast, mean_interval, standard_deviation, welch
from pivotlens.statistics.multiple_testing import holm

RESAMPLES, SEED = 2000, 0
Verdict = Literal["helps", "harms", "null"]


@dataclass(frozen=True)
class Arm:
    """What the trainings of an arm came to.

    Attributes:
        trainings: One a seed.
        score: Mean Score with its t-interval over seeds.
        gain: Mean over seeds minus the Score without any training.
    """

    name: str
    trainings: tuple[Training, ...]
    score: Interval
    gain: float

    @property
    def scores(self) -> list[float]:
        """Score of each seed."""
        return [one.score for one in self.trainings]


@dataclass(frozen=True)
class Compared:
    """The first arm of the endpoint minus another one.

    Attributes:
        other: The other arm.
        seeds: Welch's difference over seeds.
        concepts: The same difference with the bootstrap interval over concepts, of the mean over seeds.
        adjusted_p: Holm's p-value over all contrasts but the endpoint; None of the endpoint, NaN without a p-value.
    """

    other: str
    seeds: Contrast
    concepts: Interval
    adjusted_p: float | None


@dataclass(frozen=True)
class Found:
    """What can be said of the experiment.

    Attributes:
        arms: By name, in the order of the settings.
        reference: The model without training.
        endpoint: The primary contrast.
        contrasts: The others.
        verdict: By the rule of the preregistration.
    """

    arms: Mapping[str, Arm]
    reference: Training
    endpoint: Compared
    contrasts: Sequence[Compared]
    verdict: Verdict


def analyse(settings: Settings, trainings: Sequence[Training]) -> Found:
    """Return what the trainings say.

    Args:
        settings: The experiment.
        trainings: All of them, and the reference.
    """
    reference = next(one for one in trainings if one.arm == NONE)
    arms = {}
    for name in settings.seeds:
        of_arm = tuple(sorted((one for one in trainings if one.arm == name), key=lambda one: one.seed))
        mean = mean_interval([one.score for one in of_arm])
        arms[name] = Arm(name, of_arm, mean, mean.value - reference.score)
    first, control = settings.primary
    endpoint = _compared(arms[first], arms[control])
    others = [_compared(arms[first], arm) for name, arm in arms.items() if name not in settings.primary]
    return Found(arms, reference, endpoint, _adjusted(others), verdict(endpoint.seeds.interval))


def verdict(interval: Interval) -> Verdict:
    """Return the conclusion by the rule that the preregistration gives.

    >>> verdict(Interval(0.02, 0.01, 0.03)), verdict(Interval(0.0, -0.01, 0.01))
    ('helps', 'null')
    """
    if interval.low > 0:
        return "helps"
    return "harms" if interval.high < 0 else "null"


def _compared(first: Arm, other: Arm) -> Compared:
    means = [np.mean([one.values for one in arm.trainings], axis=0) for arm in (first, other)]
    concepts = bootstrap_mean((means[0] - means[1])[..., None], RESAMPLES, SEED)
    return Compared(other.name, welch(first.scores, other.scores), concepts, None)


def _adjusted(contrasts: Sequence[Compared]) -> list[Compared]:
    tested = [one for one in contrasts if not math.isnan(one.seeds.p)]
    values = dict(zip([one.other for one in tested], holm(np.array([one.seeds.p for one in tested])), strict=True))
    return [Compared(one.other, one.seeds, one.concepts, float(values.get(one.other, math.nan))) for one in contrasts]


@dataclass(frozen=True)
class Power:
    """What the experiment can find, by the pilot.

    Attributes:
        deviation: Standard deviation of a seed's Score with its 95 % interval.
        detectable: Smallest difference found with 80 % power at the 5 % level, at that deviation and at both its ends.
    """

    deviation: Interval
    detectable: Interval


def power(settings: Settings, tries: Tries) -> Power:
    """Return what the primary contrast can find, if its arms vary from seed to seed as the pilot's did."""
    deviation = standard_deviation(tries.scores)
    first, control = (settings.seeds[arm] for arm in settings.primary)
    return Power(deviation, Interval(*(detectable_contrast(one, first, control) for one in deviation)))


def last_bits(training: Training, language: str = "all") -> float:
    """Return bits per byte of unseen groups at the last checkpoint of a training."""
    rows = [row for row in training.bits_per_byte if row["language"] == language]
    return float(max(rows, key=lambda row: row["tokens"])["bits_per_byte"])
