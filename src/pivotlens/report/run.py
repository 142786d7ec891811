"""The stage `report`: reads every finished stage, writes one page."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pivotlens.artifacts import Report, StageRun, upstream_inputs
from pivotlens.artifacts.files import write_bytes
from pivotlens.errors import DataError, PrerequisiteError
from pivotlens.report.config import ReportConfig
from pivotlens.report.run_tables import STAGES, RunTables

VERSION = 5
HTML, MARKDOWN = "report.html", "report.md"


def stage_run(
    config: ReportConfig,
    run: Path | str,
    *,
    planned: Mapping[str, str] | None = None,
    passed: Mapping[str, str] | None = None,
) -> StageRun:
    """Plan the stage; writes nothing.

    Raises:
        PrerequisiteError: No stage has run in the folder, or in one beside it.
        DataError: The introduction or a comparison cannot be read.
    """
    inputs = _stages_of(run, planned)
    for name, folder in config.runs_beside().items():
        inputs |= {f"{name}: {stage}": value for stage, value in _stages_of(folder, None).items()}
    for path in filter(None, (config.introduction, *config.comparisons)):
        inputs[path] = hashlib.sha256(_read(path)).hexdigest()
    return StageRun(run, config, version=VERSION, inputs=inputs, passed=passed)


def _stages_of(run: Path | str, planned: Mapping[str, str] | None) -> dict[str, str]:
    found = dict(upstream_inputs(run, (), STAGES, planned, reader=ReportConfig.stage))
    if not found:
        raise PrerequisiteError(
            f"report needs the result of at least one stage, and {run} has none",
            f"Run `pivotlens run --run {run}`, or a single stage such as `pivotlens bench --run {run}`, first.",
        )
    return found


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}", "Give a file that is there.") from error


def write_report(
    config: ReportConfig | None = None, run: Path | str = ".", *, passed: Mapping[str, str] | None = None
) -> Report:
    """Write everything found in a run folder into ``RUN/report/report.html`` or ``report.md``, as the settings ask.

    Args:
        config: The settings; defaults if None.
        run: The run folder.
        passed: Where each setting that is not a default came from.

    Raises:
        PrerequisiteError: No stage has run in the folder, or in one beside it.
        ArtifactError: A table of a stage is damaged, or the page cannot be written.
        DataError: The introduction or a comparison cannot be read.
    """
    config = config or ReportConfig()
    stage = stage_run(config, run, passed=passed)
    if stage.reason_to_run() is None:
        return Report.load(run)
    from pivotlens.report import html
    from pivotlens.report.markdown import FIGURES, markdown
    from pivotlens.report.page import build_page

    with stage:
        page = build_page(config, load_runs(config, run), load_comparisons(config))
        details: dict[str, Any] = {"items": page.n_items, "items_shown": page.n_layered}
        if "html" in config.format:
            content = html.render(page).encode()
            write_bytes(stage.staging / HTML, content)
            details["bytes"] = len(content)
        if "md" in config.format:
            text, figures = markdown(page)
            write_bytes(stage.staging / MARKDOWN, text.encode())
            for name, svg in figures.items():
                write_bytes(stage.staged(f"{FIGURES}/{name}"), svg.encode())
        stage.finish(details)
    return Report.load(run)


def load_runs(config: ReportConfig, run: Path | str) -> list[tuple[str, RunTables]]:
    """Load a run and those beside it, with their names."""
    beside = config.runs_beside()
    return [(config.name, RunTables.load(run)), *((name, RunTables.load(folder)) for name, folder in beside.items())]


def load_comparisons(config: ReportConfig) -> list[dict[str, Any]]:
    """Load what ``pivotlens score --compare --json`` printed.

    Raises:
        DataError: A file is something else.
    """
    found = []
    for path in config.comparisons:
        try:
            read = json.loads(_read(path))
            sides = [f"{model} ({prompt} prompt)" for model, prompt in (read["first"], read["second"])]
            found.append({"first": sides[0], "second": sides[1], "rows": read["rows"]})
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{path} is no comparison of scores", "Write it with `pivotlens score --compare A B --json`."
            ) from error
    return found
