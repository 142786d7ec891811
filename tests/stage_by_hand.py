"""Stages at work without their work function: a test writes the parts and the result itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pivotlens.artifacts import Plan, ResultWriter, Workspace, make_plan
from pivotlens.corpus import LocalExecutor
from pivotlens.settings import StageConfig
from pivotlens.stage import Work


@contextmanager
def at_work(plan: Plan[Any]) -> Iterator[Work[Any]]:
    """Hold the stage's lock and give what its work function gets."""
    with Workspace(plan) as workspace:
        yield Work(plan, workspace, ResultWriter(plan, workspace), LocalExecutor())


@contextmanager
def writing(
    run: Path, config: StageConfig, inputs: Mapping[str, str], origins: Mapping[str, str] | None = None
) -> Iterator[ResultWriter]:
    """Give the writer of a stage's result; the test finishes it."""
    with at_work(make_plan(run, config, version=1, inputs=inputs, origins=origins)) as work:
        yield work.writer
