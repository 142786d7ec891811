"""Columns that a stage computed become one of its tables, by the contract of `pivotlens.artifacts.tables`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pivotlens.artifacts.files import atomic_path
from pivotlens.artifacts.tables import tables_of

Columns = Mapping[str, Sequence[Any]]
_ROW_GROUP = 1 << 17


def declared_schema(stage: str, name: str) -> pa.Schema:
    """Return the schema of a stage's table.

    Raises:
        ValueError: The table is not declared, which is a mistake in the stage.
    """
    declared = tables_of(stage)
    if name not in declared:
        raise ValueError(f"table {stage}/{name} is not declared: add it to {_place(stage)}")
    return declared[name].schema


def _place(stage: str) -> str:
    return f"pivotlens/artifacts/tables/{stage}.py"


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
    schema, where = declared_schema(stage, name), _place(stage)
    given = data.column_names if isinstance(data, pa.Table) else list(data)
    if undeclared := [column for column in given if column not in schema.names]:
        raise ValueError(f"column {undeclared[0]!r} of table {stage}/{name} is not declared: add it to {where}")
    if missing := [column for column in schema.names if column not in given]:
        raise ValueError(f"column {missing[0]!r} of table {stage}/{name} is declared and was not given")
    if isinstance(data, pa.Table):
        return data.select(schema.names).cast(schema)
    return pa.table([pa.array(data[field.name], field.type) for field in schema], schema=schema)


def write_parquet(path: Path, schema: pa.Schema, blocks: Iterable[pa.Table]) -> int:
    """Write blocks of rows as one zstd-compressed Parquet file, atomically; return the number of rows.

    Row groups are the same however the rows are cut into blocks, and equal blocks give equal bytes. No more is held
    than a block and a row group.

    Args:
        path: The file.
        schema: Of every block.
        blocks: The rows, in order.
    """
    plain = schema.remove_metadata()
    rows = 0
    with atomic_path(path) as temporary, pq.ParquetWriter(temporary, plain, compression="zstd") as file:
        held, waiting = [plain.empty_table()], 0
        for block in blocks:
            held.append(block.replace_schema_metadata(None))
            waiting += block.num_rows
            rows += block.num_rows
            if waiting >= _ROW_GROUP:
                joined = pa.concat_tables(held)
                waiting %= _ROW_GROUP
                file.write_table(joined.slice(0, joined.num_rows - waiting), row_group_size=_ROW_GROUP)
                held = [joined.slice(joined.num_rows - waiting)]
        if waiting or not rows:
            file.write_table(pa.concat_tables(held))
    return rows
