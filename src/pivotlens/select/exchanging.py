"""Units of a draw are exchanged until its text is in the languages of another arm (docs/method.md#matched-units)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pivotlens.arrays import Booleans, Floats, Integers

CLOSE = 0.01
"""Languages of text are close enough from here on: half the sum of the differences of their shares."""
_AT_ONCE = 4096
_PAIRS_OF = 256
_LEAST_GAIN = 1e-4


@dataclass(frozen=True)
class Pool:
    """The units of a language that could be taken; every array has the shape ``(units,)`` but the last two.

    Attributes:
        costs: What each takes of the budget.
        tokens: Its tokens.
        share: Share of its text in its language, which has the number 0 here.
        other: The language of the rest of it, as a number below that of ``wanted``.
        classes: What units share that are rather exchanged, the narrowest first, shape ``(levels, units)``.
        wanted: Share of the text that is to be in each language, shape ``(languages,)``.
    """

    costs: Integers
    tokens: Integers
    share: Floats
    other: Integers
    classes: Integers
    wanted: Floats

    def excess_of(self, units: Integers) -> Floats:
        """Return how many tokens of each language units have beyond what is wanted, ``(units, languages)``."""
        tokens = self.tokens[units]
        own = self.share[units] * tokens
        excess = np.multiply.outer(-tokens, self.wanted)
        excess[:, 0] += own
        excess[np.arange(units.size), self.other[units]] += tokens - own
        return excess

    def excess_along(self, direction: Floats) -> Floats:
        """Return the products of a direction with what `excess_of` returns of each unit, shape ``(units,)``."""
        mixed = self.share * direction[0] + (1 - self.share) * direction[self.other]
        along: Floats = self.tokens * (mixed - self.wanted @ direction)
        return along

    def excess(self, taken: Booleans) -> Floats:
        """Return the sum of what `excess_of` returns of units, shape ``(languages,)``."""
        own = self.share[taken] * self.tokens[taken]
        in_others = np.bincount(self.other[taken], self.tokens[taken] - own, self.wanted.size)
        in_others[0] += own.sum()
        return np.asarray(in_others - self.wanted * self.tokens[taken].sum(), dtype=np.float64)

    def distance(self, taken: Booleans) -> float:
        """Return how far the languages of the text of units are from those wanted, from 0 to 1."""
        return float(np.abs(self.excess(taken)).sum() / 2 / self.tokens[taken].sum())


def exchanged(pool: Pool, drawn: Booleans, most: int) -> Booleans:
    """Exchange units until the languages of the text are as wanted to within `CLOSE`, or nothing brings them nearer.

    Units that are alike in all but composition change places first, and no more than are needed. The arm stays within
    the budget and becomes no smaller; where that is not enough, it may fall short of the budget by the largest unit.

    Args:
        pool: The units, in the order in which they are taken.
        drawn: Which were drawn, one at least, shape ``(units,)``.
        most: The budget.

    Returns:
        Which are taken, shape ``(units,)``.
    """
    cost = int(pool.costs[drawn].sum())
    taken, nearest, least = drawn.copy(), drawn, pool.distance(drawn)
    for lowest in (cost, max(1, min(cost, most + 1 - int(pool.costs.max())))):
        for classes in (*pool.classes, np.zeros_like(pool.costs), None):
            while least > CLOSE:
                goes, comes = (
                    _one_for_one(pool, taken, (lowest, most))
                    if classes is None
                    else _text_for_text(pool, taken, classes, (lowest, most))
                )
                if not goes.size + comes.size:
                    break
                taken[goes], taken[comes] = False, True
                # The sum of squares falls each time, and so mostly does this.
                if (distance := pool.distance(taken)) < least:
                    nearest, least = taken.copy(), distance
    return nearest


def _text_for_text(
    pool: Pool, taken: Booleans, classes: Integers, bounds: tuple[int, int]
) -> tuple[Integers, Integers]:
    """Return units that may go and come, as few as are needed: in each class as much text comes as goes.

    Those that go stand in the order of their excess for what they take of the budget, those that come in the opposite
    one; what stands first in any class, and gains most, comes first.
    """
    excess = pool.excess(taken)
    rates = pool.excess_along(excess) / pool.costs
    goes, comes = np.flatnonzero(taken), np.flatnonzero(~taken)
    goes = goes[np.lexsort((-goes, -rates[goes], classes[goes]))]
    comes = comes[np.lexsort((comes, rates[comes], classes[comes]))]
    # How many of all that go make room, to half a unit, for each that comes and those before it in its class.
    first, end = (np.searchsorted(classes[goes], classes[comes], side) for side in ("left", "right"))
    gone, came = (np.append(0, np.cumsum(pool.costs[units])) for units in (goes, comes))
    before = np.searchsorted(classes[comes], classes[comes])
    room = gone[first] + came[1:] - came[before]
    until = np.clip(np.searchsorted(gone[:-1] + pool.costs[goes] / 2, room), first, end)
    since = np.where(before == np.arange(comes.size), first, np.append(0, until)[:-1])
    gains = rates[goes[np.maximum(until - 1, first) % goes.size]] - rates[comes]
    may = np.flatnonzero((gains > 0) & (room <= gone[end]) & (first < end))
    may = may[np.argsort(-gains[may], kind="stable")[:_AT_ONCE]]

    lengths = until[may] - since[may]
    steps_of = np.repeat(np.arange(may.size), lengths)
    going = goes[np.repeat(since[may] - np.cumsum(lengths) + lengths, lengths) + np.arange(steps_of.size)]
    steps = pool.excess_of(comes[may])
    np.subtract.at(steps, steps_of, pool.excess_of(going))
    after = excess + np.cumsum(steps, axis=0)
    costs = pool.costs[taken].sum() + np.cumsum(pool.costs[comes[may]] - gone[until[may]] + gone[since[may]])
    fits = (costs >= bounds[0]) & (costs <= bounds[1])
    best = _best(excess, after, fits, CLOSE * int(pool.tokens[taken].sum()))
    return going[steps_of <= best], comes[may[: best + 1]]


def _one_for_one(pool: Pool, taken: Booleans, bounds: tuple[int, int]) -> tuple[Integers, Integers]:
    """Return the unit that is best exchanged, and for which; either of the two may be none."""
    excess = pool.excess(taken)
    along = pool.excess_along(excess)
    goes, comes = np.flatnonzero(taken), np.flatnonzero(~taken)
    goes = goes[np.argsort(-along[goes], kind="stable")[:_PAIRS_OF]]
    comes = comes[np.argsort(along[comes], kind="stable")[:_PAIRS_OF]]
    out, into = (np.vstack([pool.excess_of(units), np.zeros(pool.wanted.size)]) for units in (goes, comes))
    costs_out, costs_into = (np.append(pool.costs[units], 0) for units in (goes, comes))
    after = (excess - out[:, None] + into).reshape(-1, pool.wanted.size)
    costs = (pool.costs[taken].sum() - costs_out[:, None] + costs_into).ravel()
    fits = (costs >= bounds[0]) & (costs <= bounds[1])
    best = _best(excess, after, fits, 0.0)
    if best < 0:
        return goes[:0], comes[:0]
    one, other = divmod(best, costs_into.size)
    return goes[one : one + 1], comes[other : other + 1]


def _best(excess: Floats, after: Floats, fits: Booleans, enough: float) -> int:
    """Return which of some outcomes to choose: the first that is close enough, else the nearest; -1 where none gains.

    Args:
        excess: Tokens beyond what is wanted as things are, shape ``(languages,)``.
        after: The same of each outcome, shape ``(outcomes, languages)``.
        fits: Whether each is within the budget, shape ``(outcomes,)``.
        enough: How many tokens in a wrong language are close enough.
    """
    distance = np.sqrt((excess**2).sum())
    distances = np.where(fits, np.sqrt((after**2).sum(axis=1)), np.inf)
    gains = distances < (1 - _LEAST_GAIN) * distance
    if not gains.any():
        return -1
    close = gains & (np.abs(after).sum(axis=1) / 2 <= enough)
    return int(np.argmax(close) if close.any() else np.argmin(distances))
