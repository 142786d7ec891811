"""A run of a few rows in memory, and the blocks of its report as text."""

from __future__ import annotations

from dataclasses import fields
from types import SimpleNamespace
from typing import Any

from pivotlens.report.blocks import Block, Details, Figure, Grid, Group, Plot, Section, Table, plain
from pivotlens.report.run_tables import RunTables

Row = dict[str, Any]


class StageOfRows:
    """A finished stage with these tables; all rows are of its first model and prompt."""

    def __init__(self, stage: str, tables: dict[str, list[Row]], config: Row, details: Row) -> None:
        self.stage = stage
        self.tables = tables
        outputs = {f"{name}.parquet": None for name in tables}
        self.manifest = SimpleNamespace(stage=stage, config=config, details=details, outputs=outputs)

    def rows(self, name: str) -> list[Row]:
        return self.tables[name]

    first_rows = rows


def run_of(config: Row | None = None, details: Row | None = None, **stages: dict[str, list[Row]]) -> RunTables:
    """Return a run with these stages."""
    settings = {"model": "m", "prompt": "english", "ratio": 3.0, "threshold": 0.1} | (config or {})
    found = {name: StageOfRows(name, tables, settings, details or {}) for name, tables in stages.items()}
    shown = {field.name: found.get(field.name) for field in fields(RunTables)}
    return RunTables(**shown | {"others": ()})  # type: ignore[arg-type]


def blocks_of(found: Section | tuple[Block, ...]) -> list[Block]:
    """Return all blocks, those within others too, in the order of reading."""
    every: list[Block] = []
    for block in found.blocks if isinstance(found, Section) else found:
        every += [block, *(blocks_of(block.blocks) if isinstance(block, Details | Grid | Group) else ())]
    return every


def table_of(found: Section | tuple[Block, ...], name: str) -> list[list[str]]:
    """Return a table's rows as text, drawings left out."""
    (table,) = [one for one in blocks_of(found) if isinstance(one, Table) and one.name == name]
    return [[plain(cell) for cell in row.cells if not isinstance(cell, Plot)] for row in table.rows]


def names_of(found: Section | tuple[Block, ...]) -> list[str]:
    """Return the names of all tables and figures."""
    return [one.name for one in blocks_of(found) if isinstance(one, Table | Figure)]


def figure_of(found: Section | tuple[Block, ...], name: str) -> str:
    """Return a figure."""
    (figure,) = [one for one in blocks_of(found) if isinstance(one, Figure) and one.name == name]
    return str(figure.svg)
