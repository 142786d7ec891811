"""Choosing units: monotone in the budget, never above it, the same in any order, and equal to a plain loop."""

from __future__ import annotations

import hashlib

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pivotlens.select.choosing import choose
from pivotlens.select.scoring import is_duplicate, pivot_counts, text_digests

_UNIT = st.tuples(
    st.integers(0, 2), st.integers(1, 50), st.sampled_from([0.0, 0.1, 0.5]), st.integers(0, 2**64 - 1), st.booleans()
)
_UNITS = st.lists(_UNIT, max_size=30, unique_by=lambda unit: unit[3])


def _choose(mode: str, units: list[tuple], budget: int) -> np.ndarray:
    columns = list(zip(*units, strict=True)) or [()] * 5
    kinds = (np.int64, np.int64, np.float64, np.uint64, bool)
    arrays = [np.array(column, dtype=kind) for column, kind in zip(columns, kinds, strict=True)]
    return choose(mode, *arrays, budget)


@settings(deadline=None)
@given(st.sampled_from(["top", "random"]), _UNITS, st.integers(1, 400), st.integers(0, 200))
def test_a_larger_budget_takes_the_same_and_more(mode: str, units: list[tuple], budget: int, more: int) -> None:
    small, large = _choose(mode, units, budget), _choose(mode, units, budget + more)
    assert not (small & ~large).any()


@settings(deadline=None)
@given(st.sampled_from(["top", "random"]), _UNITS, st.integers(1, 400))
def test_equals_a_plain_loop(mode: str, units: list[tuple], budget: int) -> None:
    expected = set()
    for language in range(3):
        spent = 0
        ranked = [unit for unit in units if unit[0] == language and unit[4]]
        for unit in sorted(ranked, key=lambda unit: (-unit[2] if mode == "top" else 0, unit[3])):
            if spent + unit[1] > budget:
                break
            spent += unit[1]
            expected.add(unit[3])
    assert {unit[3] for unit, taken in zip(units, _choose(mode, units, budget), strict=True) if taken} == expected


@settings(deadline=None)
@given(st.sampled_from(["top", "random"]), _UNITS, st.integers(1, 400), st.data())
def test_the_order_of_units_does_not_matter(mode: str, units: list[tuple], budget: int, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(units))))
    shuffled = _choose(mode, [units[place] for place in order], budget)
    assert (shuffled == _choose(mode, units, budget)[list(order)]).all()


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
