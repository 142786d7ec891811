"""The stage `report`: reads every finished stage, writes one page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pivotlens.artifacts import Report, StageRun, upstream_inputs
from pivotlens.artifacts.files import write_bytes
from pivotlens.errors import PrerequisiteError
from pivotlens.report.config import ReportConfig
from pivotlens.report.run_tables import STAGES, RunTables

VERSION = 5
PAGE = "report.html"


def stage_run(
    config: ReportConfig,
    run: Path | str,
    *,
    planned: Mapping[str, str] | None = None,
    passed: Mapping[str, str] | None = None,
) -> StageRun:
    """Plan the stage; writes nothing.

    Raises:
        PrerequisiteError: No stage has run in the folder.
    """
    inputs = upstream_inputs(run, (), STAGES, planned, reader=config.stage)
    if not inputs:
        raise PrerequisiteError(
            f"report needs the result of at least one stage, and {run} has none",
            f"Run `pivotlens run --run {run}`, or a single stage such as `pivotlens bench --run {run}`, first.",
        )
    return StageRun(run, config, version=VERSION, inputs=inputs, passed=passed)


def write_report(
    config: ReportConfig | None = None, run: Path | str = ".", *, passed: Mapping[str, str] | None = None
) -> Report:
    """Write everything found in a run folder into ``RUN/report/report.html``.

    Args:
        config: The settings; defaults if None.
        run: The run folder.
        passed: Where each setting that is not a default came from.

    Raises:
        PrerequisiteError: No stage has run in the folder.
        ArtifactError: A table of a stage is damaged, or the page cannot be written.
    """
    config = config or ReportConfig()
    stage = stage_run(config, run, passed=passed)
    if stage.reason_to_run() is None:
        return Report.load(run)
    from pivotlens.report.build import build_page
    from pivotlens.report.page import render

    with stage:
        page = build_page(config, RunTables.load(run))
        html = render(page).encode()
        write_bytes(stage.staging / PAGE, html)
        stage.finish({"items": page.n_items, "items_shown": page.n_layered, "bytes": len(html)})
    return Report.load(run)
