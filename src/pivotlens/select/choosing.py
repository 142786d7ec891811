"""Taking units until a language's token budget is met, in memory that the budget bounds and not the corpus."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pivotlens.arrays import Booleans, Floats, Hashes, Integers
from pivotlens.select.scoring import Mode, ScoredUnits

_PENDING = 1 << 14


def choose(mode: Mode, units: ScoredUnits, budget_tokens: int) -> Booleans:
    """Choose units, each language for itself.

    ``top`` goes by the lower bound of the pivot share, from the highest, and by the hash where bounds are equal;
    ``random`` by the hash alone. Both stop before the first unit that would exceed the budget and never skip ahead,
    so a larger budget chooses the same units and more.

    Args:
        mode: How units are ordered.
        units: What there is to choose from.
        budget_tokens: Most tokens a language.

    Returns:
        Which units are chosen, shape ``(units,)``.
    """
    chooser = Chooser(mode, budget_tokens)
    chooser.add(units)
    return chooser.takes(units)


class Chooser:
    """Chooses as `choose` does, from units that come piece by piece, in any order.

    Args:
        mode: How units are ordered.
        budget_tokens: Most tokens a language.
    """

    def __init__(self, mode: Mode, budget_tokens: int) -> None:
        self.mode = mode
        self.budget_tokens = budget_tokens
        self._languages: dict[str, _Budget] = {}

    def add(self, units: ScoredUnits) -> None:
        """Take note of units."""
        for language, _, candidates in self._candidates(units):
            self._languages.setdefault(language, _Budget(self.budget_tokens)).add(candidates)

    def takes(self, units: ScoredUnits) -> Booleans:
        """Tell which units are chosen once all have been added, shape ``(units,)``."""
        chosen = np.zeros(units.language.size, dtype=bool)
        for language, numbers, candidates in self._candidates(units):
            chosen[numbers] = self._languages[language].takes(candidates)
        return chosen

    def _candidates(self, units: ScoredUnits) -> Iterator[tuple[str, Integers, _Candidates]]:
        for language in np.unique(units.language[units.eligible]).tolist():
            numbers = np.flatnonzero(units.eligible & (units.language == language))
            bounds = -units.pivot_share_low[numbers] if self.mode == "top" else np.zeros(numbers.size)
            hashes = units.hashes[self.mode][numbers]
            yield (
                units.languages[language],
                numbers,
                _Candidates(bounds, hashes, units.first + numbers, units.n_tokens[numbers]),
            )


@dataclass(frozen=True)
class _Candidates:
    """Eligible units of one language; the smaller ``(bounds, hashes, places)``, the earlier one is taken."""

    bounds: Floats
    hashes: Hashes
    places: Integers
    n_tokens: Integers

    def __getitem__(self, which: Integers | Booleans) -> _Candidates:
        return _Candidates(self.bounds[which], self.hashes[which], self.places[which], self.n_tokens[which])

    @classmethod
    def joined(cls, parts: Sequence[_Candidates]) -> _Candidates:
        return cls(
            np.concatenate([part.bounds for part in parts]),
            np.concatenate([part.hashes for part in parts]),
            np.concatenate([part.places for part in parts]),
            np.concatenate([part.n_tokens for part in parts]),
        )

    def before(self, last: _Candidates) -> Booleans:
        """Tell which come before another candidate, the only one of ``last``."""
        nearer = (self.hashes < last.hashes) | ((self.hashes == last.hashes) & (self.places < last.places))
        earlier: Booleans = (self.bounds < last.bounds) | ((self.bounds == last.bounds) & nearer)
        return earlier


class _Budget:
    """What of one language fits a budget.

    The first candidate that exceeds it can never be taken when more come, nor can any after it: only those before it
    are kept.
    """

    def __init__(self, tokens: int) -> None:
        self._tokens = tokens
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

    def _prune(self) -> None:
        held = _Candidates.joined(self._held)
        ordered = held[np.lexsort((held.places, held.hashes, held.bounds))]
        within = int(np.searchsorted(np.cumsum(ordered.n_tokens), self._tokens, side="right"))
        if within < ordered.places.size:
            self._last = ordered[np.array([within])]
        self._held, self._pending = [ordered[np.arange(within)]], 0
        self._most_pending = max(_PENDING, within)  # sorting again and again would cost more than what it frees
