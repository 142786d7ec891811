"""The compiled loop of the token pass: which tokens stand in the units of each row, row after row."""

from __future__ import annotations

from typing import Any

import numpy as np

from pivotlens.text.compiled import compiled, inlined

_FIRST_ROOM = 1 << 16
_DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
_PLACES = np.zeros(64, dtype=np.int64)
_PLACES[[((1 << place) * int(_DE_BRUIJN) % (1 << 64)) >> 58 for place in range(64)]] = np.arange(64)


@compiled
def count_tokens_of_rows(rows: Any, units: Any, offsets: Any, tokens: Any, n_rows: int, vocabulary: int) -> Any:
    """Count, for every row and token, the units that belong to the row and contain the token.

    A row's counts lie in one dense array, which stays in the processor's cache; two levels of bits tell which of them
    are filled, in order.

    Args:
        rows: Row of each (row, unit) pair, shape ``(pairs,)``, int64, below ``n_rows``; each pair once.
        units: Unit of each pair.
        offsets: Where each unit's tokens begin in ``tokens``, shape ``(units + 1,)``, int64.
        tokens: Distinct tokens of each unit, one unit after another, int32, below ``vocabulary``.
        n_rows: Rows.
        vocabulary: One more than the largest token.

    Returns:
        Sorted keys ``row * vocabulary + token`` and their counts, both shape ``(cells filled,)``, int64 and int32.
    """
    first = np.zeros(n_rows + 1, dtype=np.int64)
    for pair in range(rows.size):
        first[rows[pair] + 1] += 1
    for row in range(n_rows):
        first[row + 1] += first[row]
    units_of_rows, place = np.empty(rows.size, dtype=np.int64), first[:-1].copy()
    for pair in range(rows.size):
        units_of_rows[place[rows[pair]]] = units[pair]
        place[rows[pair]] += 1
    counts = np.zeros(vocabulary, dtype=np.int32)
    filled = np.zeros((vocabulary >> 6) + 1, dtype=np.uint64)
    filled_blocks = np.zeros((filled.size >> 6) + 1, dtype=np.uint64)
    keys, values, n_cells = np.empty(_FIRST_ROOM, dtype=np.int64), np.empty(_FIRST_ROOM, dtype=np.int32), 0
    one = np.uint64(1)
    for row in range(n_rows):
        end = n_cells
        for pair in range(first[row], first[row + 1]):
            unit = units_of_rows[pair]
            for at in range(offsets[unit], offsets[unit + 1]):
                token = tokens[at]
                if counts[token] == 0:
                    end += 1
                    filled[token >> 6] |= one << np.uint64(token & 63)
                    filled_blocks[token >> 12] |= one << np.uint64((token >> 6) & 63)
                counts[token] += 1
        if end > keys.size:  # once a row: in the loop below the arrays stay the same, which makes it twice as fast
            keys, values = _with_room(keys, end), _with_room(values, end)
        n_cells = _emit(row * vocabulary, counts, filled, filled_blocks, keys, values, n_cells)
    return keys[:n_cells].copy(), values[:n_cells].copy()


@compiled
def _emit(first_key: Any, counts: Any, filled: Any, filled_blocks: Any, keys: Any, values: Any, n_cells: Any) -> Any:
    """Write the filled cells of a row, in order, and empty them; return how many cells there are now."""
    one = np.uint64(1)
    for outer in range(filled_blocks.size):
        blocks = filled_blocks[outer]
        filled_blocks[outer] = 0
        while blocks:
            block = (outer << 6) + _lowest(blocks)
            blocks &= blocks - one
            bits = filled[block]
            filled[block] = 0
            while bits:
                token = (block << 6) + _lowest(bits)
                bits &= bits - one
                keys[n_cells], values[n_cells] = first_key + token, counts[token]
                counts[token] = 0
                n_cells += 1
    return n_cells


@inlined
def _lowest(bits: Any) -> Any:
    """Return the place of the lowest bit that is set: a de Bruijn sequence tells it by its six highest bits."""
    alone = bits & (~bits + np.uint64(1))
    return _PLACES[(alone * _DE_BRUIJN) >> np.uint64(58)]


@compiled
def _with_room(values: Any, size: Any) -> Any:
    larger = np.empty(max(2 * values.size, size), dtype=values.dtype)
    larger[: values.size] = values
    return larger
