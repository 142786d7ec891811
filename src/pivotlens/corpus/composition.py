"""What units are made of: in which languages their lines are, and what kind of document that makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pivotlens.arrays import Floats, Integers

DocumentType = Literal["monolingual", "parallel", "code_mixed", "other"]
DOCUMENT_TYPES: tuple[DocumentType, ...] = ("monolingual", "parallel", "code_mixed", "other")
"""What a unit can be, in the order of tables."""


@dataclass(frozen=True)
class Composition:
    """Shares of the identified text of units by language (docs/method.md#composition-of-units).

    The cells of unit i are ``offsets[i]:offsets[i + 1]``, ordered by language; a unit in which nothing was identified
    has none.

    Attributes:
        codes: BCP 47 codes of the languages, sorted.
        offsets: First cell of each unit, shape ``(units + 1,)``, int64.
        languages: Number of each cell's language in ``codes``, shape ``(cells,)``, int64.
        shares: Share of the unit's identified characters, shape ``(cells,)``, float64; those of a unit sum to 1.
        identified: Characters of each unit whose language was identified, shape ``(units,)``, int64.
    """

    codes: tuple[str, ...]
    offsets: Integers
    languages: Integers
    shares: Floats
    identified: Integers

    @classmethod
    def of(cls, characters: Sequence[Mapping[str, int]]) -> Composition:
        """Return the composition of units, given the identified characters of each by language."""
        codes = sorted({code for of_unit in characters for code in of_unit})
        numbers = {code: number for number, code in enumerate(codes)}
        cells = [(numbers[code], of_unit[code]) for of_unit in characters for code in sorted(of_unit)]
        offsets = np.cumsum([0, *(len(of_unit) for of_unit in characters)], dtype=np.int64)
        identified = np.array([sum(of_unit.values()) for of_unit in characters], dtype=np.int64)
        flat = np.array(cells, dtype=np.int64).reshape(-1, 2)
        shares = flat[:, 1] / np.repeat(identified, np.diff(offsets))
        return cls(tuple(codes), offsets, flat[:, 0], shares, identified)

    def of_unit(self, unit: int) -> dict[str, float]:
        """Return the shares of one unit by language."""
        cells = slice(self.offsets[unit], self.offsets[unit + 1])
        return {
            self.codes[language]: share
            for language, share in zip(self.languages[cells].tolist(), self.shares[cells].tolist(), strict=True)
        }


@dataclass(frozen=True)
class Identified:
    """What was found out about units by their text.

    Attributes:
        languages: BCP 47 code of each: its label, unless less than a fifth of its identified text is in it; then the
            language that most of it is in. The label where nothing could be identified.
        composition: Shares of the identified text by language.
        document_types: One of `DOCUMENT_TYPES` for each.
    """

    languages: list[str]
    composition: Composition
    document_types: list[DocumentType]


def by_label(texts: Sequence[str], labels: Sequence[str]) -> Identified:
    """Believe the labels: all text of a unit is in the language of its label, and monolingual."""
    characters = [{label: len(text)} if text else {} for text, label in zip(texts, labels, strict=True)]
    return Identified(list(labels), Composition.of(characters), ["monolingual"] * len(texts))
