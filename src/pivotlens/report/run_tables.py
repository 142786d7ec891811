"""The finished stages of a run folder, each if it is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc

from pivotlens import artifacts
from pivotlens.artifacts import StageResult
from pivotlens.artifacts.results import SweepResult
from pivotlens.settings import StageConfig
from pivotlens.stages import STAGES
from pivotlens.text import Direction

Row = dict[str, Any]
DEMO_CORPUS = "demo:tatoeba"


@dataclass(frozen=True)
class RunTables:
    """Results of the stages; None where a stage has not run.

    The fields are what the page has sections on, in the order of the method; ``others`` it names alone.
    """

    bench: artifacts.Benchmark | None
    score: artifacts.Scores | None
    lens: artifacts.TrainedLens | None
    trace: artifacts.Trace | None
    ablate: artifacts.Ablation | None
    count: artifacts.Counts | None
    query: artifacts.IndexCounts | None
    attribute: artifacts.Attribution | None
    mine: artifacts.Pivots | None
    select: artifacts.Selection | None
    train: artifacts.TrainedModels | None
    evaluate: artifacts.Evaluation | None
    others: tuple[StageResult, ...]

    @classmethod
    def load(cls, run: Path | str) -> Self:
        """Load what is there."""
        return cls._of({name: STAGES[name].result_class().load_if_there(run) for name in shown_stages()})

    @classmethod
    def of(cls, result: StageResult) -> Self:
        """Return a single stage as a run of its own, whatever class of result it was loaded as."""
        name = result.manifest.stage
        return cls._of({name: STAGES[name].result_class()(result.folder, result.manifest)})

    @classmethod
    def _of(cls, found: dict[str, Any]) -> Self:
        shown = {field.name: found.pop(field.name, None) for field in fields(cls)[:-1]}
        return cls(**shown, others=tuple(result for result in found.values() if result is not None))

    def stages(self) -> Iterator[StageResult]:
        """Yield the stages that are there, in the order of the method."""
        shown = (getattr(self, field.name) for field in fields(self)[:-1])
        yield from (result for result in (*shown, *self.others) if result is not None)

    @property
    def model(self) -> str:
        """The model as it was asked for, or nothing."""
        return next((str(stage.manifest.config["model"]) for stage in (self.trace, self.score) if stage), "")

    @property
    def rule_notes(self) -> dict[str, str]:
        """What each rule of behaviour does in a sentence, in their order."""
        return {row["rule"]: row["note"] for row in rows(self.trace, "rules")}

    @property
    def corpus(self) -> str:
        """The corpus as it was named, or nothing."""
        if self.count is not None:
            return str(self.count.manifest.details.get("corpus") or self.count.manifest.config.get("corpus") or "")
        return str(self.select.manifest.config.get("corpus", "")) if self.select else ""


def shown_stages() -> dict[str, type[StageConfig]]:
    """Return the settings of every stage that a report may show, in the order of work."""
    return {name: stage.config for name, stage in STAGES.items() if name != "report"}


def has(stage: StageResult | None, table: str) -> bool:
    """Tell whether a stage is there with a table: one of an older version may lack it."""
    return stage is not None and f"{table}.parquet" in stage.manifest.outputs


def rows(stage: StageResult | None, table: str) -> list[Row]:
    """Return a table's rows; none where the stage or the table is absent."""
    return stage.rows(table) if stage is not None and has(stage, table) else []


def first_rows(stage: SweepResult | None, table: str) -> list[Row]:
    """Return a table's rows of the first model and prompt; none where the stage or the table is absent."""
    return stage.first_rows(table) if stage is not None and has(stage, table) else []


def first_table(stage: SweepResult, name: str) -> pa.Table:
    """Return the part of a table that is of the first model and prompt; for the large ones."""
    table, config = stage.table(name), stage.manifest.config
    return table.filter(pc.and_(pc.equal(table["model"], config["model"]), pc.equal(table["prompt"], config["prompt"])))


def direction_of(row: Row) -> Direction:
    """Return a row's direction."""
    return Direction(row["source_language"], row["target_language"])


def is_pooled(row: Row) -> bool:
    """Tell whether a row is the mean over directions."""
    return bool(row["source_language"] == "all" or row["target_language"] == "all")


def first_shot_set(rows: list[Row]) -> list[Row]:
    """Keep the rows of the first shot set: labels are of that one."""
    first = min((row["shot_set"] for row in rows), default=0)
    return [row for row in rows if row["shot_set"] == first]
