"""Taking units until a language's budget is met, in memory that the budget bounds and not the corpus."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pivotlens.arrays import Booleans, Floats, Hashes, Integers
from pivotlens.select.budgets import Budgets
from pivotlens.select.units import ScoredUnits

_PENDING = 1 << 14


class Ordering(Protocol):
    """In which order units are taken."""

    def candidates(self, units: ScoredUnits) -> Booleans:
        """Tell which units may be taken, shape ``(units,)``."""

    def keys(self, units: ScoredUnits) -> Floats:
        """Return numbers by which units are taken, the smallest first, shape ``(units,)``."""

    def hashes(self, units: ScoredUnits) -> Hashes:
        """Return what decides between equal keys, shape ``(units,)``."""


class Chooser:
    """Chooses units, each language for itself, from units that come shard by shard, in any order.

    It stops before the first unit that would exceed the budget and never skips ahead, so a larger budget chooses the
    same units and more.

    Args:
        order: In which order units are taken.
        budgets: How much of each language.
    """

    def __init__(self, order: Ordering, budgets: Budgets) -> None:
        self.order = order
        self.budgets = budgets
        self._languages = {language: _Budget(most) for language, most in budgets.of_language.items()}

    def add(self, units: ScoredUnits) -> None:
        """Take note of units."""
        for language, _, candidates in self._candidates(units):
            self._languages[language].add(candidates)

    def takes(self, units: ScoredUnits) -> Booleans:
        """Tell which units are chosen once all have been added, shape ``(units,)``."""
        chosen = np.zeros(units.size, dtype=bool)
        for language, numbers, candidates in self._candidates(units):
            chosen[numbers] = self._languages[language].takes(candidates)
        return chosen

    def shortages(self) -> dict[int, int]:
        """Return what is there in each language that has less than its budget."""
        there = {language: budget.all_there for language, budget in self._languages.items()}
        return {
            language: found
            for language, found in there.items()
            if found is not None and found < self.budgets.of_language[language]
        }

    def _candidates(self, units: ScoredUnits) -> Iterator[tuple[int, Integers, _Candidates]]:
        may = self.order.candidates(units)
        keys, hashes, costs = self.order.keys(units), self.order.hashes(units), self.budgets.cost(units)
        places = units.places
        for language in np.unique(units.language[may]).tolist():
            if language in self._languages:
                numbers = np.flatnonzero(may & (units.language == language))
                yield (
                    language,
                    numbers,
                    _Candidates(keys[numbers], hashes[numbers], places[numbers], costs[numbers]),
                )


@dataclass(frozen=True)
class _Candidates:
    """Units of one language; the smaller ``(keys, hashes, places)``, the earlier one is taken."""

    keys: Floats
    hashes: Hashes
    places: Integers
    costs: Integers

    def __getitem__(self, which: Integers | Booleans) -> _Candidates:
        return _Candidates(self.keys[which], self.hashes[which], self.places[which], self.costs[which])

    @classmethod
    def joined(cls, parts: Sequence[_Candidates]) -> _Candidates:
        return cls(
            np.concatenate([part.keys for part in parts]),
            np.concatenate([part.hashes for part in parts]),
            np.concatenate([part.places for part in parts]),
            np.concatenate([part.costs for part in parts]),
        )

    def before(self, last: _Candidates) -> Booleans:
        """Tell which come before another candidate, the only one of ``last``."""
        nearer = (self.hashes < last.hashes) | ((self.hashes == last.hashes) & (self.places < last.places))
        earlier: Booleans = (self.keys < last.keys) | ((self.keys == last.keys) & nearer)
        return earlier


class _Budget:
    """What of one language fits a budget.

    The first candidate that exceeds it can never be taken when more come, nor can any after it: only those before it
    are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: list[_Candidates] = []
        self._pending = 0
        self._most_pending = _PENDING
        self._last: _Candidates | None = None

    def add(self, candidates: _Candidates) -> None:
        if self._last is not None:
            candidates = candidates[candidates.before(self._last)]
        self._held.append(candidates)
        self._pending += candidates.places.size
        if self._pending > self._most_pending:
            self._prune()

    def takes(self, candidates: _Candidates) -> Booleans:
        if self._pending:
            self._prune()
        return np.ones(candidates.places.size, bool) if self._last is None else candidates.before(self._last)

    @property
    def all_there(self) -> int | None:
        """What all candidates take together; None where one of them does not fit."""
        if self._pending:
            self._prune()
        return None if self._last is not None else sum(int(held.costs.sum()) for held in self._held)

    def _prune(self) -> None:
        held = _Candidates.joined(self._held)
        ordered = held[np.lexsort((held.places, held.hashes, held.keys))]
        within = int(np.searchsorted(np.cumsum(ordered.costs), self._most, side="right"))
        if within < ordered.places.size:
            self._last = ordered[np.array([within])]
        self._held, self._pending = [ordered[np.arange(within)]], 0
        self._most_pending = max(_PENDING, within)  # sorting again and again would cost more than what it frees
