"""Arm ``matched`` as it is taken: what was drawn, exchanged until its text is in the languages of that of ``top``."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from pivotlens.arrays import Booleans, Integers
from pivotlens.select.choosing import Chooser
from pivotlens.select.exchanging import Pool, exchanged
from pivotlens.select.matching import Matched, alike_but_in_composition
from pivotlens.select.units import ScoredUnits

_ROW = np.dtype(
    [
        *((name, "f8") for name in ("key", "share")),
        ("hash", "u8"),
        *((name, "i8") for name in ("place", "cost", "tokens", "other")),
        ("classes", "i8", 3),
    ]
)
_Rows = npt.NDArray[Any]


class MatchedUnits:
    """Takes the units of a draw up to the budget, and exchanges some so that the text is in the wanted languages.

    Args:
        drawn: The draw.
        top: The arm that it was matched to.

    Attributes:
        budgets: Those of that arm, or what it took where there was no more.
        exchanged: How many units of each language stand for others that were drawn.
    """

    def __init__(self, drawn: Matched, top: Chooser) -> None:
        self.budgets = replace(top.budgets, of_language={**top.budgets.of_language, **top.shortages()})
        self.exchanged: dict[int, int] = {}
        self._drawn, self._top = drawn, top
        self._held: dict[int, list[_Rows]] = {language: [] for language in self.budgets.of_language}
        self._text: dict[int, Counter[int]] = {language: Counter() for language in self.budgets.of_language}
        self._places: Integers = np.zeros(0, dtype=np.int64)
        self._shortages: dict[int, int] = {}

    def add(self, units: ScoredUnits) -> None:
        """Take note of units."""
        at = np.searchsorted(self._drawn.places, units.places)
        held = at < self._drawn.places.size
        held[held] = self._drawn.places[at[held]] == units.places[held]
        rows = np.zeros(units.size, dtype=_ROW)
        rows["key"][held], rows["hash"][held] = self._drawn.keys[at[held]], self._drawn.hashes[at[held]]
        rows["place"], rows["cost"] = units.places, self.budgets.cost(units)
        rows["tokens"], rows["share"], rows["other"] = units.n_tokens, units.language_share, units.other_language
        rows["classes"] = alike_but_in_composition(units).T
        top = self._top.takes(units)
        for language, of_language in self._held.items():
            of_language.append(rows[held & (units.language == language)])
            self._add_text(language, rows[top & (units.language == language)])

    def _add_text(self, language: int, rows: _Rows) -> None:
        own = np.rint(rows["share"] * rows["tokens"]).astype(np.int64)
        self._text[language][language] += int(own.sum())
        for other in np.unique(rows["other"]).tolist():
            self._text[language][other] += int((rows["tokens"] - own)[rows["other"] == other].sum())

    def choose(self) -> None:
        """Choose, once all units have been added."""
        chosen = []
        for language, most in self.budgets.of_language.items():
            held = np.concatenate(self._held.pop(language))
            held = held[np.lexsort((held["place"], held["hash"], held["key"]))]
            within = np.cumsum(held["cost"]) <= most
            if within.all() and (there := int(held["cost"].sum())) < most:
                self._shortages[language] = there
            taken = exchanged(self._pool(language, held), within, most) if within.any() else within
            self.exchanged[language] = int((taken & ~within).sum())
            chosen.append(held["place"][taken])
        self._places = np.sort(np.concatenate(chosen))

    def takes(self, units: ScoredUnits) -> Booleans:
        """Tell which units are chosen, shape ``(units,)``."""
        return np.isin(units.places, self._places)

    def shortages(self) -> dict[int, int]:
        """Return what is there in each language that has less than its budget."""
        return self._shortages

    def _pool(self, language: int, held: _Rows) -> Pool:
        text = self._text[language]
        others = sorted({*text, *np.unique(held["other"]).tolist()} - {language})
        tokens = np.array([text[one] for one in (language, *others)], dtype=np.float64)
        other = np.where(held["other"] == language, 0, np.searchsorted(others, held["other"]) + 1)
        return Pool(held["cost"], held["tokens"], held["share"], other, held["classes"].T, tokens / tokens.sum())
