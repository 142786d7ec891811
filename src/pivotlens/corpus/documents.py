"""Reading documents row by row; what cannot be read is handed on as such, never dropped."""

from __future__ import annotations

import bz2
import json
import lzma
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from typing import IO, Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from pivotlens.corpus.files import CorpusFile, is_parquet, named_compression, unreachable
from pivotlens.corpus.shards import Shard
from pivotlens.errors import ConfigError, DataError
from pivotlens.text import language_code

_CHUNK = 1 << 18
_PARQUET_ROWS = 512
_LARGEST_WINDOW = 1 << 31


@dataclass(frozen=True, slots=True)
class Document:
    """One readable row.

    Attributes:
        file: Name of its file within the corpus.
        row: Line or row in the file, from 1.
        text: Its text as it stands in the file.
        language: BCP 47 code.
        group: Shared by translations of one document; empty where the corpus has no such column.
        source: What it was taken from; the folder of its file where the corpus does not tell.
    """

    file: str
    row: int
    text: str
    language: str
    group: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class BadRow:
    """One row that cannot be read, and why."""

    file: str
    row: int
    problem: str


@dataclass(frozen=True)
class Columns:
    """Where a corpus keeps what is read.

    Attributes:
        text: Column of the text.
        language: Column of the language code.
        group: Column shared by translations of one document; may be absent.
        default_language: Language of rows that have none of their own.
        source: Column that tells what a document was taken from; may be absent.
    """

    text: str = "text"
    language: str = "language"
    group: str = "group"
    default_language: str = ""
    source: str = "source"


def read_documents(shard: Shard, columns: Columns | None = None) -> Iterator[Document | BadRow]:
    """Read a shard's rows in order; they are numbered within the whole file.

    Blank lines of JSON files are skipped but counted as lines.

    Raises:
        DataError: The file is damaged, cut short or of another kind than its name tells, or a Parquet file lacks a
            column or has it twice.
        ConfigError: The default language is no language.
    """
    columns, name = columns or Columns(), shard.file.name
    rows = _parquet_rows(shard, columns) if is_parquet(shard.file) else _json_rows(shard)
    reader = _RowReader(shard.file, columns)
    for number, values in rows:
        yield reader.read(number, values) if isinstance(values, dict) else BadRow(name, number, values)


class _RowReader:
    """Takes the columns out of one row after another."""

    def __init__(self, file: CorpusFile, columns: Columns) -> None:
        self._file = file
        self._columns = columns
        default = columns.default_language
        self._default = language_code(default, "language") if default else ""
        self._folder = file.name.rpartition("/")[0]
        self._codes: dict[str, str | None] = {}

    def read(self, number: int, values: dict[str, Any]) -> Document | BadRow:
        columns, name = self._columns, self._file.name
        if columns.text not in values:
            return BadRow(name, number, _no_column(columns.text, values))
        text = values[columns.text]
        if not isinstance(text, str):
            problem = "is not valid UTF-8" if isinstance(text, bytes) else f"is {_kind(text)}, not a string"
            return BadRow(name, number, f"column {columns.text!r} {problem}")
        if columns.language not in values and not self._default:
            return BadRow(name, number, _no_column(columns.language, values))
        given = values.get(columns.language)
        if given is None or given == "":
            code = self._default or None
        elif not isinstance(given, str):
            return BadRow(name, number, f"column {columns.language!r} is {_kind(given)}, not a string")
        else:
            code = self._code(given)
        if code is None:
            return BadRow(name, number, f"unknown language code {given!r}")
        group, source = values.get(columns.group), values.get(columns.source)
        return Document(
            name,
            number,
            text,
            code,
            "" if group is None else str(group),
            self._folder if source is None or source == "" else str(source),
        )

    def _code(self, given: str) -> str | None:
        if given not in self._codes:
            try:
                self._codes[given] = language_code(given, self._file.name)
            except ConfigError:
                self._codes[given] = None
        return self._codes[given]


NO_COLUMN = "there is no column"
COLUMNS_HINT = (
    "name the text with --text-column and the language with --language-column, or give the language of all documents "
    "with --language"
)
_COLUMNS_NAMED = 12


def _no_column(column: str, present: Iterable[str]) -> str:
    there = [repr(name) for name in present]
    more = f" and {len(there) - _COLUMNS_NAMED} more" if len(there) > _COLUMNS_NAMED else ""
    others = f"only {', '.join(there[:_COLUMNS_NAMED])}{more}" if there else "nor any other"
    return f"{NO_COLUMN} {column!r}, {others}"


def _kind(value: Any) -> str:
    names = {type(None): "null", bool: "a boolean", int: "a number", float: "a number", list: "a list"}
    return names.get(type(value), "an object")


# -- JSON lines


def _json_rows(shard: Shard) -> Iterator[tuple[int, dict[str, Any] | str]]:
    file, first = shard.file, shard.start == 0
    for number, line in _lines(shard):
        try:
            values = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            if first and (line.lstrip().startswith(b"[") or line.strip() == b"{"):
                raise _no_lines(file, "is JSON over several lines, not a JSON object a line") from error
            values = _json_problem(line, error)
        else:
            if first and isinstance(values, list) and values and isinstance(values[0], dict):
                raise _no_lines(file, "is one JSON array, not a JSON object a line")
            if not isinstance(values, dict):
                values = f"the line is {_kind(values)}, not a JSON object"
        first = False
        yield number, values


def _no_lines(file: CorpusFile, what: str) -> DataError:
    return DataError(
        f"{file.shown} {what}", "Write each document on a line of its own, as `jq -c '.[]'` does of an array."
    )


def _json_problem(line: bytes, error: orjson.JSONDecodeError) -> str:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as problem:
        return f"invalid UTF-8 at byte {problem.start + 1} of the line"
    constants: list[str] = []
    with suppress(ValueError, RecursionError):
        json.loads(text, parse_constant=constants.append)
        if constants:
            return f"bad JSON: {constants[0]} is no JSON value (Python's json and pandas write it); write null instead"
    return f"bad JSON: {error.msg} (character {error.pos + 1} of the line)"


def _lines(shard: Shard) -> Iterator[tuple[int, bytes]]:
    number = shard.rows_before
    pending: list[bytes] = []
    for chunk in _text(shard):
        first, *rest = chunk.split(b"\n")
        pending.append(first)
        for following in rest:
            number += 1
            line = b"".join(pending)
            pending = [following]
            if number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            if line.strip():
                yield number, line
    last = b"".join(pending)
    if last.strip():
        yield number + 1, last if number else last.removeprefix(b"\xef\xbb\xbf")


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
_WHAT_TO_DO = {
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


def _kind_of(head: bytes) -> str | None:
    return next((kind for magic, kind in _BYTES.items() if head.startswith(magic)), None)


def _text(shard: Shard) -> Iterator[bytes]:
    """Yield the text of a shard piece by piece."""
    if shard.start == 0 and shard.end is None:
        yield from _text_of_file(shard.file)
        return
    # Parts are made only of a file that begins with plain text, and they begin where a line does.
    with shard.file.open() as handle:
        handle.seek(shard.start)
        yield from _stored(shard.file, handle, None if shard.end is None else shard.end - shard.start)


def _text_of_file(file: CorpusFile) -> Iterator[bytes]:
    """Yield a file's text; its first bytes tell how it is compressed, whatever its name says."""
    with file.open() as handle:
        stored = _stored(file, handle)
        head = next(stored, b"")
        kind = _kind_of(head)
        if kind in _DECOMPRESSORS:
            plain = _decompressed(file, kind, chain([head], stored))
            head = next(plain, b"")
            kind = _kind_of(head)
        elif (named := named_compression(file)) and head and kind is None:
            raise DataError(
                f"{file.shown} is damaged or is not {named}, as its name says: it begins with {head[:12]!r}",
                "Fetch or write the file again, or give it the name of what it is, then run again.",
            )
        else:
            plain = stored
        if kind is not None:
            raise DataError(
                f"{file.shown} holds {kind}, not JSON lines in UTF-8", _WHAT_TO_DO.get(kind, "Compress it only once.")
            )
        yield head
        yield from plain


def line_cuts(file: CorpusFile, shard_bytes: int) -> list[tuple[int, int]]:
    """Return where a file of JSON lines can be cut into parts of about so many bytes, if it is plain text.

    Returns:
        Of each part but the first the byte at which its first line begins, and the lines before that.
    """
    cuts: list[tuple[int, int]] = []
    with file.open() as handle:
        offset, lines, least = 0, 0, shard_bytes
        for chunk in _stored(file, handle):
            if offset == 0 and _kind_of(chunk) is not None:
                return []
            counted = 0
            while (end := chunk.find(b"\n", max(least - 1 - offset, 0)) + 1) > 0:
                lines += chunk.count(b"\n", counted, end)
                cuts.append((offset + end, lines))
                counted, least = end, offset + end + shard_bytes
            lines += chunk.count(b"\n", counted)
            offset += len(chunk)
    return [cut for cut in cuts if cut[0] < offset]


def _stored(file: CorpusFile, handle: IO[bytes], size: int | None = None) -> Iterator[bytes]:
    left = sys.maxsize if size is None else size
    while left:
        try:
            chunk = handle.read(min(_CHUNK, left))
        except Exception as error:  # every file system raises errors of its own
            if "://" in file.location:
                raise unreachable(file.location, error) from error
            raise _damaged(file, error) from error
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
        raise _damaged(file, error) from error


def _damaged(file: CorpusFile, error: Exception) -> DataError:
    return DataError(f"{file.shown} is cut short or damaged: {error}", "Fetch or write the file again, then run again.")


# -- Parquet


def _parquet_rows(shard: Shard, columns: Columns) -> Iterator[tuple[int, dict[str, Any] | str]]:
    file = shard.file
    with _parquet(file) as parquet:
        schema = parquet.schema_arrow
        asked = dict.fromkeys((columns.text, columns.language, columns.group, columns.source))
        wanted = [name for name in asked if name in schema.names]
        needed = (columns.text,) if columns.default_language else (columns.text, columns.language)
        for name in needed:
            if name not in wanted:
                raise DataError(
                    f"{file.shown}, row 1: {_no_column(name, schema.names)}", f"To mend it, {COLUMNS_HINT}."
                )
        for name in wanted:
            if schema.names.count(name) > 1:
                raise DataError(
                    f"{file.shown} has the column {name!r} {schema.names.count(name)} times",
                    "Write the file again with one column of that name.",
                )
        number = shard.rows_before
        groups = list(range(shard.start, parquet.num_row_groups if shard.end is None else shard.end))
        for batch in parquet.iter_batches(batch_size=_PARQUET_ROWS, row_groups=groups, columns=wanted):
            lists = {name: _values(batch.column(name)) for name in batch.schema.names}
            for index in range(batch.num_rows):
                number += 1
                yield number, {name: values[index] for name, values in lists.items()}


def row_group_cuts(file: CorpusFile, shard_bytes: int) -> list[tuple[int, int]]:
    """Return where a Parquet file can be cut into parts of about so many bytes.

    Returns:
        Of each part but the first its first row group, and the rows before that.
    """
    cuts: list[tuple[int, int]] = []
    with _parquet(file) as parquet:
        size = rows = 0
        for group in range(parquet.num_row_groups):
            if size >= shard_bytes:
                cuts.append((group, rows))
                size = 0
            described = parquet.metadata.row_group(group)
            size += sum(described.column(column).total_compressed_size for column in range(described.num_columns))
            rows += described.num_rows
    return cuts


@contextmanager
def _parquet(file: CorpusFile) -> Iterator[Any]:
    """Open a Parquet file, and name the file in the errors of reading it."""
    with file.open() as handle:
        try:
            # By path where there is one: pyarrow's threads may outlive a Python handle at exit.
            by_path = "://" not in file.location and file.location == file.shown
            yield pq.ParquetFile(file.location if by_path else handle)
        except (pa.ArrowException, OSError, EOFError) as error:
            if "://" in file.location and not isinstance(error, pa.ArrowException):
                raise unreachable(file.location, error) from error
            handle.seek(0)
            kind = _kind_of(handle.read(_CHUNK))
            if kind not in (None, "Parquet"):
                raise DataError(
                    f"{file.shown} holds {kind}, not Parquet",
                    _WHAT_TO_DO.get(str(kind), "Give it the name of what it is."),
                ) from error
            raise _damaged(file, error) from error


def _values(array: Any) -> list[Any]:
    """Return a column's values; bytes are read as UTF-8, and stay bytes for the reader to refuse where they are not."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    try:
        values: list[Any] = array.to_pylist()
    except (ValueError, OverflowError):  # no UTF-8, also within lists, or a date that Python has not
        as_bytes = _BYTES_OF.get(str(array.type))
        values = array.cast(as_bytes).to_pylist() if as_bytes else [_value_or_none(scalar) for scalar in array]
    return [_decoded(value) if isinstance(value, bytes) else value for value in values]


def _value_or_none(scalar: Any) -> Any:
    try:
        return scalar.as_py()
    except (ValueError, OverflowError):
        return None


_BYTES_OF = {"string": "binary", "large_string": "large_binary", "string_view": "binary_view"}


def _decoded(value: bytes) -> str | bytes:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value
