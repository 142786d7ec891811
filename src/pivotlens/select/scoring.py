"""How rich in pivots units are, and what else is counted in them (docs/method.md#selection)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pivotlens.arrays import Booleans, Floats, Hashes, Integers
from pivotlens.select.near_duplicates import BANDS, ROWS, Signatures, signatures
from pivotlens.select.pivots import Sought, packed
from pivotlens.text.folding import separated_forms

RUN_OF_TOKENS = 10
"""Tokens of a run that is looked for again in its unit."""
_BASE = np.uint64(0x9E3779B97F4A7C15)
_UNIT_BITS = 24
_UNITS_AT_ONCE = 256


@dataclass(frozen=True)
class CutUnits:
    """The tokens of units.

    Attributes:
        ids: Those of all units, one unit after another, shape ``(tokens,)``.
        lengths: Tokens of each unit, shape ``(units,)``.
    """

    ids: Integers
    lengths: Integers

    @property
    def unit_of_token(self) -> Integers:
        """The unit that each token stands in, shape ``(tokens,)``."""
        return np.repeat(np.arange(self.lengths.size), self.lengths)


@dataclass(frozen=True)
class Richness:
    """What units hold; every array has the shape ``(units,)``.

    Attributes:
        pivots: Tokens that are corpus pivots, every occurrence.
        words: Distinct mining words of the unit's own language.
        bridges: Distinct pairs of such a word and one of its pivots, both in the unit.
        shuffled: The same with the pivots of words of like frequency dealt out anew.
    """

    pivots: Integers
    words: Integers
    bridges: Integers
    shuffled: Integers


@dataclass(frozen=True)
class Forms:
    """Texts and what words are matched in, one language after another.

    Attributes:
        by_language: Of each language the units in it, upwards, and what `separated_forms` makes of their texts.
        texts: Of each language the texts of these units.
    """

    by_language: Mapping[str, tuple[Integers, bytes]]
    texts: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, texts: Sequence[str], languages: Sequence[str]) -> Forms:
        """Take them of texts, given the language that each is in."""
        units: dict[str, list[int]] = {}
        for unit, language in enumerate(languages):
            units.setdefault(language, []).append(unit)
        by_language = {language: [texts[unit] for unit in of_language] for language, of_language in units.items()}
        forms = {
            language: (np.array(units[language]), separated_forms(of_language))
            for language, of_language in by_language.items()
        }
        return cls(forms, by_language)

    def own_words(self, sought: Sought) -> tuple[Integers, Integers]:
        """Return the pairs of unit and mining word of its own language that stands in it, sorted, each once."""
        none = np.zeros(0, dtype=np.int64)
        all_units, all_words = [none], [none]
        for language, (of_language, _) in self.by_language.items():
            if language in sought.finders:
                finder, numbers = sought.finders[language]
                units, words = finder.find(self.texts[language])
                all_units.append(of_language[units])
                all_words.append(numbers[words])
        units, words = np.concatenate(all_units), np.concatenate(all_words)
        order = np.lexsort((words, units))
        return units[order], words[order]

    def digests(self) -> Hashes:
        """Return the sha256 of each text as four numbers, shape ``(texts, 4)``: equal forms have equal rows."""
        n_units = sum(units.size for units, _ in self.by_language.values())
        digests = np.zeros((n_units, 4), dtype=np.uint64)
        for units, forms in self.by_language.values():
            joined = b"".join(hashlib.sha256(form).digest() for form in forms.split(b"\0")[:-1])
            digests[units] = np.frombuffer(joined, dtype="<u8").reshape(-1, 4)
        return digests

    def signatures(self) -> Signatures:
        """Return the MinHash signature of each text, shape ``(texts, hashes)``; see `near_duplicates.signatures`."""
        n_units = sum(units.size for units, _ in self.by_language.values())
        found = np.zeros((n_units, BANDS * ROWS), dtype=np.uint32)
        for units, forms in self.by_language.values():
            found[units] = signatures(np.frombuffer(forms, dtype=np.uint8), units.size)
        return found


def richness(forms: Forms, cut: CutUnits, sought: Sought) -> Richness:
    """Count pivots, words and bridges in units.

    Args:
        forms: Of their texts.
        cut: Their tokens.
        sought: What is looked for.
    """
    units, words = forms.own_words(sought)
    n_units = cut.lengths.size
    bridges = np.zeros((2, n_units), dtype=np.int64)
    ends = np.cumsum(cut.lengths)
    for first in range(0, n_units, _UNITS_AT_ONCE):
        last = min(first + _UNITS_AT_ONCE, n_units)
        start, end = int(ends[first] - cut.lengths[first]), int(ends[last - 1])
        low, high = np.searchsorted(units, [first, last])
        pivots = sought.pivot_of_token[cut.ids[start:end]]
        holders = np.repeat(np.arange(last - first), cut.lengths[first:last])
        there = np.zeros((last - first, sought.width), dtype=bool)
        known = pivots >= 0
        there[holders[known], pivots[known]] = True
        of_units = packed(there)[units[low:high] - first]
        for which, of_words in enumerate(sought.bits):
            shared = np.bitwise_count(of_units & of_words[words[low:high]]).sum(axis=1, dtype=np.int64)
            bridges[which, first:last] = np.bincount(units[low:high] - first, shared, last - first).astype(np.int64)
    return Richness(
        counted_tokens(cut, sought.is_pivot), np.bincount(units, minlength=n_units).astype(np.int64), *bridges
    )


def counted_tokens(cut: CutUnits, wanted: Booleans) -> Integers:
    """Return how many tokens of each unit are wanted ones, every occurrence counted, shape ``(units,)``.

    Args:
        cut: The tokens.
        wanted: For every token id whether it is, shape ``(vocabulary,)``.
    """
    hits = np.concatenate([[0], np.cumsum(wanted[cut.ids])])
    ends = np.cumsum(cut.lengths)
    found: Integers = (hits[ends] - hits[ends - cut.lengths]).astype(np.int64)
    return found


def repetition(cut: CutUnits) -> Floats:
    """Return the share of a unit's runs of `RUN_OF_TOKENS` tokens that stood in it before, shape ``(units,)``.

    After the duplicate n-grams of Gopher (Rae et al. 2021, arXiv 2112.11446, appendix A), over tokens, so that it
    works without spaces between words. 0 where a unit has no such run.
    """
    n_runs = np.maximum(cut.lengths - RUN_OF_TOKENS + 1, 0)
    repeated = np.zeros(cut.lengths.size, dtype=np.int64)
    if cut.ids.size >= RUN_OF_TOKENS:
        two = _joined(cut.ids.astype(np.uint64), cut.ids.astype(np.uint64), 1)
        eight = _joined(four := _joined(two, two, 2), four, 4)
        ten = _joined(eight, two, 8)
        ends = np.cumsum(cut.lengths)
        left = np.repeat(ends, cut.lengths)[: ten.size] - np.arange(ten.size)
        whole = left >= RUN_OF_TOKENS
        ten = (ten ^ (ten >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
        shift = np.uint64(_UNIT_BITS)
        units = cut.unit_of_token[: ten.size].astype(np.uint64) << (np.uint64(64) - shift)
        keys = np.sort((units | (ten >> shift))[whole])
        again = keys[1:][keys[1:] == keys[:-1]] >> (np.uint64(64) - shift)
        repeated = np.bincount(again.astype(np.int64), minlength=cut.lengths.size).astype(np.int64)
    return np.divide(repeated, n_runs, out=np.zeros(cut.lengths.size), where=n_runs > 0)


def _joined(first: Hashes, second: Hashes, apart: int) -> Hashes:
    """Return numbers of longer runs: those of ``first``, each followed by the one of ``second`` so many tokens on."""
    factor = np.uint64(pow(int(_BASE), apart, 1 << 64))
    n = second.size - apart
    return first[:n] * factor + second[apart : apart + n]


def is_duplicate(digests: Hashes) -> Booleans:
    """Tell which rows are equal to an earlier one, shape ``(rows,)``."""
    order = np.lexsort((np.arange(len(digests)), *digests.T))
    ordered = digests[order]
    later = np.zeros(len(digests), dtype=bool)
    later[order[1:]] = (ordered[1:] == ordered[:-1]).all(axis=1)
    return later
