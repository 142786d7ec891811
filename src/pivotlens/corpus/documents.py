"""Reading documents row by row; what cannot be read is handed on as such, never dropped."""

from __future__ import annotations

from collections.abc import Iterator

from pivotlens.corpus.columns import BadRow, Columns, Document, RowReader
from pivotlens.corpus.document_languages import with_languages
from pivotlens.corpus.files import is_parquet
from pivotlens.corpus.line_files import json_rows
from pivotlens.corpus.parquet_files import parquet_rows
from pivotlens.corpus.shards import Shard


def read_documents(shard: Shard, columns: Columns | None = None) -> Iterator[Document | BadRow]:
    """Read a shard's rows in order; they are numbered within the whole file.

    Blank lines of JSON files are skipped but counted as lines.

    Raises:
        DataError: The file is damaged, cut short or of another kind than its name tells, a Parquet file lacks a column
            or has it twice, or the model of languages is none.
        ConfigError: The default language is no language.
    """
    columns = columns or Columns()
    rows = _rows(shard, columns)
    return with_languages(rows, columns.language_model) if columns.language_model else rows


def _rows(shard: Shard, columns: Columns) -> Iterator[Document | BadRow]:
    reader = RowReader(shard.file.name, columns)
    rows = parquet_rows(shard, columns) if is_parquet(shard.file) else json_rows(shard)
    for number, values in rows:
        yield BadRow(shard.file.name, number, values) if isinstance(values, str) else reader.read(number, values)
