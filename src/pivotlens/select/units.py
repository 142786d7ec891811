"""Scored units as arrays: what arms are chosen from."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np

from pivotlens.arrays import Booleans, Floats, Hashes, Integers
from pivotlens.corpus.hashes import unit_hashes
from pivotlens.statistics.rate import poisson_lower

PER_TOKENS = 1000
"""Rates of words and bridges are given for so many tokens."""
_CODE_BITS = 16
_STEPS = 64


@dataclass(frozen=True)
class Guards:
    """What a unit must be to be taken.

    Attributes:
        min_tokens: Shorter ones are left out.
        max_repetition: Those with more repetition are left out.
        max_similarity: Those more similar to an earlier one are left out.
    """

    min_tokens: int
    max_repetition: float
    max_similarity: float = 1.0


@dataclass(frozen=True)
class ScoredUnits:
    """Scored units of one shard, in its order; every array has the shape ``(units,)``.

    Languages, sources and document types are numbers that are the same in all of the corpus.

    Attributes:
        file: Name of the file within the corpus.
        first: Number of the first of these units among all of the corpus.
        row: Row of its document in the file, from 1.
        unit: Number of the unit in its document, from 0.
        label: Language of its document by label.
        language: Language found.
        other_language: The other language that most of the rest is in; that of the empty code where there is none.
        source: Source of its document.
        document_type: Place in `pivotlens.corpus.composition.DOCUMENT_TYPES`.
        language_share: Share of its identified text in its language.
        n_tokens: Its tokens.
        n_pivots: Those of them that are corpus pivots.
        n_words: Mining words of its language in it.
        n_bridges: Pairs of such a word and one of its pivots in it.
        n_bridges_shuffled: The same with shuffled pivots.
        repetition: Share of its runs of tokens that stood in it before.
        duplicate: Whether an earlier unit of the corpus has the same text.
        similarity: How similar an earlier unit of the corpus is, NaN where it was not asked for.
        share: Lower end of the interval of its share of pivot tokens.
        excess: ``share`` minus what text of the same composition holds.
        bridge: Lower end of the interval of its bridges per `PER_TOKENS` tokens.
        importance: Log importance weight of arm ``dsir``, NaN where it was not asked for.
        guards: What a unit must be to be taken.
    """

    file: str
    first: int
    row: Integers
    unit: Integers
    label: Integers
    language: Integers
    other_language: Integers
    source: Integers
    document_type: Integers
    language_share: Floats
    n_tokens: Integers
    n_pivots: Integers
    n_words: Integers
    n_bridges: Integers
    n_bridges_shuffled: Integers
    repetition: Floats
    duplicate: Booleans
    similarity: Floats
    share: Floats
    excess: Floats
    bridge: Floats
    importance: Floats
    guards: Guards

    def __getitem__(self, which: Integers | Booleans) -> ScoredUnits:
        arrays = {name: getattr(self, name)[which] for name in ARRAYS}
        return replace(self, **arrays)

    @property
    def size(self) -> int:
        """How many there are."""
        return int(self.row.size)

    @property
    def places(self) -> Integers:
        """Number of each among all units of the corpus, shape ``(units,)``; of units in their own order alone."""
        return self.first + np.arange(self.size)

    @cached_property
    def eligible(self) -> Booleans:
        """Whether a unit may be chosen."""
        return ~self.duplicate & ~self.near_duplicate & ~self.short & ~self.repetitive

    @property
    def near_duplicate(self) -> Booleans:
        """Whether an earlier unit is too similar."""
        return self.similarity > self.guards.max_similarity

    @property
    def short(self) -> Booleans:
        """Whether it has too few tokens."""
        return self.n_tokens < self.guards.min_tokens

    @property
    def repetitive(self) -> Booleans:
        """Whether it repeats itself too much."""
        return self.repetition > self.guards.max_repetition

    @property
    def cost(self) -> Integers:
        """Tokens that a trainer sees of each: its own and the one that ends the document."""
        return self.n_tokens + 1

    @property
    def bridge_shuffled(self) -> Floats:
        """As ``bridge``, of the shuffled pivots."""
        return bridge_score(self.n_bridges_shuffled, self.n_tokens)

    @property
    def words(self) -> Floats:
        """Lower end of the interval of its mining words per `PER_TOKENS` tokens."""
        return bridge_score(self.n_words, self.n_tokens)

    @cached_property
    def composition(self) -> Integers:
        """Cell of equal language composition, by tenths, shape ``(units,)``; see `composition_cells`."""
        return composition_cells(self.language, self.other_language, self.language_share)

    @property
    def fine_composition(self) -> Integers:
        """The same by steps of two points."""
        return composition_cells(self.language, self.other_language, self.language_share, 50)

    def hashes(self, seed: int, purpose: str) -> Hashes:
        """Return the seeded hash of each unit for a purpose."""
        return unit_hashes(self.file, self.row, self.unit, seed, f"select {purpose}")


ARRAYS = tuple(one.name for one in fields(ScoredUnits) if one.name not in ("file", "first", "guards"))
"""The arrays of `ScoredUnits`."""


def bridge_score(counts: Integers, n_tokens: Integers) -> Floats:
    """Return the lower end of the 95 % interval of a count per `PER_TOKENS` tokens, shape ``(units,)``."""
    return PER_TOKENS * poisson_lower(counts, n_tokens)


def composition_cells(
    language: Integers, other_language: Integers, language_share: Floats, steps: int = 10
) -> Integers:
    """Return a number for the language, the commonest other one, and in which tenth the share of the first lies.

    All text in one language is a cell of its own: from 99 % on.

    Args:
        language: Number of each unit's language.
        other_language: Number of the commonest other one.
        language_share: Share of the text in the first.
        steps: Into how many steps shares are parted, at most 62.
    """
    step = np.where(language_share >= 0.99, steps, np.minimum(np.floor(language_share * steps), steps - 1))
    return (((language << _CODE_BITS) | other_language) * _STEPS) + step.astype(np.int64)
