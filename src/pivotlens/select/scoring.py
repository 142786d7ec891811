"""How rich in pivots a unit is (docs/method.md#selection)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from pivotlens.arrays import Booleans, Floats, Hashes, Integers
from pivotlens.statistics.proportion import wilson_lower
from pivotlens.text import fold

Mode = Literal["top", "random"]


@dataclass(frozen=True)
class ScoredUnits:
    """Scored units of one file, in its order; every array has the shape ``(units,)``.

    Attributes:
        file: Name of the file within the corpus.
        first: Number of the first of these units among all of the corpus.
        languages: BCP 47 codes.
        language: Language of each unit's document, as an index into ``languages``.
        row: Row of its document in the file, from 1.
        unit: Number of the unit in its document, from 0.
        n_tokens: Its tokens.
        n_pivots: Those of them that are pivots.
        hashes: Its seeded hash, by arm.
        duplicate: Whether an earlier unit of the corpus has the same text.
        min_tokens: Units of fewer tokens are not chosen.
    """

    file: str
    first: int
    languages: tuple[str, ...]
    language: Integers
    row: Integers
    unit: Integers
    n_tokens: Integers
    n_pivots: Integers
    hashes: Mapping[Mode, Hashes]
    duplicate: Booleans
    min_tokens: int

    @cached_property
    def pivot_share(self) -> Floats:
        """Pivot tokens of all tokens; 0 where there are none."""
        return pivot_share(self.n_tokens, self.n_pivots)

    @cached_property
    def pivot_share_low(self) -> Floats:
        """Lower end of the 95 % interval of ``pivot_share``."""
        return wilson_lower(self.n_pivots, self.n_tokens)

    @cached_property
    def eligible(self) -> Booleans:
        """Whether a unit may be chosen."""
        return ~self.duplicate & (self.n_tokens >= self.min_tokens)


def pivot_share(n_tokens: Integers, n_pivots: Integers) -> Floats:
    """Return the pivot tokens of all tokens of each unit, shape ``(units,)``; 0 where there are none."""
    return np.divide(n_pivots, n_tokens, out=np.zeros(n_tokens.size), where=n_tokens > 0)


def pivot_counts(ids: Sequence[Integers], is_pivot: Booleans) -> tuple[Integers, Integers]:
    """Count tokens and pivot tokens, every occurrence once.

    Args:
        ids: Token ids of each unit.
        is_pivot: For every token id whether it is a pivot, shape ``(vocabulary,)``.

    Returns:
        Tokens and pivot tokens of each unit, both shape ``(units,)``.
    """
    lengths = np.array([of_unit.size for of_unit in ids], dtype=np.int64)
    hits = np.concatenate([[0], np.cumsum(is_pivot[np.concatenate([np.zeros(0, dtype=np.int64), *ids])])])
    ends = np.cumsum(lengths)
    return lengths, (hits[ends] - hits[ends - lengths]).astype(np.int64)


def text_digests(texts: Sequence[str]) -> Hashes:
    """Return the sha256 of each folded text as four numbers, shape ``(texts, 4)``: equal texts have equal rows."""
    digests = b"".join(hashlib.sha256(fold(text).encode("utf-8", "surrogatepass")).digest() for text in texts)
    return np.frombuffer(digests, dtype="<u8").reshape(-1, 4).astype(np.uint64)


def is_duplicate(digests: Hashes) -> Booleans:
    """Tell which rows are equal to an earlier one, shape ``(rows,)``."""
    order = np.lexsort((np.arange(len(digests)), *digests.T))
    ordered = digests[order]
    later = np.zeros(len(digests), dtype=bool)
    later[order[1:]] = (ordered[1:] == ordered[:-1]).all(axis=1)
    return later
