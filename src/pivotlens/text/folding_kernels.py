"""The compiled loop that folds UTF-8 text character by character, and marks what must be folded together."""

from __future__ import annotations

from typing import Any

import numpy as np

from pivotlens.text.compiled import compiled

ALL_CODES = 0x110000
"""Code points of Unicode."""
NOTHING, SEVERAL = -1, -2
"""A character that is left out; one that becomes several: this, less its row among them."""
NEIGHBOURS, LEFT_OUT = 1, 2
"""Bits of a character's kind: it may be composed with another; it is left out."""


@compiled
def decoded(content: Any, place: Any) -> Any:
    """Return the code point of the UTF-8 character that begins at a place, and its bytes."""
    lead = content[place]
    if lead < 0x80:
        return np.int64(lead), 1
    if lead < 0xE0:
        return np.int64(lead & 0x1F) << 6 | np.int64(content[place + 1] & 0x3F), 2
    if lead < 0xF0:
        second, third = np.int64(content[place + 1] & 0x3F), np.int64(content[place + 2] & 0x3F)
        return np.int64(lead & 0x0F) << 12 | second << 6 | third, 3
    second, third = np.int64(content[place + 1] & 0x3F), np.int64(content[place + 2] & 0x3F)
    return np.int64(lead & 0x07) << 18 | second << 12 | third << 6 | np.int64(content[place + 3] & 0x3F), 4


@compiled
def _encode(code: Any, out: Any, at: Any) -> Any:
    """Write a code point in UTF-8; return where the next one goes."""
    if code < 0x80:
        out[at] = code
        return at + 1
    if code < 0x800:
        out[at], out[at + 1] = 0xC0 | code >> 6, 0x80 | code & 0x3F
        return at + 2
    if code < 0x10000:
        out[at], out[at + 1], out[at + 2] = 0xE0 | code >> 12, 0x80 | code >> 6 & 0x3F, 0x80 | code & 0x3F
        return at + 3
    out[at], out[at + 1] = 0xF0 | code >> 18, 0x80 | code >> 12 & 0x3F
    out[at + 2], out[at + 3] = 0x80 | code >> 6 & 0x3F, 0x80 | code & 0x3F
    return at + 4


@compiled
def fold_texts(content: Any, spans: Any, tables: Any, out: Any, gaps: Any) -> Any:
    """Fold texts character by character, each ended by a zero byte.

    A cluster is a character that is composed with none before it, and those after it that are marks, are left out or
    may be composed. Where one holds what depends on its neighbours (a character that is not in normal form C or may be
    composed, marks out of order), nothing is written for it, and it is among the gaps.

    Args:
        content: All texts in UTF-8, shape ``(bytes,)``, uint8.
        spans: Where each begins and where each ends, both shape ``(texts,)``.
        tables: By code point what it becomes, its canonical combining class and kind; the characters of those that
            become several, shape ``(rows, 3)``; see `folding.Tables`.
        out: What is written to, shape ``(twice the bytes, three for each zero among them, and one a text,)``, uint8.
        gaps: What is written to as well: where each begins and ends in ``content``, and where it belongs in ``out``;
            shape ``(half of the bytes, 3)``.

    Returns:
        How many bytes and how many gaps were written.
    """
    folded, classes, kinds, several = tables
    written, n_gaps = 0, 0
    starts, ends = spans
    for text in range(starts.size):
        place, end = starts[text], ends[text]
        cluster, cluster_out, last_class, is_gap = place, written, 0, False
        while place < end:
            lead = content[place]
            plain = lead < 0x80 and folded[lead] < 0x80
            if plain:
                code, size, kind, combining = np.int64(lead), 1, 0, 0
            else:
                code, size = decoded(content, place)
                kind, combining = kinds[code], classes[code]
            if kind == 0 and combining == 0:
                if is_gap:
                    gaps[n_gaps, 0], gaps[n_gaps, 1], gaps[n_gaps, 2] = cluster, place, cluster_out
                    n_gaps, written, is_gap = n_gaps + 1, cluster_out, False
                if plain:
                    while place < end and content[place] < 0x80 and folded[content[place]] < 0x80:
                        out[written] = folded[content[place]]
                        written += 1
                        place += 1
                    cluster, cluster_out, last_class = place - 1, written - 1, 0
                    continue
                cluster, cluster_out, last_class = place, written, 0
            else:
                is_gap = is_gap or (kind & NEIGHBOURS) > 0 or 0 < combining < last_class
                last_class = combining if combining else last_class
            form = folded[code]
            if form >= 0:
                written = _encode(form, out, written)
            elif form != NOTHING:
                for part in several[SEVERAL - form]:
                    if part:
                        written = _encode(part, out, written)
            place += size
        if is_gap:
            gaps[n_gaps, 0], gaps[n_gaps, 1], gaps[n_gaps, 2] = cluster, end, cluster_out
            n_gaps, written = n_gaps + 1, cluster_out
        out[written] = 0
        written += 1
    return written, n_gaps
