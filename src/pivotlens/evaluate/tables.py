"""Tables of what was kept: results with intervals, values of documents, and differences from the first model."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from pivotlens.artifacts import ResultWriter
from pivotlens.artifacts.tables import schema_of
from pivotlens.comparison.comparing import HowCompared, compare_sides
from pivotlens.comparison.harness_files import SampleFile
from pivotlens.comparison.harness_samples import CHRF, read_samples
from pivotlens.comparison.sides import Side, TaskValues
from pivotlens.evaluate.config import EvaluateConfig
from pivotlens.evaluate.kept import TIME, KeptResults
from pivotlens.statistics.paired import clustered

Row = dict[str, Any]


def write_tables(writer: ResultWriter, kept: KeptResults, tasks: Sequence[str], config: EvaluateConfig) -> None:
    """Write the tables of all models.

    Args:
        writer: Of the result.
        kept: What the harness found.
        tasks: Those that were evaluated.
        config: The settings.

    Raises:
        DataError: A figure is not finite.
        ConfigError: A model was asked otherwise than the first one.
    """
    sides = [_side(kept, number, tasks) for number in range(len(kept.models))]
    results = [row for number, side in enumerate(sides) for row in _results(kept, number, side, config)]
    how = HowCompared(bootstrap=config.bootstrap, seed=config.seed)
    differences: list[Row] = []
    for side in sides[1:]:
        found = compare_sides(sides[0], side, how)
        differences += [{"model": side.name, **_without_nan(dataclasses.asdict(row))} for row in found.rows]
        for note in found.notes:
            writer.warn(note)
    writer.write_rows("results", results)
    writer.write_rows("differences", differences)
    writer.write_table_blocks("samples", (_samples(side.name, task, values)
                                          for side in sides for task, values in side.tasks.items()))  # fmt: skip


def _side(kept: KeptResults, number: int, tasks: Sequence[str]) -> Side:
    read = {task: read_samples(SampleFile(task, TIME, kept.samples(number, task), {}))[0] for task in tasks}
    return Side(kept.models[number], "", read)


def _samples(model: str, task: str, values: TaskValues) -> pa.Table:
    """Return the rows of ``evaluate/samples`` of a task: document by document within a metric."""
    blocks = []
    for metric, found in values.metrics.items():
        rows = np.flatnonzero(np.isfinite(found[:, 0])).tolist()
        documents = [values.documents[row] for row in rows]
        blocks.append(
            {
                "model": [model] * len(rows),
                "task": [task] * len(rows),
                "doc_id": [one.number for one in documents],
                "doc_hash": [one.hash for one in documents],
                "prompt_hash": [one.prompt for one in documents],
                "cluster": [one.cluster for one in documents],
                "metric": [metric] * len(rows),
                "value": found[rows, 0],
            }
        )
    schema = schema_of("evaluate", "samples")
    return pa.concat_tables([pa.table(block, schema=schema) for block in blocks] or [schema.empty_table()])


def _results(kept: KeptResults, number: int, side: Side, config: EvaluateConfig) -> Iterator[Row]:
    """Yield the rows of a model: of each family its tasks, then their mean."""
    families: dict[str, dict[str, TaskValues]] = {}
    for task, values in side.tasks.items():
        families.setdefault(values.family, {})[task] = values
    for family, tasks in families.items():
        found = {task: list(_of_task(kept, number, task, values, config)) for task, values in tasks.items()}
        yield from (row for rows in found.values() for row in rows)
        if len(tasks) > 1:
            yield from _of_family(family, [{row["metric"]: row for row in rows} for rows in found.values()],
                                  list(tasks.values()), config)  # fmt: skip


def _of_task(kept: KeptResults, number: int, task: str, values: TaskValues, config: EvaluateConfig) -> Iterator[Row]:
    """Yield a row a metric: the harness's figures, and what documents have a value for besides."""
    said = kept.results(number, task)
    figures: dict[str, Any] = said["results"]
    labels = {
        "model": kept.models[number],
        "task": task,
        "tasks": 1,
        "version": None if said["versions"] in (None, "N/A") else str(said["versions"]),
        "shots": said["n-shot"] if isinstance(said["n-shot"], int) else None,
    }
    given: dict[str, tuple[float, float | None]] = {}
    for key, value in figures.items():
        name, _, filtered = key.partition(",")
        if filtered and not name.endswith("_stderr") and isinstance(value, int | float):
            error = figures.get(f"{name}_stderr,{filtered}")
            label = name if filtered == "none" else key
            given[label] = (float(value), float(error) if isinstance(error, int | float) else None)
    if CHRF in values.metrics:
        given[CHRF] = (math.nan, None)
    for metric, (value, error) in given.items():
        found = values.metrics.get(metric)
        row = {**labels, "metric": metric, "n": said["documents"], "clusters": None, "value": value, "stderr": error}
        yield row | ({} if found is None else _measured([values], metric, value, config))


def _of_family(
    family: str, found: Sequence[dict[str, Row]], values: Sequence[TaskValues], config: EvaluateConfig
) -> Iterator[Row]:
    for metric, first in found[0].items():
        if not all(metric in rows for rows in found):
            continue
        mean = float(np.mean([rows[metric]["value"] for rows in found]))
        labels = {"model": first["model"], "task": family, "tasks": len(found), "version": None, "shots": None,
                  "metric": metric, "n": sum(rows[metric]["n"] for rows in found), "clusters": None, "value": mean,
                  "stderr": None}  # fmt: skip
        whole = all(metric in one.metrics for one in values)
        yield labels | (_measured(values, metric, mean, config) if whole else {})


def _measured(values: Sequence[TaskValues], metric: str, value: float, config: EvaluateConfig) -> Row:
    """Return what the documents' own values say: how many there are, and the interval of their mean.

    The interval is left out where the harness makes another figure of them than their mean.
    """
    rows = [np.flatnonzero(np.isfinite(one.metrics[metric][:, 0])).tolist() for one in values]
    numbers = np.concatenate([one.metrics[metric][at] for one, at in zip(values, rows, strict=True)])
    names = [one.documents[row].cluster for one, at in zip(values, rows, strict=True) for row in at]
    tasks = [number for number, at in enumerate(rows) for _ in at]
    if not names:
        return {}
    of = clustered(numbers, names, tasks)
    found = of.interval(config.bootstrap, config.seed)
    same = math.isnan(value) or math.isclose(value, found.value, rel_tol=1e-6, abs_tol=1e-9)
    counts = {"n": len(names), "clusters": of.clusters, "value": found.value if math.isnan(value) else value}
    return counts | ({"ci_low": found.low, "ci_high": found.high} if same else {})


def _without_nan(row: Row) -> Row:
    return {key: None if isinstance(value, float) and math.isnan(value) else value for key, value in row.items()}
