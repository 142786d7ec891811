"""Taking units until a language's token budget is met."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from pivotlens.select.scoring import Integers

Mode = Literal["top", "random"]
Hashes = npt.NDArray[np.uint64]


def choose(
    mode: Mode,
    languages: Integers,
    n_tokens: Integers,
    share_low: npt.NDArray[np.float64],
    hashes: Hashes,
    eligible: npt.NDArray[np.bool_],
    budget_tokens: int,
) -> npt.NDArray[np.bool_]:
    """Choose units, each language for itself.

    ``top`` goes by the lower bound of the pivot share, from the highest, and by the hash where bounds are equal;
    ``random`` by the hash alone. Both stop before the first unit that would exceed the budget and never skip ahead,
    so a larger budget chooses the same units and more.

    Args:
        mode: How units are ordered.
        languages: Language of each unit as a number, shape ``(units,)``.
        n_tokens: Tokens of each unit.
        share_low: Lower bound of each unit's pivot share.
        hashes: Seeded hash of each unit.
        eligible: Units that may be chosen.
        budget_tokens: Most tokens a language.

    Returns:
        Which units are chosen, shape ``(units,)``.
    """
    chosen = np.zeros(languages.size, dtype=bool)
    for language in np.unique(languages[eligible]):
        units = np.flatnonzero(eligible & (languages == language))
        keys = (hashes[units], -share_low[units]) if mode == "top" else (hashes[units],)
        # Units that share a hash keep the order of the corpus: the sort is stable.
        ordered = units[np.lexsort(keys)]
        within = np.searchsorted(np.cumsum(n_tokens[ordered]), budget_tokens, side="right")
        chosen[ordered[:within]] = True
    return chosen
