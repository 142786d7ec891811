"""Distinct strings and the edges of tries in hash tables that compiled loops look into.

No array is bound anew in a loop: it would be counted in and out at each turn, which costs more than what is looked up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pivotlens.arrays import Bytes, Hashes, Integers
from pivotlens.text.compiled import compiled, inlined

# FNV-1a (Fowler, Noll and Vo), whose hash of a longer text goes on from that of its beginning.
NO_HASH, _PRIME = np.uint64(14695981039346656037), np.uint64(1099511628211)
"""The hash of nothing."""
_LOW, _ONE = np.uint64(63), np.uint64(1)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


class Dictionary(NamedTuple):
    """Distinct strings, found by their hash: open addressing.

    Attributes:
        bits: A bit for each value of some of a hash's bits that a string has: most that are none are told by it.
        slots: Number of a string by slot, -1 where it is free; shape ``(a power of two,)``.
        hashes: Of each string, shape ``(strings,)``.
        ends: Where each begins in ``content``, and where the last ends, shape ``(strings + 1,)``.
        content: All strings in UTF-8, shape ``(bytes,)``.
    """

    bits: Hashes
    slots: npt.NDArray[np.int32]
    hashes: Hashes
    ends: Integers
    content: Bytes

    @classmethod
    def of(cls, strings: Sequence[str]) -> Dictionary:
        """Make one of distinct strings, numbered as they stand."""
        encoded = [string.encode("utf-8", "surrogatepass") for string in strings]
        ends = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
        content = np.frombuffer(b"".join(encoded), dtype=np.uint8)
        bits, slots, hashes = _filled(content, ends, _slots(len(encoded)))
        return cls(bits, slots, hashes, ends, content)


def edges_of(edges: Sequence[tuple[int, int, int]]) -> Integers:
    """Return what `follow` looks into: by slot a packed state and label (-1: free), and the state that follows.

    Args:
        edges: States, labels and the states that follow.
    """
    return _linked(np.array(edges, dtype=np.int64).reshape(-1, 3), _slots(len(edges)))  # type: ignore[no-any-return]


def _slots(n_entries: int) -> int:
    return 1 << (2 * n_entries + 1).bit_length()


@inlined
def with_byte(hashed: Any, code: Any) -> Any:
    """Return the hash of what a hash stands for and a byte after it."""
    return (hashed ^ np.uint64(code)) * _PRIME


@compiled
def extended(hashed: Any, content: Any, start: Any, end: Any) -> Any:
    """Return the hash of what a hash stands for and some bytes after it."""
    for place in range(start, end):
        hashed = with_byte(hashed, content[place])
    return hashed


@compiled
def _filled(content: Any, ends: Any, n_slots: int) -> Any:
    bits = np.zeros(max(n_slots >> 3, 1), dtype=np.uint64)
    slots = np.full(n_slots, -1, dtype=np.int32)
    hashes = np.zeros(ends.size - 1, dtype=np.uint64)
    for number in range(ends.size - 1):
        hashed = extended(NO_HASH, content, ends[number], ends[number + 1])
        hashes[number] = hashed
        bits[(hashed >> np.uint64(6)) & np.uint64(bits.size - 1)] |= _ONE << (hashed & _LOW)
        slot = np.int64((hashed >> np.uint64(32)) & np.uint64(n_slots - 1))
        while slots[slot] >= 0:
            slot = (slot + 1) & (n_slots - 1)
        slots[slot] = number
    return bits, slots, hashes


@compiled
def find(dictionary: Any, content: Any, span: Any, hashed: Any) -> Any:
    """Return the number of a string of a dictionary, or -1.

    Args:
        dictionary: Of strings.
        content: Text.
        span: Where the string begins and ends in the text.
        hashed: Its hash.
    """
    bits, slots, hashes, ends, strings = dictionary
    if not bits[(hashed >> np.uint64(6)) & np.uint64(bits.size - 1)] >> (hashed & _LOW) & _ONE:
        return np.int64(-1)
    start, end = span
    mask = slots.size - 1
    slot = np.int64((hashed >> np.uint64(32)) & np.uint64(mask))
    while slots[slot] >= 0:
        number = np.int64(slots[slot])
        if hashes[number] == hashed and ends[number + 1] - ends[number] == end - start:
            shift = ends[number] - start
            place = start
            while place < end and content[place] == strings[place + shift]:
                place += 1
            if place == end:
                return number
        slot = (slot + 1) & mask
    return np.int64(-1)


@compiled
def _linked(rows: Any, n_slots: int) -> Any:
    table = np.full((n_slots, 2), -1, dtype=np.int64)
    for row in range(rows.shape[0]):
        key = rows[row, 0] << 32 | rows[row, 1]
        slot = np.int64((np.uint64(key) * _SPREAD >> np.uint64(32)) & np.uint64(n_slots - 1))
        while table[slot, 0] >= 0:
            slot = (slot + 1) & (n_slots - 1)
        table[slot, 0], table[slot, 1] = key, rows[row, 2]
    return table


@compiled
def follow(edges: Any, state: Any, label: Any) -> Any:
    """Return the state after another and a label, or -1."""
    mask = edges.shape[0] - 1
    key = np.int64(state) << 32 | np.int64(label)
    slot = np.int64((np.uint64(key) * _SPREAD >> np.uint64(32)) & np.uint64(mask))
    while edges[slot, 0] >= 0:
        if edges[slot, 0] == key:
            return edges[slot, 1]
        slot = (slot + 1) & mask
    return np.int64(-1)
