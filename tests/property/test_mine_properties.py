"""What the rule keeps in shuffled pairs, against a loop over entries."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pivotlens.mine.shuffled_pairs import StrengthNull

entries = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5), st.integers(0, 6)), max_size=40)


def slow_kept(rows, pairs, max_null, top):
    def share(token, strength):
        return sum(other == token and value >= strength for other, value, _ in rows) / pairs

    rest = [row for row in rows if max_null is None or share(*row[:2]) <= max_null]
    by_pair = [sorted((-value, token) for token, value, of in rest if of == pair)[:top] for pair in range(pairs)]
    return [(token, pair) for pair, best in enumerate(by_pair) for _, token in best]


@pytest.mark.parametrize("max_null", [None, 0.2, 0.5])
@given(entries, st.integers(1, 3))
def test_what_is_kept_equals_a_loop(max_null, rows, top):
    rows = sorted(rows)
    columns = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    null = StrengthNull(columns[0], columns[1].astype(np.float64), columns[2], 7)
    tokens, pair = null.kept(max_null, top)
    assert list(zip(tokens.tolist(), pair.tolist(), strict=True)) == slow_kept(rows, 7, max_null, top)


def test_no_entry_is_kept_where_no_pair_was_looked_at():
    none = np.zeros(0, dtype=np.int64)
    assert [column.size for column in StrengthNull(none, np.zeros(0), none, 0).kept(0.2, 3)] == [0, 0]
