"""From what trainings found to the rows of the stage's tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from pivotlens.artifacts import schema_of
from pivotlens.artifacts.manifest import Output
from pivotlens.train.arms import Training
from pivotlens.train.task import TrainPass

Rows = list[dict[str, Any]]
_ALL = "all"


def tables(work: TrainPass, found: Mapping[str, Mapping[str, Any]]) -> dict[str, pa.Table]:
    """Return every table of the stage by name.

    Args:
        work: The trainings.
        found: What each found, by its name.
    """
    rows: dict[str, Rows] = {"checkpoints": [], "evaluations": [], "held_out": [], "summary": []}
    for name, training in work.trainings.items():
        of = found[name]
        for step in work.checkpoints():
            at = _at(work, training, step)
            for table, measured in of["measured"][str(step)].items():
                rows[table] += [at | row for row in measured]
        rows["checkpoints"] += _checkpoints(work, training, of)
        rows["summary"].append(_summary(work, training, of))
    made = {name: pa.Table.from_pylist(of, schema=schema_of("train", name)) for name, of in rows.items()}
    return {"steps": pa.concat_tables(_steps(work, one, found[one.name]) for one in work.trainings.values()), **made}


def _at(work: TrainPass, training: Training, step: int) -> dict[str, Any]:
    return {"arm": training.arm, "seed": training.seed, "step": step, "tokens": step * work.step_tokens}


def _steps(work: TrainPass, training: Training, found: Mapping[str, Any]) -> pa.Table:
    numbers = list(range(1, len(found["losses"]) + 1))
    columns = {
        "arm": [training.arm] * len(numbers),
        "seed": [training.seed] * len(numbers),
        "step": numbers,
        "tokens": [number * work.step_tokens for number in numbers],
        "loss": found["losses"],
        "learning_rate": found["rates"],
        "gradient_norm": found["norms"],
    }
    return pa.table(columns, schema=schema_of("train", "steps"))


def _checkpoints(work: TrainPass, training: Training, found: Mapping[str, Any]) -> Rows:
    rows, before = [], 0
    for step in work.checkpoints():
        files = [Output.model_validate(one) for one in found["files"][str(step)].values()]
        rows.append(_at(work, training, step) | {
            "model": training.reference(step),
            "loss": mean(found["losses"][before:step]),
            "bytes": sum(one.bytes for one in files),
        })  # fmt: skip
        before = step
    return rows


def _summary(work: TrainPass, training: Training, found: Mapping[str, Any]) -> dict[str, Any]:
    steps, arm, losses = work.budget.steps, work.arms[training.arm], found["losses"]
    measured = found["measured"][str(steps)]
    overall = [row for row in measured.get("evaluations", ()) if row["source_language"] == _ALL]
    read = [row for row in measured.get("held_out", ()) if row["language"] == _ALL]
    tokens, tenth = steps * work.step_tokens, max(1, steps // 10)
    arm_tokens = min(tokens, work.budget.used[training.arm] * arm.length)
    return {
        "arm": training.arm,
        "seed": training.seed,
        "steps": steps,
        "tokens": tokens,
        "arm_tokens": arm_tokens,
        "passes": tokens / arm_tokens,
        "documents": arm.documents,
        "model": training.reference(steps),
        "loss_first": mean(losses[:tenth]),
        "loss_last": mean(losses[-tenth:]),
        "score": overall[0]["score"] if overall else None,
        "bits_per_byte": read[0]["bits_per_byte"] if read else None,
    }


def mean(values: Sequence[float]) -> float | None:
    """Return the mean of values, None where there are none."""
    return sum(values) / len(values) if values else None
