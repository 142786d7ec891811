"""`pivotlens compare`: two sides on the same documents, paired."""

from __future__ import annotations

import csv
import dataclasses
import io
import math
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from pivotlens.cli.terminal import print_json, results_console
from pivotlens.cli.verbs import Json, help_text
from pivotlens.errors import ConfigError
from pivotlens.text.scripts import escape_controls

EXAMPLES = (
    "pivotlens compare out/model-a out/model-b",
    "pivotlens compare runs/first runs/mine --json",
    "pivotlens compare --run runs/mine demo:smollm2-135m run:train/top@step-400 --csv differences.csv",
)
_SUMMARY = "Compare two evaluations document by document: folders with samples that lm_eval --log_samples wrote, run folders of pivotlens, or two models of a run."  # noqa: E501

Names = Annotated[
    tuple[str, ...],
    Parameter(
        help="First and second side: a folder with samples_*.jsonl of one model, FOLDER@TIME or one such file; a run "
        "folder with `score` or `evaluate`; or with --run a model of it, MODEL or MODEL:PROMPT.",
        negative="",
    ),
]
Texts = tuple[str, ...]


def _listed(said: str) -> Parameter:
    return Parameter(help=said, consume_multiple=True, negative="", show_default=False)


@Parameter(name="*")
@dataclasses.dataclass(frozen=True)
class Wanted:
    """What is compared, and how."""

    tasks: Annotated[Texts, _listed("Compare only these tasks.")] = ()
    metrics: Annotated[Texts, _listed("Compare only these metrics.")] = ()
    cluster: Annotated[
        str,
        Parameter(help="Field of a document whose equal values make a cluster, such as `passage_id`; by default what "
                  "is known of the task.", show_default=False),
    ] = ""  # fmt: skip
    any_prompt: Annotated[
        bool,
        Parameter(help="Compare even where documents were asked in other words, with other shots or in another "
                  "version of the task.", negative="", show_default=False),
    ] = False  # fmt: skip
    bootstrap: Annotated[int, Parameter(help="Bootstrap resamples for the intervals.")] = 1000
    seed: Annotated[int, Parameter(help="Seed of all that is drawn.")] = 0


@Parameter(name="*")
@dataclasses.dataclass(frozen=True)
class Written:
    """What is written beside the table."""

    json: Json = False
    csv: Annotated[Path | None, Parameter(help="Also write the rows as CSV.")] = None
    markdown: Annotated[Path | None, Parameter(help="Also write the table as Markdown.")] = None


_ALL, _NOTHING = Wanted(), Written()


def add(app: App) -> None:
    """Add the verb."""
    app.command(compare, name="compare", help=help_text(_SUMMARY, EXAMPLES))


def compare(
    names: Names,
    *,
    run: Annotated[Path | None, Parameter(help="Run folder whose models are compared.")] = None,
    wanted: Wanted = _ALL,
    written: Written = _NOTHING,
) -> None:
    """Print the paired comparison of two sides."""
    from pivotlens.cli.compared_sides import open_side
    from pivotlens.comparison.comparing import HowCompared, compare_sides

    if len(names) != 2:
        raise ConfigError(f"compare takes two sides, not {len(names)}", "Name the first one and the second one.")
    if wanted.bootstrap < 100:
        raise ConfigError(f"--bootstrap {wanted.bootstrap} is too few", "Give 100 or more.")
    first, second = (open_side(name, run, wanted.cluster) for name in names)
    how = HowCompared(wanted.tasks, wanted.metrics, wanted.any_prompt, wanted.bootstrap, wanted.seed)
    found = compare_sides(first, second, how)
    rows = [_numbers(dataclasses.asdict(row)) for row in found.rows]
    _write(written, rows)
    if written.json:
        print_json(dataclasses.asdict(found) | {"rows": rows})
        return
    console = results_console()
    said = (f"second: {second.name}; first: {first.name}", "", *_lines(rows), "")
    for line in (*said, *found.notes, _HOW.format(wanted.bootstrap)):
        console.print(escape_controls(line), markup=False, soft_wrap=True)


_HEADINGS = (
    "task", "metric", "n", "first", "second", "change", "95 % interval", "p", "Holm", "unpaired", "MDE",
)  # fmt: skip
_HOW = (
    "change: second − first; its 95 % interval by bootstrap, {:,} resamples of clusters. p: McNemar's exact test (m) "
    "where values are 0 or 1 and each document is its own cluster, else sign flips by cluster (s). Holm: that p, "
    "adjusted over the tasks of a metric, and apart from them over means of tasks. unpaired: p of the z-test of the "
    "harness's model_comparator, which takes the sides as independent. MDE: smallest difference found with a power of "
    "80 % at 5 %."
)
_TESTS = {"mcnemar": "m", "sign_flip": "s"}


def _numbers(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with None where a figure cannot be had."""
    return {key: None if isinstance(value, float) and math.isnan(value) else value for key, value in row.items()}


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    metric = row["metric"] if row["comparable"] else f"incomparable {row['metric']}"
    task = row["task"] if row["tasks"] == 1 else f"{row['task']}: mean of {row['tasks']} tasks"
    interval = f"[{_plain(row['ci_low'], '.3f')}, {_plain(row['ci_high'], '.3f')}]"
    return (
        task, metric, f"{row['n']:,}", _plain(row["first"]), _plain(row["second"]), _signed(row["difference"]),
        interval, f"{_p(row['p_value'])} {_TESTS[row['test']]}", _p(row["p_holm"]), _p(row["p_unpaired"]),
        _plain(row["detectable"]),
    )  # fmt: skip


def _lines(rows: list[dict[str, Any]]) -> list[str]:
    """Return the table as lines for a terminal of 80 columns: names of any length stand above their figures."""
    cells = [_cells(row) for row in rows]
    figures = [_HEADINGS[2:], *(each[2:] for each in cells)]
    widths = [max(map(len, column)) for column in zip(*figures, strict=True)]
    head, *lines = (" ".join(map(str.rjust, each, widths)) for each in figures)
    named = zip(cells, lines, strict=True)
    return [head, *(line for (task, metric, *_), line_ in named for line in (f"{task}, {metric}", line_))]


def _plain(value: float | None, form: str = ".4f") -> str:
    if value is None:
        return "–"
    return f"{value:{form}}" if value == 0 or 1e-3 <= abs(value) < 100 else f"{value:{form[:-2]}3g}"


def _signed(value: float | None) -> str:
    return _plain(value, "+.4f")


def _p(value: float | None) -> str:
    return "–" if value is None else f"{value:.2g}" if value >= 1e-3 else f"{value:.0e}"


def _write(written: Written, rows: list[dict[str, Any]]) -> None:
    """Write the rows to files, where that was asked for."""
    from pivotlens.artifacts.files import write_bytes

    if written.csv is not None:
        text = io.StringIO()
        lines = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        lines.writeheader()
        lines.writerows(rows)
        write_bytes(written.csv, text.getvalue().encode())
    if written.markdown is not None:
        table = [_HEADINGS, ("---",) * len(_HEADINGS), *map(_cells, rows)]
        text_lines = ("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in table)
        write_bytes(written.markdown, "".join(text_lines).encode())
