"""`pivotlens run`: the whole chain, resumable."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter
from pydantic import BaseModel

from pivotlens.cli.terminal import print_json, results_console, watch_progress
from pivotlens.cli.verbs import DryRun, Json, describe, given, help_text, result_object
from pivotlens.pipeline import Pipeline
from pivotlens.settings import ExecutorName
from pivotlens.text import escape_controls

if TYPE_CHECKING:
    from pivotlens.artifacts import Plan

EXAMPLES = (
    "pivotlens run --config pivotlens.toml",
    "pivotlens run --config pivotlens.toml --run runs/second --dry-run",
)


def add(app: App) -> None:
    """Add the verb."""
    summary = "Run the whole chain from one configuration file; what is finished and fits is reused."
    app.command(run, name="run", help=help_text(summary, EXAMPLES))


class SharedFlags(BaseModel):
    """Settings that every stage which has them takes; None where one was not given."""

    model: Annotated[str | None, Parameter(help="Model spec for every stage.")] = None
    corpus: Annotated[str | None, Parameter(help="Corpus spec for every stage.")] = None
    directions: Annotated[
        tuple[str, ...] | None, Parameter(help="Directions for every stage.", consume_multiple=True, negative="")
    ] = None
    seed: Annotated[int | None, Parameter(help="Seed for every stage.")] = None
    workers: Annotated[int | None, Parameter(help="Worker processes where the corpus is read.")] = None
    executor: Annotated[
        ExecutorName | None, Parameter(help="What works on the corpus, where stages have a choice.")
    ] = None


def run(
    *,
    config: Annotated[Path, Parameter(name="--config", help="TOML file; `pivotlens init` writes one.")],
    run: Annotated[Path | None, Parameter(name="--run", help="Run folder; else `run` of the file.")] = None,
    flags: Annotated[SharedFlags | None, Parameter(name="*")] = None,
    json: Json = False,
    dry_run: DryRun = False,
) -> None:
    """Run the chain."""
    run_pipeline(Pipeline.from_toml(config, run, given(flags)), as_json=json, dry_run=dry_run)


def run_pipeline(pipeline: Pipeline, *, as_json: bool, dry_run: bool) -> None:
    """Run or plan a pipeline and say what happens to each stage.

    Args:
        pipeline: The run folder and the settings.
        as_json: Whether one JSON object is put on stdout.
        dry_run: Whether nothing is done.
    """
    console = watch_progress()
    if dry_run:
        plans = pipeline.plan()
        if as_json:
            told = [{"name": one.stage, "reason": one.reason, "fingerprint": one.fingerprint} for one in plans]
            print_json({"run": str(pipeline.folder), "stages": told})
            return
        for plan in plans:
            results_console().print(describe(plan.stage, plan.reason), soft_wrap=True, markup=False)
        return
    reused: dict[str, bool] = {}

    def watch(plan: Plan[Any]) -> None:
        reused[plan.stage] = plan.reason is None
        console.print(describe(plan.stage, plan.reason), soft_wrap=True, markup=False)

    results = pipeline.run(watch)
    for name, result in results.items():
        for warning in result.manifest.warnings:
            console.print(f"Warning ({name}): {escape_controls(warning)}", soft_wrap=True, markup=False)
    if as_json:
        stages = [result_object(result, reused=reused[name]) for name, result in results.items()]
        print_json({"run": str(pipeline.folder), "stages": stages})
        return
    if all(reused.values()):
        console.print("Nothing to do: every result is there and fits its settings and inputs.")
    report = results["report"]
    for name in sorted(name for name in report.manifest.outputs if name.startswith("report.")):
        results_console().print(f"Report: {report.folder / name}", soft_wrap=True, markup=False)
