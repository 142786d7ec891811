"""Reading a quantised fastText classifier (``.ftz``), as the one that tells languages apart is."""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

_MAGIC, _VERSION = 793712314, 12
_HIERARCHICAL_SOFTMAX = 1
_LABEL = b"__label__"
_CENTROIDS = 256
NO_ROW = 65535

Array32 = npt.NDArray[np.float32]
Int32 = npt.NDArray[np.int32]


class FastTextModel(NamedTuple):
    """A classifier with hierarchical softmax, as arrays.

    Attributes:
        labels: Its labels, without their prefix, the most frequent first.
        least: Fewest characters of a character n-gram.
        most: Most characters of one.
        vectors: Of words and character n-grams, shape ``(rows, dimensions)``, float32.
        words: Words with a vector of their own; the number of a word is its row.
        rows_of_buckets: Row of each hash of a character n-gram, shape ``(buckets,)``, uint16; `NO_ROW` where the n-gram
            was pruned.
        nodes: Vectors of the inner nodes of the tree, shape ``(labels - 1, dimensions)``, float32.
        children: Left and right child of each inner node, shape ``(labels - 1, 2)``, int32: a label, or the number of
            labels and an inner node; the last node is the root.
    """

    labels: tuple[str, ...]
    least: int
    most: int
    vectors: Array32
    words: tuple[bytes, ...]
    rows_of_buckets: npt.NDArray[np.uint16]
    nodes: Array32
    children: Int32


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content, self._place = content, 0

    def values(self, kinds: str) -> tuple[Any, ...]:
        found = struct.unpack_from(f"<{kinds}", self._content, self._place)
        self._place += struct.calcsize(f"<{kinds}")
        return found

    def array(self, kind: str, size: int) -> npt.NDArray[Any]:
        found = np.frombuffer(self._content, kind, size, self._place)
        self._place += found.nbytes
        return found

    def string(self) -> bytes:
        end = self._content.index(b"\0", self._place)
        found, self._place = self._content[self._place : end], end + 1
        return found

    def quantiser(self) -> tuple[int, Array32]:
        """Return the parts of a vector, and the centroids of each, shape ``(parts, centroids, dimensions a part)``."""
        dimensions, parts, of_part, of_last = self.values("4i")
        if of_part != of_last:
            raise ValueError("its vectors are cut into unequal parts")
        return parts, self.array("<f4", dimensions * _CENTROIDS).reshape(parts, _CENTROIDS, of_part)


def read_fasttext(content: bytes) -> FastTextModel:
    """Read a model from the bytes of its file; the format is that of fastText 0.9.2 (Joulin et al. 2016).

    Raises:
        ValueError: It is no quantised classifier with hierarchical softmax.
    """
    reader = _Reader(content)
    if reader.values("2i") != (_MAGIC, _VERSION):
        raise ValueError("it is no fastText model of version 12")
    dimensions, _, _, _, _, word_ngrams, loss, _, buckets, least, most, _, _ = reader.values("12id")
    if loss != _HIERARCHICAL_SOFTMAX or word_ngrams != 1:
        raise ValueError("it has no hierarchical softmax, or n-grams of words")
    size, n_words, _, _, n_pruned = reader.values("3i2q")
    entries = [(reader.string(), *reader.values("qb")) for _ in range(size)]
    pruned = reader.array("<i4", 2 * max(n_pruned, 0)).reshape(-1, 2)
    if reader.values("?") != (True,):
        raise ValueError("it is not quantised")
    vectors = _quantised(reader, dimensions)
    if reader.values("?") != (False,):
        raise ValueError("its output is quantised")
    n_labels, _ = reader.values("2q")
    nodes = reader.array("<f4", n_labels * dimensions).reshape(n_labels, dimensions)[:-1]
    rows = np.full(buckets, NO_ROW, dtype=np.uint16)
    rows[pruned[:, 0]] = n_words + pruned[:, 1]
    labels = [(word, count) for word, count, is_label in entries if is_label]
    return FastTextModel(
        tuple(word.removeprefix(_LABEL).decode() for word, _ in labels),
        least,
        most,
        vectors,
        tuple(word for word, _, is_label in entries if not is_label),
        rows,
        nodes,
        _huffman_tree([count for _, count in labels]),
    )


def _quantised(reader: _Reader, dimensions: int) -> Array32:
    (has_norms,) = reader.values("?")
    n_rows, _, size = reader.values("2qi")
    codes = reader.array("u1", size)
    parts, centroids = reader.quantiser()
    vectors = centroids[np.arange(parts), codes.reshape(n_rows, parts)].reshape(n_rows, dimensions)
    if has_norms:
        norms = reader.array("u1", n_rows)
        vectors = vectors * reader.quantiser()[1][0, norms]
    return np.ascontiguousarray(vectors, dtype=np.float32)


def _huffman_tree(counts: list[int]) -> Int32:
    """Return the children of the inner nodes of the tree that fastText builds from the frequencies of the labels."""
    n_labels = len(counts)
    children = np.zeros((n_labels - 1, 2), dtype=np.int32)
    weights = [*counts, *[1 << 60] * (n_labels - 1)]
    leaf, node = n_labels - 1, n_labels
    for parent in range(n_labels - 1):
        for side in range(2):
            if leaf >= 0 and weights[leaf] < weights[node]:
                children[parent, side], leaf = leaf, leaf - 1
            else:
                children[parent, side], node = node, node + 1
        weights[n_labels + parent] = weights[children[parent, 0]] + weights[children[parent, 1]]
    return children
