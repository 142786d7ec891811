"""Choosing units: monotone in the budget, never above it, the same in any order, and equal to a plain loop."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from typing import Any
from unittest.mock import patch

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pivotlens.select import choosing
from pivotlens.select.choosing import Chooser, choose
from pivotlens.select.scoring import ScoredUnits, is_duplicate, pivot_counts, text_digests


def _units(most_hash: int, **unique: Any) -> st.SearchStrategy[list[tuple]]:
    """Draw language, tokens, share of pivots among them, hash, and whether it is a duplicate."""
    shares = st.sampled_from([0.0, 0.1, 0.5])
    unit = st.tuples(st.integers(0, 2), st.integers(1, 50), shares, st.integers(0, most_hash), st.booleans())
    return st.lists(unit, max_size=30, **unique)


_UNITS = _units(2**64 - 1, unique_by=lambda unit: unit[3])
_UNITS_OF_EQUAL_HASHES = _units(3)
_SHORT = 3


def _scored(units: list[tuple], first: int = 0) -> ScoredUnits:
    kinds = (np.int64, np.int64, np.float64, np.uint64, bool)
    columns = zip(*units, strict=True)
    language, n_tokens, share, hashes, duplicate = (np.array(*of) for of in zip(columns, kinds, strict=True))
    return ScoredUnits(
        file="a.jsonl",
        first=first,
        languages=("en", "fr", "zh"),
        language=language,
        row=np.arange(1, len(units) + 1),
        unit=np.zeros(len(units), dtype=np.int64),
        n_tokens=n_tokens,
        n_pivots=(share * n_tokens).astype(np.int64),
        hashes={"top": hashes, "random": hashes},
        duplicate=duplicate,
        min_tokens=_SHORT,
    )


def _choose(mode: str, units: list[tuple], budget: int) -> np.ndarray:
    return choose(mode, _scored(units), budget) if units else np.zeros(0, dtype=bool)


@settings(deadline=None)
@given(st.sampled_from(["top", "random"]), _UNITS, st.integers(1, 400), st.integers(0, 200))
def test_a_larger_budget_takes_the_same_and_more(mode: str, units: list[tuple], budget: int, more: int) -> None:
    small, large = _choose(mode, units, budget), _choose(mode, units, budget + more)
    assert not (small & ~large).any()


def _plain_loop(mode: str, units: list[tuple], budget: int) -> list[bool]:
    taken = [False] * len(units)
    low = _scored(units).pivot_share_low.tolist() if units else []
    for language in range(3):
        spent = 0
        ranked = [number for number, unit in enumerate(units) if unit[0] == language and not unit[4]]
        for number in sorted(ranked, key=lambda number: (-low[number] if mode == "top" else 0, units[number][3])):
            if units[number][1] < _SHORT:
                continue
            spent += units[number][1]
            if spent > budget:
                break
            taken[number] = True
    return taken


@settings(deadline=None)
@given(st.sampled_from(["top", "random"]), st.one_of(_UNITS, _UNITS_OF_EQUAL_HASHES), st.integers(1, 400))
def test_equals_a_plain_loop(mode: str, units: list[tuple], budget: int) -> None:
    assert _choose(mode, units, budget).tolist() == _plain_loop(mode, units, budget)


@settings(deadline=None)
@given(st.sampled_from(["top", "random"]), _UNITS, st.integers(1, 400), st.data())
def test_the_order_of_units_does_not_matter(mode: str, units: list[tuple], budget: int, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(units))))
    shuffled = _choose(mode, [units[place] for place in order], budget)
    assert (shuffled == _choose(mode, units, budget)[list(order)]).all()


@settings(deadline=None)
@given(st.sampled_from(["top", "random"]), st.one_of(_UNITS, _UNITS_OF_EQUAL_HASHES), st.integers(1, 400), st.data())
def test_units_may_come_piece_by_piece_in_any_order(
    mode: str, units: list[tuple], budget: int, data: st.DataObject
) -> None:
    edges = sorted({0, len(units), *data.draw(st.lists(st.integers(0, len(units)), max_size=5))})
    pieces = [_scored(units[low:high], low) for low, high in pairwise(edges)]
    most_pending = data.draw(st.sampled_from([0, 4, 1000]))
    with patch.object(choosing, "_PENDING", most_pending):
        chooser = Chooser(mode, budget)
        for piece in data.draw(st.permutations(pieces)):
            chooser.add(piece)
        chosen = [taken for piece in pieces for taken in chooser.takes(piece).tolist()]
    assert chosen == _plain_loop(mode, units, budget)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "A", "b", "ß", "ss", "e\u0301", "é", ""])))
def test_duplicates_are_later_units_of_the_same_folded_text(texts: list[str]) -> None:
    folded = [{"A": "a", "ß": "ss", "e\u0301": "é"}.get(text, text) for text in texts]
    expected = [text in folded[:place] for place, text in enumerate(folded)]
    digests = text_digests(texts)
    assert is_duplicate(digests).tolist() == expected
    for row, text in zip(digests, folded, strict=True):
        assert row.astype("<u8").tobytes() == hashlib.sha256(text.encode()).digest()


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 9))), st.sets(st.integers(0, 9)))
def test_pivots_are_counted_every_time(ids: list[list[int]], pivots: set[int]) -> None:
    is_pivot = np.array([token in pivots for token in range(10)])
    n_tokens, n_pivots = pivot_counts([np.array(of_unit, dtype=np.int64) for of_unit in ids], is_pivot)
    assert n_tokens.tolist() == [len(of_unit) for of_unit in ids]
    assert n_pivots.tolist() == [sum(token in pivots for token in of_unit) for of_unit in ids]
