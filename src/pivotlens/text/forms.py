"""Forms of a word: what is left without a common ending, in languages of Latin script."""

from __future__ import annotations

import functools
from collections.abc import Sequence

ENDINGS = ("s", "es", "x", "e", "n", "en", "er", "ed", "ing", "ers")
"""Endings that make another form of a word, in any of the languages."""
MORE_ENDINGS = (
    *ENDINGS, "em", "t", "te", "ten", "a", "o", "as", "os", "ar", "ir", "r", "re", "é", "ée", "és", "ées", "ent"
)  # fmt: skip
"""More of them, for a word whose language is known: two words with a stem in common are forms of one."""
SHORTEST_STEM = 3


def without_endings(folded: str, endings: Sequence[str], shortest: int) -> tuple[str, ...]:
    """Return a folded word and what is left of it without each of some endings, if that is long enough."""
    stems = (folded.removesuffix(ending) for ending in endings)
    return (folded, *(stem for stem in stems if stem != folded and len(stem) >= shortest))


@functools.lru_cache(maxsize=1 << 19)
def stems(folded: str) -> frozenset[str]:
    """Return what a folded word may be a form of.

    >>> bool(stems("chantent") & stems("chanter")), bool(stems("chat") & stems("chien"))
    (True, False)
    """
    return frozenset(without_endings(folded, MORE_ENDINGS, SHORTEST_STEM))
