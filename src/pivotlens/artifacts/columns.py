"""Columns that a stage computed become one of its tables, by the contract of `pivotlens.artifacts.tables`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pivotlens.artifacts.files import atomic_path
from pivotlens.artifacts.tables import tables_of

Columns = Mapping[str, Sequence[Any]]


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
    declared = tables_of(stage)
    where = f"pivotlens/artifacts/tables/{stage}.py"
    if name not in declared:
        raise ValueError(f"table {stage}/{name} is not declared: add it to {where}")
    schema = declared[name].schema
    given = data.column_names if isinstance(data, pa.Table) else list(data)
    if undeclared := [column for column in given if column not in schema.names]:
        raise ValueError(f"column {undeclared[0]!r} of table {stage}/{name} is not declared: add it to {where}")
    if missing := [column for column in schema.names if column not in given]:
        raise ValueError(f"column {missing[0]!r} of table {stage}/{name} is declared and was not given")
    if isinstance(data, pa.Table):
        return data.select(schema.names).cast(schema)
    return pa.table([pa.array(data[field.name], field.type) for field in schema], schema=schema)


def write_parquet(path: Path, table: pa.Table) -> None:
    """Write a table as zstd-compressed Parquet, atomically and with the same bytes for equal tables."""
    with atomic_path(path) as temporary:
        pq.write_table(table.replace_schema_metadata(None), temporary, compression="zstd", row_group_size=1 << 17)
