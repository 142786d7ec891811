"""Compiled loops over the bytes of text: what a line's words say of its language.

Every function takes UTF-8 bytes. A line's evidence is the sum of fastText's vectors of its words and of their character
n-grams; words that are no language (options, paths, numbers, variables, acronyms) are passed over.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pivotlens.text.compiled import compiled, inlined
from pivotlens.text.fasttext_model import NO_ROW, Array32, FastTextModel, Int32
from pivotlens.text.hashed_words import NO_HASH, with_byte

_WORD_SLOTS = 1 << 15
_CACHE_SLOTS = 1 << 17
_FNV32, _FNV32_PRIME = 2166136261, 16777619
# As fastText smooths the logarithm of a branch.
_SMALL = 1e-5
_LONGEST_WORD = 1024
DIMENSIONS = 16
"""Of the vectors."""

Codes = npt.NDArray[np.uint8]
# First bytes of characters of scripts that ASCII may stand amid: CJK, Thai, Indic.
_UNSPACED_BYTES = np.isin(np.arange(256), [0xE0, *range(0xE3, 0xEE), *range(0xEF, 0x100)])


class Evidence(NamedTuple):
    """What `read_lines` found, by line.

    Attributes:
        sums: Sums of vectors, shape ``(lines, dimensions)``, float32.
        n_vectors: How many there are in each, shape ``(lines,)``, int32.
        characters: Characters of words by script: kana, Han, Hangul and all others, shape ``(lines, 4)``, int32. Words
            that were passed over are not among them, and only the others have vectors.
        words: Words in other scripts, shape ``(lines,)``, int32.
    """

    sums: Array32
    n_vectors: Int32
    characters: Int32
    words: Int32


KANA, HAN, HANGUL, OTHER = range(4)


class Tables(NamedTuple):
    """A model as the loops take it.

    Attributes:
        model: Vectors as in `FastTextModel`, those of n-grams in the order of their buckets; of 64 buckets each which
            have a vector, as bits, and the row of the first, both uint64, shape ``(buckets / 64, 2)``; words with a
            vector of their own by hash, and their rows, open addressing (row -1 is a free slot); fewest and most
            characters of an n-gram, and the number of buckets.
        tree: Nodes and children as in `FastTextModel`; of each label the inner nodes from the root to it, the side
            taken at each, and how many there are.
    """

    model: tuple[npt.NDArray[Any], ...]
    tree: tuple[npt.NDArray[Any], ...]


def tables_of(model: FastTextModel) -> Tables:
    """Return a model as the loops take it."""
    word_hashes = np.zeros(_WORD_SLOTS, dtype=np.uint64)
    word_rows = np.full(_WORD_SLOTS, -1, dtype=np.int32)
    for row, word in enumerate(model.words):
        hashed = _hash_of(np.frombuffer(word, dtype=np.uint8), 0, len(word))
        slot = int(hashed) % _WORD_SLOTS
        while word_rows[slot] >= 0:
            slot = (slot + 1) % _WORD_SLOTS
        word_hashes[slot], word_rows[slot] = hashed, row
    sizes = np.array([model.least, model.most, model.rows_of_buckets.size], dtype=np.int64)
    buckets = np.flatnonzero(model.rows_of_buckets != NO_ROW)
    own = model.vectors[: len(model.words)]
    vectors = np.concatenate([own, model.vectors[model.rows_of_buckets[buckets]]])
    return Tables(
        (vectors, _blocks(buckets, model.rows_of_buckets.size, len(own)), word_hashes, word_rows, sizes), _tree(model)
    )


def _blocks(buckets: npt.NDArray[np.int64], n_buckets: int, first_row: int) -> npt.NDArray[np.uint64]:
    """Return the few buckets that have a vector, so tight that they stay in the processor's cache."""
    there = np.zeros(-(-n_buckets // 64) * 64, dtype=np.uint8)
    there[buckets] = 1
    bits = np.packbits(there, bitorder="little").view("<u8")
    counts = there.reshape(-1, 64).sum(axis=1)
    return np.stack([bits, first_row + np.cumsum(counts) - counts], axis=1).astype(np.uint64)


def _tree(model: FastTextModel) -> tuple[npt.NDArray[Any], ...]:
    n_labels = len(model.labels)
    parents = {
        int(child): (parent, side) for parent, pair in enumerate(model.children) for side, child in enumerate(pair)
    }
    routes = []
    for label in range(n_labels):
        route, at = [], label
        while at in parents:
            route.append(parents[at])
            at = n_labels + route[-1][0]
        routes.append(route[::-1])
    depths = np.array([len(route) for route in routes], dtype=np.int32)
    padded = np.zeros((2, n_labels, int(depths.max())), dtype=np.int32)
    for label, route in enumerate(routes):
        padded[:, label, : len(route)] = np.transpose(route)
    return model.nodes, model.children, padded[0], padded[1], depths


def no_words() -> tuple[npt.NDArray[Any], ...]:
    """Return the empty memory of words that `read_lines` fills; a slot holds the last one that was met.

    Returns:
        A word's hash, and its vectors and letters in the two halves of a number, shape ``(slots, 2)``, uint64; sums of
        vectors, shape ``(slots + 1, dimensions)``, float32, the last for the word at hand; room for its letters.
    """
    return (
        np.zeros((_CACHE_SLOTS, 2), dtype=np.uint64),
        np.zeros((_CACHE_SLOTS + 1, DIMENSIONS), dtype=np.float32),
        np.zeros(_LONGEST_WORD + 3, dtype=np.uint8),
    )


@inlined
def _hash_of(text: Codes, start: Any, end: Any) -> np.uint64:
    hashed = NO_HASH
    for place in range(start, end):
        hashed = with_byte(hashed, text[place])
    return hashed ^ (hashed >> np.uint64(32))


@inlined
def _ones(bits: Any) -> Any:
    """Count the ones among 64 bits."""
    pairs = bits - ((bits >> np.uint64(1)) & np.uint64(0x5555555555555555))
    fours = (pairs & np.uint64(0x3333333333333333)) + ((pairs >> np.uint64(2)) & np.uint64(0x3333333333333333))
    bytes_ = (fours + (fours >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((bytes_ * np.uint64(0x0101010101010101)) >> np.uint64(56))


@inlined
def _add(sums: Any, to: Any, vectors: Any, row: Any) -> None:
    for dimension in range(vectors.shape[1]):
        sums[to, dimension] += vectors[row, dimension]


@inlined
def _sum_of_word(text: Codes, start: Any, end: Any, model: Any, sums: Any, slot: Any, word: Codes) -> int:
    """Sum up a word's own vector and those of its character n-grams in a slot; return how many there are.

    The n-grams are those of the word with < before and > after it, which is written into ``word``.
    """
    vectors, blocks, word_hashes, word_rows, sizes = model
    sums[slot] = 0
    n_vectors = 0
    hashed = _hash_of(text, start, end)
    place = np.int64(hashed % np.uint64(_WORD_SLOTS))
    while word_rows[place] >= 0:
        if word_hashes[place] == hashed:
            _add(sums, slot, vectors, word_rows[place])
            n_vectors += 1
            break
        place = (place + 1) % _WORD_SLOTS
    size = end - start + 2
    word[0], word[size - 1], word[size] = 60, 62, 0
    for letter in range(start, end):
        word[letter - start + 1] = text[letter]
    n_buckets, of_one = sizes[2], 1.0 / sizes[2]
    for first in range(size):
        if word[first] & 0xC0 == 0x80:
            continue
        gram, at, characters = np.uint32(_FNV32), first, 0
        while at < size and characters < sizes[1]:
            gram = _extended(gram, word[at])
            at += 1
            while word[at] & 0xC0 == 0x80:
                gram = _extended(gram, word[at])
                at += 1
            characters += 1
            if characters >= sizes[0]:
                # The remainder, without the division of whole numbers that would be most of this loop.
                bucket = np.int64(gram) - np.int64(gram * of_one) * n_buckets
                bucket += n_buckets if bucket < 0 else 0 if bucket < n_buckets else -n_buckets
                bits, bit = blocks[bucket >> 6, 0], np.uint64(1) << np.uint64(bucket & 63)
                if bits & bit:
                    row = np.int64(blocks[bucket >> 6, 1]) + _ones(bits & (bit - np.uint64(1)))
                    _add(sums, slot, vectors, row)
                    n_vectors += 1
    return n_vectors


@inlined
def _extended(gram: np.uint32, code: np.uint8) -> np.uint32:
    """Return the hash of an n-gram with one byte more; fastText takes bytes as signed."""
    signed = np.uint32(code) if code < 0x80 else np.uint32(code) | np.uint32(0xFFFFFF00)
    return np.uint32((gram ^ signed) * np.uint32(_FNV32_PRIME))


@inlined
def _letters(text: Codes, start: Any, end: Any) -> int:
    """Count the characters of a word that can be letters; punctuation of Unicode's first blocks for it is none."""
    letters = 0
    for place in range(start, end):
        code = text[place]
        if 97 <= code | 0x20 <= 122 or (code >= 0xC3 and code not in (0xE2, 0xEF)):
            letters += 1
    return letters


@compiled
def _plain_word(text: Codes, start: Any, end: Any) -> Any:
    """Return where the word of a token begins and ends, without punctuation around it; nowhere if it is no language.

    No language are options, paths, variables, mark-up, what holds digits, acronyms and CamelCase.
    """
    if text[start] in (36, 37, 38, 42, 43, 45, 47, 64, 92, 95, 126):  # $ % & * + - / @ \\ _ ~
        return start, start
    while start < end and text[start] < 0x80 and not 97 <= text[start] | 0x20 <= 122:
        if 48 <= text[start] <= 57 or text[start] in (47, 60, 92):  # digits, / < and \\
            return start, start
        start += 1
    while start < end and text[end - 1] < 0x80 and not 97 <= text[end - 1] | 0x20 <= 122:
        if 48 <= text[end - 1] <= 57 or text[end - 1] in (47, 61, 62, 95):  # digits, / = > _
            return start, start
        end -= 1
    capitals, lower, beyond = 0, 0, 0
    for place in range(start, end):
        code = text[place]
        if 65 <= code <= 90:
            if lower > 0:
                return start, start
            capitals += 1
        elif 97 <= code <= 122:
            lower += 1
        elif code >= 0x80:
            beyond += 1
        elif code != 39 and code != 45:  # ' and -
            return start, start
        else:
            lower = 0  # a capital may follow a hyphen
    if capitals > 1 and lower + beyond == 0:
        return start, start
    return start, end


@inlined
def _token(text: Codes, place: Any, end: Any) -> Any:
    """Return where the next token between white space begins and ends, its hash, and whether it is of both kinds.

    The last tells whether it has characters of scripts that ASCII may stand amid.
    """
    while place < end and text[place] <= 32:
        place += 1
    first, hashed, unspaced = place, NO_HASH, False
    while place < end:
        code = text[place]
        if code <= 32:
            break
        hashed = with_byte(hashed, code)
        unspaced |= _UNSPACED_BYTES[code]
        place += 1
    return first, place, hashed ^ (hashed >> np.uint64(32)), unspaced


@inlined
def _spaced_word(text: Codes, first: Any, end: Any) -> Any:
    """Return where the word of a token between spaces begins and ends; nowhere where it is no language."""
    start, stop = _plain_word(text, first, end)
    is_message = stop - start in (5, 6, 7) and text[start] == 109 and text[start + 1] == 115
    if is_message or stop - start > _LONGEST_WORD:
        return start, start
    return start, stop


@inlined
def _run_amid_ascii(text: Codes, first: Any, end: Any) -> Any:
    """Return where the next run of other characters than ASCII begins and ends in a token, and where to look on."""
    while first < end and text[first] < 0x80:
        first += 1
    stop = first
    while stop < end and text[stop] >= 0x80 and stop - first < _LONGEST_WORD:
        stop += 1
    following = stop
    while following < end and text[following] < 0x80:
        following += 1
    return first, stop, following


@inlined
def _count_east_asian(text: Codes, start: Any, end: Any, counts: Any, line: int) -> bool:
    """Count the kana, Han and Hangul characters of a word; tell whether it has any."""
    found = False
    for place in range(start, end):
        code = text[place]
        if code < 0xE3 or code > 0xED:
            continue
        script = HAN
        if code == 0xE3 and text[place + 1] < 0x90:
            if not 0x81 <= text[place + 1] <= 0x83:
                continue
            script = KANA
        elif code >= 0xEA:
            script = HANGUL
        counts[line, script] += 1
        found = True
    return found


@inlined
def _read_word(text: Codes, start: Any, stop: Any, hashed: Any, model: Any, met: Any) -> Any:
    """Remember what a word says, under a hash; return its slot."""
    keys, sums, room = met
    slot = np.int64(hashed % np.uint64(_CACHE_SLOTS))
    n_letters = _letters(text, start, stop) if start < stop else 0
    n_vectors = _sum_of_word(text, start, stop, model, sums, _CACHE_SLOTS, room) if n_letters else 0
    for dimension in range(sums.shape[1]):  # summed up where it is at hand, written where it is remembered
        sums[slot, dimension] = sums[_CACHE_SLOTS, dimension]
    keys[slot, 0], keys[slot, 1] = hashed, (np.uint64(n_vectors) << np.uint64(32)) | np.uint64(n_letters)
    return slot


@compiled
def read_lines(text: Codes, starts: Any, ends: Any, model: Any, met: Any) -> Any:
    """Return the evidence of each line as the fields of `Evidence`.

    Args:
        text: UTF-8.
        starts: Where each line begins, shape ``(lines,)``, int64.
        ends: Where it ends.
        model: Of `Tables`.
        met: What `no_words` returned. A token between spaces that was met before costs its hash and a look-up.
    """
    keys, met_sums, _ = met
    n_lines = starts.size
    sums = np.zeros((n_lines, met_sums.shape[1]), dtype=np.float32)
    n_vectors = np.zeros(n_lines, dtype=np.int32)
    characters = np.zeros((n_lines, 4), dtype=np.int32)
    words = np.zeros(n_lines, dtype=np.int32)
    for line in range(n_lines):
        place, end_of_line = starts[line], ends[line]
        run, end_of_runs = place, place
        while True:
            # Runs of one token, or the next token. What is done for every word stands here: a call costs more.
            if run < end_of_runs:
                start, stop, run = _run_amid_ascii(text, run, end_of_runs)
                if start == stop or (text[start] >= 0xE3 and _count_east_asian(text, start, stop, characters, line)):
                    continue
                hashed, is_run = _hash_of(text, start, stop), True
            else:
                start, stop, hashed, is_run = _token(text, place, end_of_line)
                if start == stop:
                    break
                place = stop
                if is_run:
                    run, end_of_runs = start, stop
                    continue
            slot = np.int64(hashed % np.uint64(_CACHE_SLOTS))
            if keys[slot, 0] != hashed:
                if not is_run:
                    start, stop = _spaced_word(text, start, stop)
                _read_word(text, start, stop, hashed, model, met)
            n_letters = np.int32(keys[slot, 1] & np.uint64(0xFFFFFFFF))
            if n_letters:
                _add(sums, line, met_sums, slot)
                n_vectors[line] += np.int32(keys[slot, 1] >> np.uint64(32))
                characters[line, OTHER] += n_letters
                words[line] += 1
    return sums, n_vectors, characters, words


@compiled
def _branch(nodes: Any, node: Any, sums: Any, line: int, n_vectors: Any) -> float:
    """Return the probability of the right side at an inner node."""
    dot = np.float32(0)
    for dimension in range(nodes.shape[1]):
        dot += nodes[node, dimension] * sums[line, dimension]
    return float(1.0 / (1.0 + np.exp(-dot / n_vectors)))


@compiled
def label_score(label: Any, sums: Any, line: int, n_vectors: Any, tree: Any) -> float:
    """Return the logarithm of a label's probability for the sum of a line's vectors."""
    nodes, _, paths, sides, depths = tree
    total = 0.0
    for depth in range(depths[label]):
        right = _branch(nodes, paths[label, depth], sums, line, n_vectors)
        total += np.log((right if sides[label, depth] else 1 - right) + _SMALL)
    return total


@compiled
def best_label(sums: Any, line: int, n_vectors: Any, tree: Any, waiting: Any, scores: Any) -> Any:
    """Return the most probable label for the sum of a line's vectors, and the logarithm of its probability.

    Args:
        sums: Sums of vectors, shape ``(lines, dimensions)``.
        line: Which of them.
        n_vectors: How many it is the sum of, at least one.
        tree: Of `Tables`.
        waiting: Room for as many nodes as the tree has, int32.
        scores: Room for their scores, float64.
    """
    nodes, children, _, _, depths = tree
    n_labels = depths.size
    waiting[0], scores[0], n_waiting = 2 * n_labels - 2, 0.0, 1
    best, best_score = -1, -np.inf
    while n_waiting:
        n_waiting -= 1
        node, score = waiting[n_waiting], scores[n_waiting]
        if score <= best_score:
            continue
        if node < n_labels:
            best, best_score = node, score
            continue
        right = _branch(nodes, node - n_labels, sums, line, n_vectors)
        likelier = 1 if right > 0.5 else 0
        for side in (1 - likelier, likelier):  # the likelier one is looked at first
            waiting[n_waiting] = children[node - n_labels, side]
            scores[n_waiting] = score + np.log((right if side else 1 - right) + _SMALL)
            n_waiting += 1
    return best, best_score


@compiled
def best_labels(sums: Any, n_vectors: Any, tree: Any) -> tuple[Any, Any]:
    """Return the most probable label of each line, int32, and its probability; -1 and 0 without evidence."""
    n_nodes = 2 * tree[4].size
    waiting, scores = np.empty(n_nodes, dtype=np.int32), np.empty(n_nodes, dtype=np.float64)
    labels = np.full(n_vectors.size, -1, dtype=np.int32)
    probabilities = np.zeros(n_vectors.size, dtype=np.float64)
    for line in range(n_vectors.size):
        if n_vectors[line]:
            label, score = best_label(sums, line, n_vectors[line], tree, waiting, scores)
            labels[line], probabilities[line] = label, np.exp(score)
    return labels, probabilities
