"""Columns that a stage computed become one of its tables, by the contract of `pivotlens.artifacts.tables`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pivotlens.artifacts.files import atomic_path
from pivotlens.artifacts.tables import tables_of

Columns = Mapping[str, Sequence[Any]]
ROW_GROUP = 1 << 17
"""Rows of a row group in every table."""


def declared_schema(stage: str, name: str) -> pa.Schema:
    """Return the schema that is declared for a stage's table.

    Raises:
        ValueError: There is none. That is a mistake in the stage, and not the user's.
    """
    declared = tables_of(stage)
    if name not in declared:
        raise ValueError(f"table {stage}/{name} is not declared: add it to {_place(stage)}")
    return declared[name].schema


def as_table(stage: str, name: str, data: pa.Table | Columns) -> pa.Table:
    """Return columns in the order and with the types that are declared for a table.

    Args:
        stage: Whose table it is.
        name: Of the table.
        data: Its columns, in any order.

    Raises:
        ValueError: The table is not declared, a column of it is missing, or one is there that is not declared. That is
            a mistake in the stage, and not the user's.
    """
    schema = declared_schema(stage, name)
    given = data.column_names if isinstance(data, pa.Table) else list(data)
    if undeclared := [column for column in given if column not in schema.names]:
        raise ValueError(f"column {undeclared[0]!r} of table {stage}/{name} is not declared: add it to {_place(stage)}")
    if missing := [column for column in schema.names if column not in given]:
        raise ValueError(f"column {missing[0]!r} of table {stage}/{name} is declared and was not given")
    if isinstance(data, pa.Table):
        return data.select(schema.names).cast(schema)
    return pa.table([pa.array(data[field.name], field.type) for field in schema], schema=schema)


def _place(stage: str) -> str:
    return f"pivotlens/artifacts/tables/{stage}.py"


def write_parquet(path: Path, table: pa.Table) -> None:
    """Write a table as zstd-compressed Parquet, atomically and with the same bytes for equal tables."""
    with atomic_path(path) as temporary:
        pq.write_table(table.replace_schema_metadata(None), temporary, compression="zstd", row_group_size=ROW_GROUP)


def write_parquet_blocks(path: Path, schema: pa.Schema, blocks: Iterable[pa.Table]) -> int:
    """Write blocks of rows as one file, as `write_parquet` writes the whole table, and return its rows.

    Args:
        path: Where to.
        schema: Of every block.
        blocks: The rows; how they are cut does not matter.
    """
    rows = 0
    with atomic_path(path) as temporary, pq.ParquetWriter(temporary, schema, compression="zstd") as file:
        for group in _row_groups(blocks):
            file.write_table(group, row_group_size=ROW_GROUP)
            rows += group.num_rows
        if not rows:
            file.write_table(schema.empty_table())
    return rows


def _row_groups(blocks: Iterable[pa.Table]) -> Iterator[pa.Table]:
    held: list[pa.Table] = []
    rows = 0
    for block in blocks:
        held.append(block)
        rows += block.num_rows
        if rows >= ROW_GROUP:
            merged = pa.concat_tables(held)
            whole = rows - rows % ROW_GROUP
            yield merged.slice(0, whole).combine_chunks()
            held, rows = [merged.slice(whole)], rows - whole
    if rows:
        yield pa.concat_tables(held).combine_chunks()
