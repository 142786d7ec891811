"""Compiled loops that look for words in scripts without spaces: leftmost-longest, or as a segmenter cut the text."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pivotlens.arrays import Integers
from pivotlens.text.compiled import compiled
from pivotlens.text.folding import APOSTROPHE, HAN, HIRAGANA, KATAKANA, MARK, SPACED
from pivotlens.text.folding_kernels import decoded
from pivotlens.text.hashed_words import follow

_QUOTE = ord("'")
_TWO_KANA = 6  # bytes
CUT = 1
"""The byte between the segments of text that a segmenter has cut."""
ENDS, GOES_ON = 1, 2
"""Bits of a state: a word ends there, be it one that only takes the place of shorter ones; a longer word goes on."""


class Trie(NamedTuple):
    """Words as sequences of characters.

    Attributes:
        firsts: By code point the state that a first character leads to, -1 where no word begins so.
        edges: What follows a state after a further character: `hashed_words.edges_of`.
        states: Bits of each state, and where the words that end there begin in ``entries``; a row more stands for the
            end; shape ``(states + 1, 2)``.
        entries: Numbers of words.
    """

    firsts: npt.NDArray[np.int32]
    edges: Integers
    states: Integers
    entries: Integers


@compiled
def _code_before(content: Any, place: Any) -> Any:
    place -= 1
    while content[place] & 0xC0 == 0x80:
        place -= 1
    code, _ = decoded(content, place)
    return code


@compiled
def _is_apart(content: Any, flags: Any, start: Any, end: Any) -> Any:
    """Tell whether a word may begin at ``start`` and end at ``end``; one of two kana is mostly part of another word."""
    first, _ = decoded(content, start)
    after, _ = decoded(content, end)
    flag, flag_after = flags[_code_before(content, end)], flags[after]
    if flag & flag_after & SPACED or flag_after & MARK:
        return False
    if after == _QUOTE and flag & APOSTROPHE:
        further, _ = decoded(content, end + 1)
        if flags[further] & APOSTROPHE:
            return False
    kana = flags[first] & flag & (HIRAGANA | KATAKANA) if end - start <= _TWO_KANA else 0
    if kana & flag_after & KATAKANA:
        return False
    if start == 0 or content[start - 1] == 0:
        return True
    before = _code_before(content, start)
    if kana & flags[before] or (kana & HIRAGANA and flags[before] & HAN):
        return False
    if before == _QUOTE and start > 1 and content[start - 2] != 0:
        return not flags[_code_before(content, start - 1)] & flags[first] & APOSTROPHE
    return not flags[before] & flags[first] & SPACED


@compiled
def find_longest(content: Any, at_text: Any, flags: Any, trie: Any, found: Any) -> Any:
    """Return which words are in which texts, leftmost-longest; arguments and result as `word_kernels.find_words`."""
    firsts, edges, states, entries = trie
    keys, latest = found
    place, text = at_text
    n_found, n_bytes, most = 0, content.size, keys.size - latest.size
    while place < n_bytes:
        lead = content[place]
        if lead == 0:
            text, place = text + 1, place + 1
            if n_found > most:
                break
            continue
        if lead < 0x80:
            state, end = np.int64(firsts[lead]), place + 1
        else:
            code, size = decoded(content, place)
            state, end = np.int64(firsts[code]), place + size
        start, place, longest = place, end, np.int64(-1)
        while state >= 0:
            bits = states[state, 0]
            if bits & ENDS:
                longest, place = state, end
            if not bits & GOES_ON:
                break
            code, size = decoded(content, end)
            state = follow(edges, state, code)
            end += size
        if longest >= 0 and states[longest + 1, 1] > states[longest, 1] and _is_apart(content, flags, start, place):
            for at in range(states[longest, 1], states[longest + 1, 1]):
                entry = entries[at]
                if latest[entry] != text:
                    latest[entry], keys[n_found] = text, text * latest.size + entry
                    n_found += 1
    return n_found, place, text


@compiled
def find_segments(content: Any, at_text: Any, trie: Any, found: Any) -> Any:
    """Return which words are one segment or several whole ones of which texts.

    Args:
        content: Folded texts with `CUT` between their segments, each ended by a zero byte.
        at_text: As for `word_kernels.find_words`, as are ``found`` and what is returned.
        trie: The words.
        found: What is written to.
    """
    firsts, edges, states, entries = trie
    keys, latest = found
    place, text = at_text
    n_found, n_bytes, most = 0, content.size, keys.size - latest.size
    begins = True
    while place < n_bytes:
        here, is_first = content[place], begins
        begins = here <= CUT
        place += 1
        if here == 0:
            text += 1
            if n_found > most:
                break
        if not is_first or begins:
            continue
        code, size = decoded(content, place - 1)
        state, end = np.int64(firsts[code]), place - 1 + size
        while state >= 0:
            if content[end] <= CUT and states[state, 0] & ENDS:
                for at in range(states[state, 1], states[state + 1, 1]):
                    entry = entries[at]
                    if latest[entry] != text:
                        latest[entry], keys[n_found] = text, text * latest.size + entry
                        n_found += 1
            while content[end] == CUT:
                end += 1
            if content[end] == 0 or not states[state, 0] & GOES_ON:
                break
            code, size = decoded(content, end)
            state = follow(edges, state, code)
            end += size
    return n_found, place, text
