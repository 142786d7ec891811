"""The declaration of `pivotlens report`; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pivotlens.report.config import ReportConfig
from pivotlens.stage import Stage

if TYPE_CHECKING:
    from pivotlens.artifacts import Report

STAGE: Stage[ReportConfig, Report] = Stage(
    config=ReportConfig,
    result="pivotlens.artifacts:Report",
    version=9,
    function="write_report",
    work="pivotlens.report.run:run",
    reads_all=True,
    inputs="pivotlens.report.beside:inputs",
    examples=(
        "pivotlens report --run runs/first --title 'My model, fr and zh'",
        "pivotlens report --run runs/first --format html md --name english --beside native=runs/native",
    ),
)


def write_report(
    config: ReportConfig | None = None, run: Path | str = "run", *, origins: Mapping[str, str] | None = None
) -> Report:
    """Write everything found in a run folder into ``RUN/report/report.html`` or ``report.md``, as the settings ask.

    Args:
        config: The settings; defaults if None.
        run: The run folder.
        origins: Where each setting that is not a default came from.

    Raises:
        PrerequisiteError: No stage has run in the folder, or in one beside it.
        DataError: The introduction or a comparison cannot be read.
        ArtifactError: A table of a stage is damaged, or the page cannot be written.
    """
    return STAGE(config, run, origins=origins)
