"""Parquet: documents as rows, text and language as columns or fields within columns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pivotlens.corpus.columns import COLUMNS_HINT, NO_COLUMN, Columns, decoded, no_column
from pivotlens.corpus.files import CorpusFile, unreachable
from pivotlens.corpus.shards import Shard
from pivotlens.corpus.stored import CHUNK, WHAT_TO_DO, damaged, kind_of_bytes
from pivotlens.errors import DataError, PivotLensError

_PARQUET_ROWS = 512


def parquet_rows(shard: Shard, columns: Columns) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number and the values of a shard's rows: of the columns that are read, and of these only such fields.

    Raises:
        DataError: The file is damaged, or lacks a column or has it twice.
    """
    file = shard.file
    with _parquet(file) as parquet:
        wanted = _wanted(file, parquet.schema_arrow, columns)
        number = shard.rows_before
        groups = list(range(shard.start, parquet.num_row_groups if shard.end is None else shard.end))
        for batch in parquet.iter_batches(batch_size=_PARQUET_ROWS, row_groups=groups, columns=wanted):
            lists = {name: _values(batch.column(name)) for name in batch.schema.names}
            for index in range(batch.num_rows):
                number += 1
                yield number, {name: values[index] for name, values in lists.items()}


def _wanted(file: CorpusFile, schema: pa.Schema, columns: Columns) -> list[str]:
    """Return the columns and fields to read.

    Raises:
        DataError: One that is needed is not there, or one is there twice.
    """
    told_otherwise = columns.default_language or columns.language_model or columns.language_of_file(file.name)
    needed = (columns.text, *(() if told_otherwise else columns.of_language))
    wanted = []
    for name in dict.fromkeys((columns.text, *columns.of_language, columns.group, columns.source)):
        if problem := _problem(schema, name):
            if name in needed:
                raise DataError(f"{file.shown}, row 1: {problem}", f"To mend it, {COLUMNS_HINT}.")
            continue
        wanted.append(name)
        top = name if name in schema.names else name.partition(".")[0]
        if schema.names.count(top) > 1:
            raise DataError(
                f"{file.shown} has the column {top!r} {schema.names.count(top)} times",
                "Write the file again with one column of that name.",
            )
    return wanted


def _problem(schema: pa.Schema, name: str) -> str:
    """Say which level of a column is not there; empty where all are."""
    if name in schema.names:
        return ""
    fields = {field.name: field.type for field in schema}
    parts = name.split(".")
    for depth, part in enumerate(parts):
        within = ".".join(parts[:depth])
        if part not in fields:
            return no_column(name, fields, within)
        kind = fields[part]
        if depth + 1 < len(parts):
            if not pa.types.is_struct(kind):
                return f"{NO_COLUMN} {name!r}: {'.'.join(parts[: depth + 1])!r} is {kind}, which has no fields"
            fields = {kind.field(place).name: kind.field(place).type for place in range(kind.num_fields)}
    return ""


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


def number_of_rows(file: CorpusFile) -> int:
    """Return how many rows a Parquet file has."""
    with _parquet(file) as parquet:
        return int(parquet.metadata.num_rows)


@contextmanager
def _parquet(file: CorpusFile) -> Iterator[Any]:
    """Open a Parquet file, and name the file in the errors of reading it."""
    with file.open() as handle:
        try:
            # By path where there is one: pyarrow's threads may outlive a Python handle at exit.
            by_path = "://" not in file.location and file.location == file.shown
            yield pq.ParquetFile(file.location if by_path else handle)
        except PivotLensError:
            raise
        except Exception as error:  # every file system raises errors of its own
            if "://" in file.location and not isinstance(error, pa.ArrowException):
                raise unreachable(file.location, error) from error
            if not isinstance(error, (pa.ArrowException, OSError, EOFError)):
                raise
            handle.seek(0)
            kind = kind_of_bytes(handle.read(CHUNK))
            if kind not in (None, "Parquet"):
                raise DataError(
                    f"{file.shown} holds {kind}, not Parquet",
                    WHAT_TO_DO.get(str(kind), "Give it the name of what it is."),
                ) from error
            raise damaged(file, error) from error


def _values(array: Any) -> list[Any]:
    """Return a column's values; bytes are read as UTF-8, and stay bytes for the reader to refuse where they are not."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    try:
        values: list[Any] = array.to_pylist()
    except (ValueError, OverflowError):  # no UTF-8, also within lists, or a date that Python has not
        as_bytes = _BYTES_OF.get(str(array.type))
        values = array.cast(as_bytes).to_pylist() if as_bytes else [_value_or_none(scalar) for scalar in array]
    return [decoded(value) if isinstance(value, bytes) else value for value in values]


def _value_or_none(scalar: Any) -> Any:
    try:
        return scalar.as_py()
    except (ValueError, OverflowError):
        return None


_BYTES_OF = {"string": "binary", "large_string": "large_binary", "string_view": "binary_view"}
