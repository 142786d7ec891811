"""`pivotlens show`: what a run folder holds."""

from __future__ import annotations

import difflib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter
from rich.table import Table
from rich.text import Text

from pivotlens.cli.terminal import print_json, results_console
from pivotlens.cli.verbs import Json, help_text, result_object, show_result
from pivotlens.errors import ArtifactError, ConfigError, did_you_mean
from pivotlens.stages import STAGES
from pivotlens.text import escape_controls

EXAMPLES = ("pivotlens show runs/demo", "pivotlens show runs/demo mine/pair_pivots --rows 20")


if TYPE_CHECKING:
    from pivotlens.corpus.begun import PassStatus

# Shards that failed and are named.
_FAILED = 20
# A table with more columns is shown a value a line.
_WIDEST = 9


def add(app: App) -> None:
    """Add the verb."""
    app.command(
        show,
        name="show",
        help=help_text("Show what a run folder holds and how far work in it is, or the rows of a table.", EXAMPLES),
    )


def show(
    run: Annotated[Path, Parameter(help="Run folder.")],
    table: Annotated[str, Parameter(help="Table to show, as stage/table.", show_default=False)] = "",
    *,
    rows: Annotated[int, Parameter(help="Rows to show.")] = 10,
    json: Json = False,
) -> None:
    """Show a run folder."""
    from pivotlens.artifacts import SCHEMAS, StageResult, read_manifest
    from pivotlens.corpus.begun import passes_at_work

    if rows < 1:
        raise ConfigError(f"--rows {rows} shows nothing", "Give 1 or more.")
    found = [
        StageResult(run / name, manifest) for name in STAGES if (manifest := read_manifest(run / name)) is not None
    ]
    at_work = passes_at_work(run)
    if not found and not (at_work and not table):
        raise ArtifactError(f"{run} holds no finished stage", "Give a run folder, such as runs/demo.")
    if table:
        stage, _, name = table.partition("/")
        result = next((result for result in found if result.manifest.stage == stage), None)
        if table not in SCHEMAS or result is None:
            known = [f"{item.manifest.stage}/{file.removesuffix('.parquet')}" for item in found
                     for file in item.manifest.outputs if file.endswith(".parquet")]  # fmt: skip
            of_stage = [other for other in known if other.startswith(f"{stage}/")]
            raise ConfigError(f"{run} has no table {table!r}", _hint(run, table, of_stage, known))
        content = STAGES[stage].result_class()(result.folder, result.manifest).table(name)
        if json:
            print_json(content.slice(0, rows).to_pylist())
        else:
            _print_rows(table, content.num_rows, content.slice(0, rows).to_pylist())
        return
    if json:
        told: list[dict[str, Any]] = [result_object(result, reused=True) for result in found]
        print_json([*told, *({"stage": one.stage, "at_work": asdict(one)} for one in at_work)])
        return
    for result in found:
        show_result(result)
    for one in at_work:
        _print_at_work(one)
    said = f"Rows of a table: pivotlens show {run} stage/table; what its columns mean: docs/tables.md"
    results_console().print(said, markup=False, soft_wrap=True)


def _print_at_work(status: PassStatus) -> None:
    """Print how far a stage is that has no result yet."""
    console = results_console()
    rate = "" if status.mb_per_s is None else f", {status.mb_per_s:,.1f} MB/s"
    of_bytes = f" ({status.bytes_done / 1e6:,.0f} of {status.bytes / 1e6:,.0f} MB)"
    console.print(
        f"{status.stage}: unfinished, {status.description}: {status.done:,} of {status.shards:,} shards{of_bytes}"
        f"{rate}, the last {status.idle_seconds:,.0f} s ago",
        markup=False,
        soft_wrap=True,
    )
    for message in status.failed[:_FAILED]:
        console.print(f"  Failed: {escape_controls(message)}", markup=False, soft_wrap=True)
    if len(status.failed) > _FAILED:
        console.print(f"  and {len(status.failed) - _FAILED:,} more failed", markup=False)


def _hint(run: Path, table: str, of_stage: list[str], known: list[str]) -> str:
    """Return a close name among the tables of the stage that was named, or all of these, or what else there is."""
    from pivotlens.artifacts import SCHEMAS

    stage, _, name = table.partition("/")
    if not of_stage:
        return f"Run `pivotlens {stage} --run {run}` first." if table in SCHEMAS else did_you_mean(table, known)
    names = {other.partition("/")[2]: other for other in of_stage}
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f"did you mean {names[close[0]]!r}?" if close else f"tables of {stage}: {', '.join(sorted(of_stage))}."


def _print_rows(name: str, total: int, rows: list[dict[str, object]]) -> None:

    console = results_console()
    if rows and len(rows[0]) > _WIDEST:
        console.print(f"{name}: {len(rows)} of {total:,} rows", markup=False)
        for row in rows:
            console.print()
            for column, value in row.items():
                cell = f"{value:.4g}" if isinstance(value, float) else str(value)
                console.print(f"  {column:<24} {escape_controls(cell)}", markup=False, soft_wrap=True)
        return
    shown = Table(title=f"{name}: {len(rows)} of {total:,} rows", title_justify="left")
    for column in rows[0] if rows else ():
        shown.add_column(column, overflow="fold")
    for row in rows:
        cells = (f"{value:.4g}" if isinstance(value, float) else str(value) for value in row.values())
        shown.add_row(*(Text(escape_controls(cell)) for cell in cells))
    console.print(shown)
