"""Token ids as bytes: the integer type follows from the vocabulary, and no id ever wraps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pivotlens.arrays import Integers
from pivotlens.corpus.writing.layout import TokenFormat
from pivotlens.errors import ConfigError, DataError

# Megatron-Core's own bound, some way below 2¹⁶; its reader knows no unsigned type of 32 bits.
_MEGATRON_UINT16 = 65500
_LARGEST_VOCABULARY = 1 << 31


@dataclass(frozen=True)
class TokenCoding:
    """How token ids are written (docs/method.md#token-files).

    All formats hold the same bytes: 16 bits where Megatron-Core takes so few, else 32, whose sign no id reaches. So one
    type serves them all, and only its name differs.

    Attributes:
        vocabulary: One more than the largest id.
        end: Id of the end-of-document token, which follows every document.
        tokenizer: Name of the tokenizer, for the reader of the files.

    >>> TokenCoding(49152, 0).type_name("olmo_core"), TokenCoding(262145, 1).type_name("olmo_core")
    ('uint16', 'uint32')
    >>> TokenCoding(262145, 1).type_name("megatron")
    'int32'
    """

    vocabulary: int
    end: int
    tokenizer: str = ""

    def __post_init__(self) -> None:
        """Check the vocabulary.

        Raises:
            ConfigError: No format holds so large a vocabulary, or the end-of-document token is not in it.
        """
        if not 0 < self.vocabulary <= _LARGEST_VOCABULARY:
            raise ConfigError(
                f"token files cannot hold a vocabulary of {self.vocabulary:,}: their ids have at most 31 bits",
                'Write documents (formats = ["jsonl"]) and let the trainer cut them.',
            )
        if not 0 <= self.end < self.vocabulary:
            raise ConfigError(
                f"the end-of-document token {self.end:,} is not in a vocabulary of {self.vocabulary:,}",
                "Name a token of the tokenizer with --end-of-document.",
            )

    @property
    def width(self) -> int:
        """Bytes of an id."""
        return 2 if self.vocabulary < _MEGATRON_UINT16 else 4

    def type_name(self, format: TokenFormat) -> str:
        """Return the name of the type as a trainer's configuration has it."""
        if self.width == 2:
            return "uint16"
        return "int32" if format == "megatron" else "uint32"

    def encode(self, ids: Integers, document: str) -> bytes:
        """Return a document's ids and the end-of-document token as little-endian bytes.

        Args:
            ids: Shape ``(tokens,)``.
            document: What it is called in an error.

        Raises:
            DataError: An id is not in the vocabulary.
        """
        if ids.size and (ids.min() < 0 or ids.max() >= self.vocabulary):
            beyond = int(ids[(ids < 0) | (ids >= self.vocabulary)][0])
            raise DataError(
                f"token id {beyond:,} of {document} is not in the vocabulary of {self.vocabulary:,} that the token "
                f"files are written for, and would wrap in their {8 * self.width} bits",
                "Give the tokenizer that the ids come from.",
            )
        return np.append(ids, self.end).astype(f"<u{self.width}").tobytes()
