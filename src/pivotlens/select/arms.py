"""Arms: which units each may take, and in which order (docs/method.md#arms)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from pivotlens.arrays import Booleans, Floats, Hashes
from pivotlens.corpus.composition import DOCUMENT_TYPES
from pivotlens.select.config import ArmName, ScoreName, SelectConfig
from pivotlens.select.units import ScoredUnits

HOW: Mapping[ArmName, str] = {
    "top": "The units richest in pivots, by the setting `score`.",
    "matched": "Units drawn at random that are like those of `top` in language composition, document type, length and "
    "source, and are not in it: the primary control.",
    "random": "Units drawn at random.",
    "bridge": "The units with the most mining words beside their own pivots, per token.",
    "excess": "The units whose share of pivot tokens is farthest above that of text of the same languages.",
    "share": "The units with the largest share of pivot tokens, as in the paper.",
    "sample": "Units drawn by the setting `score`, the richer the likelier.",
    "pseudo_pivots": "The units with the most mining words beside pivots of other words of like frequency: a control "
    "for which word goes with which pivot.",
    "word_density": "The units with the most mining words, whatever stands beside them: a control for the words.",
    "english_only": "English units drawn at random, at the budget of all languages together: a control for English.",
    "parallel": "Units drawn at random among those with the same text in two languages: a control for translations.",
    "code_mixed": "Units drawn at random among those that change language within lines.",
    "dsir": "Units drawn by hashed n-gram importance weights (DSIR) toward those that hold two mining words.",
}
"""What each arm is."""
BY_SCORE: tuple[ArmName, ...] = ("top", "sample", "bridge", "excess", "share")
"""Arms that go by a score."""


@dataclass
class Spread:
    """Mean and spread of a score among the units of each language that could be taken."""

    score: ScoreName
    _sums: dict[int, tuple[int, int, int]] = field(default_factory=dict)

    @property
    def _steps(self) -> int:
        """How finely scores are summed: bridges are up to a thousand, shares up to one."""
        return 1 << 10 if self.score == "bridge" else 1 << 20

    def add(self, units: ScoredUnits) -> None:
        """Add units."""
        values = getattr(units, self.score)
        for language in np.unique(units.language[units.eligible]).tolist():
            of_language = values[units.eligible & (units.language == language)]
            n, total, squares = self._sums.get(language, (0, 0, 0))
            # Whole numbers, so that the sums do not hang on how the corpus is cut; squares stay below 2^40 a unit.
            steps = np.rint(of_language * self._steps).astype(np.int64)
            self._sums[language] = (n + steps.size, total + int(steps.sum()), squares + int(steps @ steps))

    def standardised(self, units: ScoredUnits) -> Floats:
        """Return the score of each unit in standard deviations from its language's mean; 0 where all are equal."""
        values = np.zeros(units.size)
        for language in np.unique(units.language).tolist():
            n, total, squares = self._sums.get(language, (0, 0, 0))
            mean = total / max(n, 1) / self._steps
            deviation = np.sqrt(max(squares / max(n, 1) / self._steps**2 - mean * mean, 0.0))
            here = units.language == language
            if deviation > 0:
                values[here] = (getattr(units, self.score)[here] - mean) / deviation
        return values


@dataclass(frozen=True)
class Order:
    """In which order an arm takes units.

    Attributes:
        arm: The arm.
        config: The settings.
        english: Number of English.
        spread: Of the score, for arm ``sample``.
    """

    arm: ArmName
    config: SelectConfig
    english: int
    spread: Spread

    def candidates(self, units: ScoredUnits) -> Booleans:
        """Tell which units it may take, shape ``(units,)``."""
        may = units.eligible.copy()
        if self.arm == "english_only":
            may &= units.language == self.english
        elif self.arm == "parallel" or self.arm == "code_mixed":
            may &= units.document_type == DOCUMENT_TYPES.index(self.arm)
        return may

    def keys(self, units: ScoredUnits) -> Floats:
        """Return numbers by which units are taken, the smallest first, shape ``(units,)``."""
        match self.arm:
            case "top":
                return -_floats(units, self.config.score)
            case "bridge" | "excess" | "share":
                return -_floats(units, self.arm)
            case "sample":
                return -(self.spread.standardised(units) / self.config.temperature + self._gumbel(units))
            case "pseudo_pivots":
                return -units.bridge_shuffled
            case "word_density":
                return -units.words
            case "dsir":
                return -(units.importance + self._gumbel(units))
            case _:
                return np.zeros(units.size)

    def hashes(self, units: ScoredUnits) -> Hashes:
        """Return the seeded hashes that decide between equal keys; draws of different arms are independent."""
        return units.hashes(self.config.seed, self.arm)

    def _gumbel(self, units: ScoredUnits) -> Floats:
        """Return Gumbel noise: the largest sums are a draw without replacement by the exponential of the score.

        As DSIR and QuRating draw; the noise follows from each unit's hash.
        """
        uniform = (units.hashes(self.config.seed, f"{self.arm} noise") >> np.uint64(11)) / 2**53
        return np.asarray(-np.log(-np.log(np.clip(uniform, 2.0**-54, 1 - 2.0**-54))), dtype=np.float64)


def _floats(units: ScoredUnits, score: ScoreName) -> Floats:
    values: Floats = getattr(units, score)
    return values
