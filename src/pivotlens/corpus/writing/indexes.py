"""What lies beside a file of tokens and tells where its documents are: for datatrove, OLMo-core and Megatron-Core."""

from __future__ import annotations

import gzip
import io
import struct
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from pivotlens.arrays import Integers
from pivotlens.corpus.writing.tokens import TokenCoding

_MEGATRON_MAGIC = b"MMIDIDX\x00\x00"
_MEGATRON_VERSION = 1
_MEGATRON_CODES = {"int32": 4, "uint16": 8}
_LINES = 1 << 16


def datatrove_index(lengths: Integers) -> bytes:
    """Return a ``.ds.index``: where each document ends, in tokens, as 64-bit integers.

    Args:
        lengths: Tokens of each document with its end-of-document token, shape ``(documents,)``.

    >>> np.frombuffer(datatrove_index(np.array([3, 1])), "<u8").tolist()
    [3, 4]
    """
    return np.cumsum(lengths).astype("<u8").tobytes()


def datatrove_metadata(coding: TokenCoding, tokens: int) -> bytes:
    """Return a ``.ds.metadata``: the tokenizer and bytes of an id, the tokens, and the tokens for people.

    >>> datatrove_metadata(TokenCoding(49152, 0, "my-model"), 1_200_000).decode().splitlines()
    ['my-model|2', '1200000', '1.2 MT']
    """
    name = coding.tokenizer.replace("\n", " ")
    return f"{name}|{coding.width}\n{tokens}\n{_short(tokens)}".encode()


def _short(tokens: int) -> str:
    for unit, prefix in ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k")):
        if tokens >= unit:
            return f"{tokens / unit:.3g} {prefix}T"
    return f"{tokens} T"


def olmo_core_bounds(lengths: Integers) -> bytes:
    r"""Return a ``.csv.gz``: a line ``start,end`` for each document, in tokens; arguments as `datatrove_index`.

    >>> gzip.decompress(olmo_core_bounds(np.array([3, 1])))
    b'0,3\n3,4\n'
    """
    content = io.BytesIO()
    with gzip.GzipFile(fileobj=content, mode="wb", mtime=0) as file:
        for lines in _bounds(lengths):
            file.write(lines)
    return content.getvalue()


def _bounds(lengths: Integers) -> Iterator[bytes]:
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    for first in range(0, lengths.size, _LINES):
        here = bounds[first : first + _LINES + 1].tolist()
        yield "".join(f"{start},{end}\n" for start, end in pairwise(here)).encode()


def megatron_index(lengths: Integers, coding: TokenCoding) -> bytes:
    """Return an ``.idx``, in which each document is one sequence; ``lengths`` as of `datatrove_index`.

    Magic, version, code of the type, sequences and documents + 1; then of each sequence its tokens (32 bits) and where
    it begins in bytes (64 bits); then the first sequence of each document and the number of sequences (64 bits).
    """
    header = _MEGATRON_MAGIC + struct.pack(
        "<QBQQ", _MEGATRON_VERSION, _MEGATRON_CODES[coding.type_name("megatron")], lengths.size, lengths.size + 1
    )
    starts = (np.cumsum(lengths) - lengths) * coding.width
    documents = np.arange(lengths.size + 1)
    return b"".join(
        (header, lengths.astype("<i4").tobytes(), starts.astype("<i8").tobytes(), documents.astype("<i8").tobytes())
    )
