"""What a worker keeps of the documents that one shard gives to one file of an arm."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import orjson
import pyarrow as pa
import zstandard

from pivotlens.arrays import Integers
from pivotlens.artifacts.files import atomic_path
from pivotlens.corpus.writing.layout import TOKEN_FORMATS
from pivotlens.corpus.writing.tokens import TokenCoding
from pivotlens.settings import CorpusFormat

_BLOCK, _CHUNK = 1 << 24, 1 << 20
_LEVEL = 1  # it is read once and then written anew


@dataclass(frozen=True)
class EncodedDocument:
    """A document as it is written.

    Attributes:
        line: Its columns as a line of JSON.
        ids: Its token ids and the end-of-document token; empty where no format holds any.
        length: How many they are.
    """

    line: bytes
    ids: bytes
    length: int


@dataclass(frozen=True)
class WritingPlan:
    """How arms are written.

    Attributes:
        formats: All that each arm is written as; documents are among them.
        schema: The columns of a document, among them ``id``.
        coding: How token ids are written; needed where a format holds them.
    """

    formats: tuple[CorpusFormat, ...]
    schema: pa.Schema
    coding: TokenCoding | None = None

    @property
    def tokens(self) -> bool:
        """Whether a format holds token ids."""
        return any(name in self.formats for name in TOKEN_FORMATS)

    def encoded(self, document: Mapping[str, Any], ids: Integers) -> EncodedDocument:
        """Return a document as the formats need it.

        Args:
            document: Its columns.
            ids: Its tokens without the end-of-document token, shape ``(tokens,)``; any where no format holds them.

        Raises:
            DataError: A token id is not in the vocabulary.
        """
        line = orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
        if self.coding is None or not self.tokens:
            return EncodedDocument(line, b"", 0)
        return EncodedDocument(line, self.coding.encode(ids, str(document["id"])), ids.size + 1)


@dataclass(frozen=True)
class FragmentWriter:
    """Keeps documents one after another: as lines, and as token ids where a format holds them.

    Attributes:
        lines: Where lines go.
        tokens: Where token ids go.
        lengths: Where the number of them goes, 64 bits a document.
    """

    lines: IO[bytes]
    tokens: IO[bytes] | None
    lengths: IO[bytes] | None

    def add(self, document: EncodedDocument) -> None:
        """Add a document."""
        self.lines.write(document.line)
        if self.tokens is not None and self.lengths is not None:
            self.tokens.write(document.ids)
            self.lengths.write(struct.pack("<q", document.length))


@contextmanager
def writing_fragment(base: Path, plan: WritingPlan) -> Iterator[FragmentWriter]:
    """Write a fragment; its files have their names when the block ends well.

    Args:
        base: What their names begin with.
        plan: What is kept.
    """
    with ExitStack() as stack:
        tokens = lengths = None
        compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
        file = stack.enter_context(_file(base, _LINES))
        lines = stack.enter_context(compressor.stream_writer(file, closefd=False))
        if plan.tokens:
            tokens, lengths = (stack.enter_context(_file(base, ending)) for ending in (_TOKENS, _LENGTHS))
        yield FragmentWriter(lines, tokens, lengths)


_LINES, _TOKENS, _LENGTHS = ".lines", ".tokens", ".lengths"


@contextmanager
def _file(base: Path, ending: str) -> Iterator[IO[bytes]]:
    with atomic_path(base.with_name(base.name + ending)) as temporary, temporary.open("wb") as file:
        yield file


def fragment_size(base: Path) -> int:
    """Return the bytes that a fragment has."""
    paths = (base.with_name(base.name + ending) for ending in (_LINES, _TOKENS))
    return sum(path.stat().st_size for path in paths if path.exists())


def lines_of(bases: Sequence[Path]) -> Iterator[bytes]:
    """Yield the lines of fragments in blocks of bounded size.

    A block ends with the line that makes it `_BLOCK` bytes long, wherever the fragments are cut.
    """
    held = bytearray()
    for base in bases:
        with base.with_name(base.name + _LINES).open("rb") as file:
            reader = zstandard.ZstdDecompressor().stream_reader(file)
            while chunk := reader.read(_CHUNK):
                looked_at = max(len(held), _BLOCK - 1)
                held += chunk
                while (end := held.find(b"\n", looked_at) + 1) > 0:
                    yield bytes(held[:end])
                    del held[:end]
                    looked_at = _BLOCK - 1
    if held:
        yield bytes(held)


def lengths_of(bases: Sequence[Path]) -> Integers:
    """Return the tokens of each document of fragments with the end-of-document token, shape ``(documents,)``."""
    lengths = [np.fromfile(base.with_name(base.name + _LENGTHS), dtype="<i8") for base in bases]
    return np.concatenate([np.zeros(0, dtype=np.int64), *lengths])


def token_files_of(bases: Sequence[Path]) -> list[Path]:
    """Return where the token ids of fragments are."""
    return [base.with_name(base.name + _TOKENS) for base in bases]
