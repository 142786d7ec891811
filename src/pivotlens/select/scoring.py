"""How rich in pivots a unit is (docs/method.md#selection)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pivotlens.text import fold

Integers = npt.NDArray[np.int64]
Digests = npt.NDArray[np.uint64]


def pivot_counts(ids: Sequence[Integers], is_pivot: npt.NDArray[np.bool_]) -> tuple[Integers, Integers]:
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


def text_digests(texts: Sequence[str]) -> Digests:
    """Return the sha256 of each folded text as four numbers, shape ``(texts, 4)``: equal texts have equal rows."""
    digests = b"".join(hashlib.sha256(fold(text).encode("utf-8", "surrogatepass")).digest() for text in texts)
    return np.frombuffer(digests, dtype="<u8").reshape(-1, 4).astype(np.uint64)


def is_duplicate(digests: Digests) -> npt.NDArray[np.bool_]:
    """Tell which rows are equal to an earlier one, shape ``(rows,)``."""
    order = np.lexsort((np.arange(len(digests)), *digests.T))
    ordered = digests[order]
    later = np.zeros(len(digests), dtype=bool)
    later[order[1:]] = (ordered[1:] == ordered[:-1]).all(axis=1)
    return later
