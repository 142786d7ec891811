"""Which file of an arm each document stands in, and how much of the files a trainer reads."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from pivotlens.arrays import Integers
from pivotlens.settings import CorpusFormat

TokenFormat = Literal["datatrove", "olmo_core", "megatron"]
TOKEN_FORMATS: tuple[TokenFormat, ...] = get_args(TokenFormat)


class FileFilling:
    """Fills one file after another: a file ends before the document with which it would exceed its tokens.

    A document longer than a file has one of its own, whole.

    Args:
        file_tokens: Most tokens of a file of several documents.

    >>> FileFilling(10).numbers(np.array([4, 6, 1, 30, 2])).tolist()
    [0, 0, 1, 2, 3]
    """

    def __init__(self, file_tokens: int) -> None:
        self._file_tokens = file_tokens
        self._number = 0
        self._held = 0

    def numbers(self, lengths: Integers) -> Integers:
        """Return the number of the file that each of the next documents stands in, shape ``(documents,)``.

        Args:
            lengths: Tokens of each, with its end-of-document token, shape ``(documents,)``.
        """
        numbers = np.empty(lengths.size, dtype=np.int64)
        ends = np.cumsum(lengths)
        first, before = 0, 0
        while first < lengths.size:
            end = int(np.searchsorted(ends, before + self._file_tokens - self._held, side="right"))
            if end == first and not self._held:
                end += 1
            numbers[first:end] = self._number
            if end < lengths.size:
                self._number, self._held = self._number + 1, 0
            else:
                self._held += int(ends[-1]) - before
            first, before = end, int(ends[end - 1]) if end else 0
        return numbers


def tokens_read(tokens: Integers, format: CorpusFormat, sequence_length: int) -> int:
    """Return how many tokens a trainer counts in an epoch over files (docs/method.md#token-files).

    They are its sequences times their length. OLMo-core cuts each file into sequences, nanotron into windows of one
    token more, which do not overlap; of both the tail of a file that fills none is dropped. Megatron's samples overlap
    by the one token that is only predicted. Documents as text are packed as one stream, as TRL does.

    Args:
        tokens: Tokens of each file with the end-of-document tokens, shape ``(files,)``.
        format: Which trainer.
        sequence_length: Tokens of a training sequence.

    >>> files = np.array([100, 29])
    >>> {format: tokens_read(files, format, 10) for format in ("parquet", "olmo_core", "datatrove", "megatron")}
    {'parquet': 120, 'olmo_core': 120, 'datatrove': 110, 'megatron': 110}
    """
    if format == "olmo_core":
        sequences = tokens // sequence_length
    elif format == "datatrove":
        sequences = tokens // (sequence_length + 1)
    elif format == "megatron":
        sequences = np.maximum(tokens - 1, 0) // sequence_length
    else:
        sequences = tokens.sum(keepdims=True) // sequence_length
    return int(sequences.sum()) * sequence_length
