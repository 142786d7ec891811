"""Compiled loops over long lines: whether their language changes, and which two they hold.

The rules stand in docs/method.md#composition-of-units.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pivotlens.corpus.composition_kernels import NONE, weight
from pivotlens.text.compiled import compiled
from pivotlens.text.line_kernels import label_score

WEIGHTS = np.array([1, 3, 2, 1])
"""Of characters by script, as `weight` counts them."""


@compiled
def likely_elsewhere(lines: Any, first: Any, labels: Any, evidence: Any, languages: Any, tree: Any) -> Any:
    """Return how likely lines are in their label's language or in English, if that is not the one that was found.

    Args:
        lines: Which lines, shape ``(some lines,)``.
        first: Language of each line, of `sure_languages`.
        labels: Language of each line's label; `NONE` where it is not known.
        evidence: Fields of `Evidence`.
        languages: As of `compose`.
        tree: Of `Tables`.

    Returns:
        The greater probability of the two, shape ``(some lines,)``.
    """
    label_of, _, _, (english, _, _) = languages
    sums, n_vectors, _, _ = evidence
    likely = np.zeros(lines.size)
    for place, line in enumerate(lines):
        for code in (labels[line], english):
            if code >= 0 and code != first[line] and n_vectors[line]:
                score = label_score(label_of[code], sums, line, n_vectors[line], tree)
                likely[place] = max(likely[place], np.exp(score))
    return likely


@compiled
def pieces_of(text: Any, starts: Any, ends: Any) -> Any:
    """Cut lines where languages may change: after sentences, between scripts of East Asia and others, or in the middle.

    Args:
        text: UTF-8.
        starts: Where each line begins, shape ``(lines,)``.
        ends: Where it ends.

    Returns:
        Of each piece where it begins and ends, and its line, each of shape ``(pieces,)``.
    """
    pieces: Any = [(np.int64(0), np.int64(0), np.int64(0)) for _ in range(0)]
    for line in range(starts.size):
        begin, east_asian = starts[line], NONE
        for place in range(starts[line], ends[line]):
            code = text[place]
            if 128 <= code < 192 or code == 0xC2 or code == 0xE2:  # within a character, or mostly no letter
                continue
            cut = place - begin > 1 and text[place - 1] == 32 and _ends_sentences(text[place - 2])
            if code > 127 or 97 <= code | 32 <= 122:
                is_east_asian = int(code >= 0xE3)
                cut |= east_asian == 1 - is_east_asian
                east_asian = is_east_asian
            if cut:
                pieces.append((begin, place, line))
                begin = place
        if begin == starts[line]:
            begin = _middle(text, starts[line], ends[line])
            pieces.append((starts[line], begin, line))
        pieces.append((begin, ends[line], line))
    found = np.empty((3, len(pieces)), dtype=np.int64)
    for number, piece in enumerate(pieces):
        found[0, number], found[1, number], found[2, number] = piece
    return found


@compiled
def _ends_sentences(code: Any) -> Any:
    return code == 46 or code == 33 or code == 63  # . ! ?


@compiled
def _middle(text: Any, start: Any, end: Any) -> Any:
    """Return the white space nearest to the middle of a line, or the middle itself."""
    middle = (start + end) // 2
    for away in range((end - start) // 2):
        if text[middle - away] == 32 or text[middle + away] == 32:
            return middle + away if text[middle + away] == 32 else middle - away
    return middle


@compiled
def languages_within(first: Any, lines: Any, pieces: Any, characters: Any, close: Any) -> Any:
    """Return what pieces of lines tell of the languages within a line.

    Args:
        first: Language of each line, or `NONE`.
        lines: Weight of each line, shape ``(lines,)``.
        pieces: Line of each piece and its language, shape ``(2, pieces)``; those of a line follow each other.
        characters: Of the pieces, as in `Evidence`.
        close: Which languages are close.

    Returns:
        Of each line its language, the second one within it, or `NONE`, and the weight of what is in that, each of
        shape ``(lines,)``.
    """
    first = first.copy()
    second = np.full(first.size, NONE, dtype=np.int32)
    weights = np.zeros(first.size, dtype=np.int64)
    of_language = np.zeros(close.shape[0], dtype=np.int64)
    start = 0
    while start < pieces.shape[1]:
        line, end = pieces[0, start], start
        while end < pieces.shape[1] and pieces[0, end] == line:
            if pieces[1, end] >= 0:
                of_language[pieces[1, end]] += weight(characters, end)
            end += 1
        most = first[line]
        for piece in range(start, end):
            code = pieces[1, piece]
            if code >= 0 and first[line] < 0 and (most < 0 or of_language[code] > of_language[most]):
                most = code
        for piece in range(start, end):
            code = pieces[1, piece]
            if code < 0 or code == most or close[code, most] or of_language[code] <= weights[line]:
                continue
            if 5 * of_language[code] >= lines[line]:
                first[line], second[line], weights[line] = most, code, of_language[code]
        for piece in range(start, end):
            if pieces[1, piece] >= 0:
                of_language[pieces[1, piece]] = 0
        start = end
    return first, second, weights
