"""The tables between the stages: what each row and column says is the contract of those who write and read them.

A table is declared once, in the file of its stage: what a row is, then the columns in the order of the file, each with
its type, unit and meaning (`Column`), or a group of columns that recurs. Checks, readers, writers and docs/tables.md
follow from that. A new stage has its own file here and a line in ``_STAGES``.
"""

from __future__ import annotations

import pyarrow as pa

from pivotlens.artifacts.tables import (
    ablate,
    attribute,
    bench,
    count,
    evaluate,
    lens,
    mine,
    query,
    score,
    select,
    trace,
    train,
)
from pivotlens.artifacts.tables.column import Column, Table, table

__all__ = ["SCHEMAS", "TABLES", "Column", "Table", "schema_of", "table", "tables_of"]

_STAGES = {
    "bench": bench,
    "score": score,
    "lens": lens,
    "trace": trace,
    "ablate": ablate,
    "count": count,
    "query": query,
    "attribute": attribute,
    "mine": mine,
    "select": select,
    "train": train,
    "evaluate": evaluate,
}

TABLES: dict[str, Table] = {
    f"{stage}/{name}": declared for stage, module in _STAGES.items() for name, declared in module.TABLES.items()
}
"""Every table by ``stage/table``."""

SCHEMAS: dict[str, pa.Schema] = {name: declared.schema for name, declared in TABLES.items()}
"""Names and types of its columns."""


def schema_of(stage: str, name: str) -> pa.Schema:
    """Return the schema of a stage's table."""
    return SCHEMAS[f"{stage}/{name}"]


def tables_of(stage: str) -> dict[str, Table]:
    """Return the tables of a stage by name."""
    return {key.partition("/")[2]: declared for key, declared in TABLES.items() if key.startswith(f"{stage}/")}
