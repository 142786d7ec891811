"""The text of a file, however it is compressed, whole or in the parts that a large one is cut into."""

from __future__ import annotations

import bz2
import lzma
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import IO, Any

import zstandard

from pivotlens.corpus.files import CorpusFile, named_compression, unreachable
from pivotlens.corpus.shards import Shard
from pivotlens.errors import DataError

CHUNK = 1 << 18
_LARGEST_WINDOW = 1 << 31
_LONGEST_MARK = 32

_BYTES = {
    b"\x28\xb5\x2f\xfd": "zstd",
    **{bytes([kind]) + b"\x2a\x4d\x18": "zstd" for kind in range(0x50, 0x60)},  # a frame to be skipped comes first
    b"\x1f\x8b": "gzip",
    b"\xfd7zXZ\x00": "xz",
    b"BZh": "bzip2",
    b"PAR1": "Parquet",
    b"PK\x03\x04": "a zip archive",
    b"\xff\xfe\x00\x00": "UTF-32 text",
    b"\x00\x00\xfe\xff": "UTF-32 text",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"{\x00": "UTF-16 text",
    b"\x00{": "UTF-16 text",
    b"version https://git-lfs": "a pointer of Git LFS",
    b"/annex/objects/": "a pointer of git-annex",
}
"""What a file is by its first bytes."""
WHAT_TO_DO = {
    "Parquet": "Give it a name that ends in .parquet.",
    "a zip archive": "Unpack it.",
    "UTF-16 text": "Write it as UTF-8, as `iconv -f UTF-16 -t UTF-8` does.",
    "UTF-32 text": "Write it as UTF-8, as `iconv -f UTF-32 -t UTF-8` does.",
    "a pointer of Git LFS": "Fetch what it stands for with `git lfs pull`.",
    "a pointer of git-annex": "Fetch what it stands for with `git annex get`.",
}
_DECOMPRESSORS: dict[str, Callable[[], Any]] = {
    # The library's own stream reader takes a frame that is cut short for the end of the file.
    "zstd": lambda: zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW).decompressobj(),
    "gzip": lambda: zlib.decompressobj(wbits=31),
    "xz": lzma.LZMADecompressor,
    "bzip2": bz2.BZ2Decompressor,
}
_DAMAGED = (EOFError, zlib.error, lzma.LZMAError, zstandard.ZstdError, OSError, ValueError)


def kind_of_bytes(head: bytes) -> str | None:
    """Return what a file is by its first bytes; None where they may be those of text."""
    return next((kind for magic, kind in _BYTES.items() if head.startswith(magic)), None)


def text_of(shard: Shard) -> Iterator[bytes]:
    """Yield the text of a shard piece by piece.

    A part of a file begins at a byte of a plain file, or at a frame of a zstd file; of the text from there on its first
    ``skip`` bytes are not its own, and as many as ``spill`` after its end are.

    Raises:
        DataError: The file is damaged, cut short or of another kind than its name tells.
    """
    file = shard.file
    with file.open() as handle:
        is_whole = shard.start == 0 and shard.end is None
        head = next(stored(file, handle, CHUNK if is_whole else _LONGEST_MARK), b"")
        kind = kind_of_bytes(head)
        if is_whole:
            yield from _text_of_file(file, kind, chain([head], stored(file, handle)))
            return
        handle.seek(shard.start)
        own = stored(file, handle, None if shard.end is None else shard.end - shard.start)
        if kind is None:  # plain lines
            yield from own
            return
        yield from _without(_decompressed(file, kind, own), shard.skip)
        if shard.end is not None and shard.spill:
            handle.seek(shard.end)
            yield from _beginning(_decompressed(file, kind, stored(file, handle)), shard.spill)


def _text_of_file(file: CorpusFile, kind: str | None, content: Iterator[bytes]) -> Iterator[bytes]:
    """Yield a file's text; its first bytes tell how it is compressed, whatever its name says."""
    if kind in _DECOMPRESSORS:
        content = _decompressed(file, kind, content)
    head = next(content, b"")
    if kind in _DECOMPRESSORS:
        kind = kind_of_bytes(head)
    elif (named := named_compression(file)) and head and kind is None:
        raise DataError(
            f"{file.shown} is damaged or is not {named}, as its name says: it begins with {head[:12]!r}",
            "Fetch or write the file again, or give it the name of what it is, then run again.",
        )
    if kind is not None:
        raise DataError(
            f"{file.shown} holds {kind}, not JSON lines in UTF-8", WHAT_TO_DO.get(kind, "Compress it only once.")
        )
    yield head
    yield from content


def _without(content: Iterator[bytes], skip: int) -> Iterator[bytes]:
    for piece in content:
        if skip < len(piece):
            yield piece[skip:]
        skip = max(skip - len(piece), 0)


def _beginning(content: Iterator[bytes], size: int) -> Iterator[bytes]:
    for piece in content:
        yield piece[:size]
        size -= len(piece)
        if size <= 0:
            return


def frame_starts(file: CorpusFile) -> Iterator[int]:
    """Yield where the frames of a zstd file begin, by their headers (RFC 8878), as far as it holds nothing else."""
    with file.open() as handle:
        place = 0
        while len(head := handle.read(_FRAME_HEADER)) > 4:
            if head[0] == 0:  # zeros may stand between frames
                place += len(head) - len(head.lstrip(b"\0"))
            elif kind_of_bytes(head) != "zstd":
                return
            elif head[:4] != zstandard.FRAME_HEADER:  # to be skipped
                place += 8 + int.from_bytes(head[4:8], "little")
            else:
                yield place
                place = _frame_end(handle, place, head)
            if place < 0:
                return
            handle.seek(place)


_FRAME_HEADER = 18
_RUN = 1


def _frame_end(handle: IO[bytes], start: int, head: bytes) -> int:
    """Return where a frame ends, after the header of its last block; -1 where it is cut short."""
    try:
        place = start + int(zstandard.frame_header_size(head))
        checksum = 4 * bool(zstandard.get_frame_parameters(head).has_checksum)
    except zstandard.ZstdError:
        return -1
    while True:
        handle.seek(place)
        header = handle.read(3)
        if len(header) < 3:
            return -1
        block = int.from_bytes(header, "little")
        is_last, kind, size = block & 1, block >> 1 & 3, block >> 3
        place += 3 + (1 if kind == _RUN else size)
        if is_last:
            return place + checksum


def stored(file: CorpusFile, handle: IO[bytes], size: int | None = None) -> Iterator[bytes]:
    """Yield a file's bytes from where its handle stands on, so many or all, piece by piece.

    Raises:
        DataError: They cannot be read.
        PrerequisiteError: The file is remote and cannot be reached.
    """
    left = sys.maxsize if size is None else size
    while left:
        try:
            chunk = handle.read(min(CHUNK, left))
        except Exception as error:  # every file system raises errors of its own
            if "://" in file.location:
                raise unreachable(file.location, error) from error
            raise damaged(file, error) from error
        if not chunk:
            return
        left -= len(chunk)
        yield chunk


def _decompressed(file: CorpusFile, kind: str, stored: Iterable[bytes]) -> Iterator[bytes]:
    frame = _DECOMPRESSORS[kind]()
    begun = False
    try:
        for data in stored:
            # A file may hold several frames, with zeros between them.
            while data := data if begun else data.lstrip(b"\0"):
                begun = True
                if plain := frame.decompress(data):
                    yield plain
                if not frame.eof:
                    break
                data, frame, begun = frame.unused_data, _DECOMPRESSORS[kind](), False
        if begun:
            raise EOFError("the last compressed frame has no end")
    except _DAMAGED as error:
        raise damaged(file, error) from error


def damaged(file: CorpusFile, error: Exception) -> DataError:
    """Return the error of a file that does not hold what it begins with."""
    return DataError(f"{file.shown} is cut short or damaged: {error}", "Fetch or write the file again, then run again.")
