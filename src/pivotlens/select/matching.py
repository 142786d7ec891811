"""The primary control: units drawn at random that are like those of arm ``top`` (docs/method.md#matched-units)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pivotlens.arrays import Booleans, Floats, Hashes, Integers
from pivotlens.select.budgets import sum_by
from pivotlens.select.choosing import Chooser
from pivotlens.select.units import ScoredUnits

LEVELS = (
    "composition, type, length, source",
    "composition, type, length",
    "composition, type, length decile",
    "composition, type",
    "composition to ten points, type",
    "composition to ten points",
)
"""What units are matched on, at first and where too few are alike in all of it.

Composition is to two points, length to a twelfth.
"""
_BY_COMPOSITION = 5
_RESERVE = 3
_RESERVE_LEVEL = 1000.0
_PENDING = 1 << 16
_TYPES, _DECILES, _LENGTHS, _SOURCES = 4, 16, 256, 1 << 13
_BINS_AN_OCTAVE = 16


@dataclass
class Lengths:
    """Tenths of the units of each language that could be taken, by their tokens, to within a twentieth."""

    _counts: dict[int, Integers] = field(default_factory=dict)

    def add(self, units: ScoredUnits) -> None:
        """Add units."""
        bins = _length_bins(units.n_tokens)
        for language in np.unique(units.language[units.eligible]).tolist():
            of_language = bins[units.eligible & (units.language == language)]
            counts = np.bincount(of_language, minlength=64 * _BINS_AN_OCTAVE)
            self._counts[language] = self._counts.get(language, np.zeros_like(counts)) + counts

    def deciles(self, units: ScoredUnits) -> Integers:
        """Return the tenth, from 0, that each unit is in, shape ``(units,)``."""
        bins = _length_bins(units.n_tokens)
        deciles = np.zeros(units.size, dtype=np.int64)
        for language in np.unique(units.language).tolist():
            if (counts := self._counts.get(language)) is not None:
                before = np.cumsum(counts) - counts
                here = units.language == language
                deciles[here] = np.minimum(10 * before[bins[here]] // max(int(counts.sum()), 1), 9)
        return deciles

    def bounds(self, language: int) -> dict[int, tuple[int, int]]:
        """Return the fewest and most tokens of the units of a language in each of its tenths, from 0, to a bin."""
        counts = self._counts.get(language, np.zeros(0, dtype=np.int64))
        there = np.flatnonzero(counts)
        deciles = np.minimum(10 * (np.cumsum(counts) - counts)[there] // max(int(counts.sum()), 1), 9)
        edges = np.ceil(2.0 ** (np.arange(counts.size + 1) / _BINS_AN_OCTAVE)).astype(object)
        bounds: dict[int, tuple[int, int]] = {}
        for decile, place in zip(deciles.tolist(), there.tolist(), strict=True):
            least, _ = bounds.get(decile, (int(edges[place]), 0))
            bounds[decile] = least, int(edges[place + 1]) - 1
        return bounds


def _length_bins(n_tokens: Integers) -> Integers:
    bins: Integers = np.floor(_BINS_AN_OCTAVE * np.log2(np.maximum(n_tokens, 1))).astype(np.int64)
    return bins


def strata(units: ScoredUnits, lengths: Lengths) -> Integers:
    """Return what units are alike in at each of `LEVELS`, and their languages, as numbers, ``(levels + 1, units)``."""
    coarse = units.composition
    with_type = units.fine_composition * _TYPES + units.document_type
    with_decile = with_type * _DECILES + lengths.deciles(units)
    # Deciles are wide where lengths are spread: a budget is of tokens, and so is what an arm is made of.
    with_length = with_type * _LENGTHS + _twelfths(units)
    with_source = with_length * _SOURCES + units.source
    coarse_with_type = coarse * _TYPES + units.document_type
    return np.stack([with_source, with_length, with_decile, with_type, coarse_with_type, coarse, units.language])


def alike_but_in_composition(units: ScoredUnits) -> Integers:
    """Return what units share a type, length and source, a type and length, and a type, as numbers, ``(3, units)``."""
    with_length = units.document_type * _LENGTHS + _twelfths(units)
    return np.stack([with_length * _SOURCES + units.source, with_length, units.document_type])


def _twelfths(units: ScoredUnits) -> Integers:
    return np.minimum(_length_bins(units.n_tokens) // 2, _LENGTHS - 1)


class _Smallest:
    """The candidates of the smallest hashes in each group, in a bounded number for each."""

    def __init__(self, most: dict[int, int]) -> None:
        self._groups = np.array(sorted(most), dtype=np.int64)
        self._most = np.array([most[group] for group in self._groups.tolist()], dtype=np.int64)
        self._held: list[_Candidates] = []
        self._pending, self._most_pending = 0, _PENDING

    def add(self, level: int, candidates: _Candidates) -> None:
        places = np.searchsorted(self._groups, candidates.strata[level])
        places[places == self._groups.size] = 0
        known = candidates[self._groups[places] == candidates.strata[level]] if self._groups.size else None
        if known is not None and known.places.size:
            self._held.append(known)
            self._pending += known.places.size
            if self._pending > self._most_pending:
                self._prune(level)

    def result(self, level: int) -> list[_Candidates]:
        self._prune(level)
        return self._held

    def _prune(self, level: int) -> None:
        if self._held:
            held = _Candidates.joined(self._held)
            groups = np.searchsorted(self._groups, held.strata[level])
            kept = held[held.before(groups) < self._most[groups]]
            self._held, self._pending = [kept], 0
            self._most_pending = max(_PENDING, kept.places.size)


@dataclass(frozen=True)
class _Candidates:
    """Units that may be matched; arrays of shape ``(units,)``, ``strata`` of shape ``(levels + 1, units)``."""

    strata: Integers
    hashes: Hashes
    places: Integers
    costs: Integers

    def __getitem__(self, which: Integers | Booleans) -> _Candidates:
        return _Candidates(self.strata[:, which], self.hashes[which], self.places[which], self.costs[which])

    def before(self, groups: Integers) -> Integers:
        """Return what those before each in its group cost together, by hash and then by number."""
        order = np.lexsort((self.places, self.hashes, groups))
        ends = np.cumsum(self.costs[order])
        starts = ends - self.costs[order]
        of_group = starts[np.searchsorted(groups[order], groups[order], side="left")]
        before = np.empty(groups.size, dtype=np.int64)
        before[order] = starts - of_group
        return before

    @classmethod
    def joined(cls, parts: Sequence[_Candidates]) -> _Candidates:
        none = cls(
            np.zeros((len(LEVELS) + 1, 0), dtype=np.int64),
            np.zeros(0, dtype=np.uint64),
            np.zeros(0, dtype=np.int64),
            np.zeros(0, dtype=np.int64),
        )
        parts = [none, *parts]
        return cls(
            np.concatenate([part.strata for part in parts], axis=1),
            np.concatenate([part.hashes for part in parts]),
            np.concatenate([part.places for part in parts]),
            np.concatenate([part.costs for part in parts]),
        )


@dataclass(frozen=True)
class Matched:
    """How units are matched, in the order in which they are taken.

    Attributes:
        places: Numbers of the units, upwards.
        keys: For each, by what it is taken: up to 1 those that stand for a unit of ``top``, above that a reserve.
        hashes: What decides between equal keys.
        matched: By language and level, how much of what ``top`` takes was matched at it; the last level is none.
    """

    places: Integers
    keys: Floats
    hashes: Hashes
    matched: dict[tuple[int, int], int]


class Matching:
    """Matches units to those of another arm; all of the corpus goes through it twice.

    Args:
        top: That arm.
        lengths: Of all units that could be taken.
        seed: Of the draw.
    """

    def __init__(self, top: Chooser, lengths: Lengths, seed: int) -> None:
        self._top, self._lengths, self._seed = top, lengths, seed
        self._wanted: Counter[int] = Counter()
        self._finest: dict[int, tuple[int, ...]] = {}
        self._language: dict[int, int] = {}
        self._compositions: dict[int, set[int]] = {}
        self._smallest: list[_Smallest] = []

    def count(self, units: ScoredUnits) -> None:
        """Take note of what the arm is made of, and of which compositions there are."""
        for language in self._top.budgets.of_language:
            here = units.composition[units.eligible & (units.language == language)]
            self._compositions.setdefault(language, set()).update(np.unique(here).tolist())
        taken = units[self._top.takes(units)]
        found, first, places = np.unique(strata(taken, self._lengths), axis=1, return_index=True, return_inverse=True)
        costs = sum_by(places.ravel(), self._top.budgets.cost(taken), found.shape[1])
        for levels, place, cost in zip(found.T.tolist(), first.tolist(), costs, strict=True):
            self._wanted[levels[0]] += cost
            self._finest[levels[0]] = tuple(levels)
            self._language[levels[0]] = int(taken.language[place])

    def add(self, units: ScoredUnits) -> None:
        """Take note of what could be matched, once all has been counted."""
        if not self._smallest:
            for level in range(len(LEVELS) + 1):
                wanted = self._of_level(self._wanted, level)
                most = {group: _RESERVE * cost for group, cost in wanted.items()}
                if level == _BY_COMPOSITION:  # what brings the arm's composition near that of ``top`` may be of any
                    of_language = self._of_level(self._wanted, len(LEVELS))
                    for language, cost in of_language.items():
                        most |= {one: max(cost, most.get(one, 0)) for one in self._compositions[language]}
                self._smallest.append(_Smallest(most))
        may = units.eligible & ~self._top.takes(units) & np.isin(units.language, list(self._top.budgets.of_language))
        candidates = _Candidates(
            strata(units, self._lengths)[:, may],
            units.hashes(self._seed, "matched")[may],
            units.places[may],
            self._top.budgets.cost(units)[may],
        )
        for level, smallest in enumerate(self._smallest):
            smallest.add(level, candidates)

    def result(self) -> Matched:
        """Match, once all has been added."""
        held = [one for level, smallest in enumerate(self._smallest) for one in smallest.result(level)]
        joined = _Candidates.joined(held)
        places, first = np.unique(joined.places, return_index=True)
        candidates = joined[first]
        keys = np.full(places.size, np.inf)
        uniform = (candidates.hashes >> np.uint64(11)) / 2**53
        left = dict(self._wanted)
        matched: Counter[tuple[int, int]] = Counter()
        for level in range(len(LEVELS)):
            wanted = self._of_level(left, level)
            free = np.flatnonzero(np.isinf(keys))
            groups, of_free = candidates.strata[level][free], candidates[free]
            quotas = np.array([wanted[group] for group in groups.tolist()], dtype=np.int64)
            places_in_group = of_free.before(groups) + uniform[free] * of_free.costs
            # The one at the edge is in as likely as the part of it that fits: no class gets more or less on average.
            taken = (quotas > 0) & (places_in_group <= quotas)
            keys[free[taken]] = places_in_group[taken] / quotas[taken]
            there = Counter(dict.fromkeys(wanted, 0))
            for group, cost in zip(groups.tolist(), of_free.costs.tolist(), strict=True):
                there[group] += cost
            for finest in sorted(left):
                group = self._finest[finest][level]
                found = min(left[finest], there[group])
                there[group] -= found
                left[finest] -= found
                matched[self._language[finest], level] += found
        for finest, cost in left.items():
            matched[self._language[finest], len(LEVELS)] += cost
        self._put_in_reserve(candidates, keys, uniform)
        return Matched(places, keys, candidates.hashes, {key: cost for key, cost in sorted(matched.items()) if cost})

    def _of_level(self, costs: Mapping[int, int], level: int) -> Counter[int]:
        """Return the costs of strata of the first level by the wider ones of another."""
        sums: Counter[int] = Counter()
        for finest, cost in costs.items():
            sums[self._finest[finest][level]] += cost
        return sums

    def _put_in_reserve(self, candidates: _Candidates, keys: Floats, uniform: Floats) -> None:
        """Give keys above 1 to those left over, in the proportions of what was wanted: the finest level first."""
        for level in range(len(LEVELS) + 1):
            wanted, groups = self._of_level(self._wanted, level), candidates.strata[level]
            quotas = np.array([wanted[group] for group in groups.tolist()], dtype=np.int64)
            free = np.isinf(keys) & (quotas > 0)
            places_in_group = candidates[free].before(groups[free]) + uniform[free] * candidates.costs[free]
            keys[free] = 1 + _RESERVE_LEVEL * level + places_in_group / quotas[free]
