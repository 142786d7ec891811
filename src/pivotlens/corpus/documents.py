"""Reading documents row by row; what cannot be read is handed on as such, never dropped."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

import orjson
import zstandard

from pivotlens.corpus.files import CorpusFile
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
    """

    file: str
    row: int
    text: str
    language: str
    group: str


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
    """

    text: str = "text"
    language: str = "language"
    group: str = "group"
    default_language: str = ""


def read_documents(file: CorpusFile, columns: Columns | None = None) -> Iterator[Document | BadRow]:
    """Read a file's rows in order.

    Blank lines of JSON files are skipped but counted as lines.

    Raises:
        DataError: A column is missing, or the file is damaged or cut short.
        ConfigError: The default language is no language.
    """
    columns = columns or Columns()
    rows = _parquet_rows(file, columns) if file.name.endswith(".parquet") else _json_rows(file)
    reader = _RowReader(file, columns)
    for number, values in rows:
        yield reader.read(number, values) if isinstance(values, dict) else BadRow(file.name, number, values)


class _RowReader:
    """Takes the columns out of one row after another."""

    def __init__(self, file: CorpusFile, columns: Columns) -> None:
        self._file = file
        self._columns = columns
        default = columns.default_language
        self._default = language_code(default, "language") if default else ""
        self._codes: dict[str, str | None] = {}

    def read(self, number: int, values: dict[str, Any]) -> Document | BadRow:
        columns, name = self._columns, self._file.name
        if columns.text not in values:
            raise _missing(self._file, f"line {number}", columns.text, values, "the text with --text-column")
        text = values[columns.text]
        if not isinstance(text, str):
            problem = "is not valid UTF-8" if isinstance(text, bytes) else f"is {_kind(text)}, not a string"
            return BadRow(name, number, f"column {columns.text!r} {problem}")
        if columns.language not in values and not self._default:
            raise _missing(self._file, f"line {number}", columns.language, values, _LANGUAGE_HINT)
        given = values.get(columns.language)
        if given is None or given == "":
            code = self._default or None
        elif not isinstance(given, str):
            return BadRow(name, number, f"column {columns.language!r} is {_kind(given)}, not a string")
        else:
            code = self._code(given)
        if code is None:
            return BadRow(name, number, f"unknown language code {given!r}")
        group = values.get(columns.group)
        return Document(name, number, text, code, "" if group is None else str(group))

    def _code(self, given: str) -> str | None:
        if given not in self._codes:
            try:
                self._codes[given] = language_code(given, self._file.name)
            except ConfigError:
                self._codes[given] = None
        return self._codes[given]


_LANGUAGE_HINT = "the language with --language-column, or give the language of all documents with --language"


def _missing(file: CorpusFile, where: str, column: str, present: Any, how: str) -> DataError:
    there = ", ".join(map(repr, present)) or "none"
    return DataError(
        f"{file.location}, {where}: there is no column {column!r}", f"The columns are {there}; name {how}."
    )


def _kind(value: Any) -> str:
    names = {type(None): "null", bool: "a boolean", int: "a number", float: "a number", list: "a list"}
    return names.get(type(value), "an object")


# -- JSON lines


def _json_rows(file: CorpusFile) -> Iterator[tuple[int, dict[str, Any] | str]]:
    for number, line in _lines(file):
        try:
            values = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            yield number, _json_problem(line, error)
            continue
        yield number, values if isinstance(values, dict) else f"the line is {_kind(values)}, not a JSON object"


def _json_problem(line: bytes, error: orjson.JSONDecodeError) -> str:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as problem:
        return f"invalid UTF-8 at byte {problem.start + 1} of the line"
    return f"bad JSON: {error.msg} (character {error.pos + 1} of the line)"


def _lines(file: CorpusFile) -> Iterator[tuple[int, bytes]]:
    number = 0
    pending: list[bytes] = []
    for chunk in _chunks(file):
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


def _chunks(file: CorpusFile) -> Iterator[bytes]:
    with file.open() as handle:
        try:
            if file.name.endswith(".zst"):
                yield from _zstd_chunks(handle)
            elif file.name.endswith(".gz"):
                with gzip.GzipFile(fileobj=handle) as plain:
                    while chunk := plain.read(_CHUNK):
                        yield chunk
            else:
                while chunk := handle.read(_CHUNK):
                    yield chunk
        except (EOFError, zlib.error, zstandard.ZstdError, OSError) as error:
            raise DataError(
                f"{file.location} is cut short or damaged: {error}", "Fetch or write the file again, then run again."
            ) from error


def _zstd_chunks(handle: IO[bytes]) -> Iterator[bytes]:
    # The library's own stream reader takes a frame that is cut short for the end of the file.
    decompressor = zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW)
    frame = decompressor.decompressobj()
    begun = False
    while data := handle.read(_CHUNK):
        while data:
            begun = True
            if plain := frame.decompress(data):
                yield plain
            if not frame.eof:
                break
            data, frame, begun = frame.unused_data, decompressor.decompressobj(), False
    if begun:
        raise EOFError("the last compressed frame has no end")


# -- Parquet


def _parquet_rows(file: CorpusFile, columns: Columns) -> Iterator[tuple[int, dict[str, Any] | str]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with file.open() as handle:
        try:
            # By path where there is one: pyarrow's threads may outlive a Python handle at exit.
            parquet = pq.ParquetFile(handle if "://" in file.location else file.location)
            schema = parquet.schema_arrow
            if columns.text not in schema.names:
                raise _missing(file, "row 1", columns.text, schema.names, "the text with --text-column")
            if columns.language not in schema.names and not columns.default_language:
                raise _missing(file, "row 1", columns.language, schema.names, _LANGUAGE_HINT)
            wanted = [name for name in (columns.text, columns.language, columns.group) if name in schema.names]
            number = 0
            for batch in parquet.iter_batches(batch_size=_PARQUET_ROWS, columns=wanted):
                lists = {name: _values(batch.column(name)) for name in batch.schema.names}
                for index in range(batch.num_rows):
                    number += 1
                    yield number, {name: values[index] for name, values in lists.items()}
        except (pa.ArrowException, OSError, EOFError) as error:
            raise DataError(
                f"{file.location} is cut short or damaged: {error}", "Fetch or write the file again, then run again."
            ) from error


def _values(array: Any) -> list[Any]:
    """Return a column's values; strings that are not valid UTF-8 stay bytes, for the reader to refuse."""
    import pyarrow as pa

    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if not (pa.types.is_string(array.type) or pa.types.is_large_string(array.type)):
        return array.to_pylist()  # type: ignore[no-any-return]
    try:
        return array.to_pylist()  # type: ignore[no-any-return]
    except UnicodeDecodeError:
        raw = array.cast(pa.binary() if pa.types.is_string(array.type) else pa.large_binary()).to_pylist()
        return [_decoded(value) for value in raw]


def _decoded(value: bytes | None) -> str | bytes | None:
    try:
        return None if value is None else value.decode("utf-8")
    except UnicodeDecodeError:
        return value
