"""Settings of `pivotlens report`."""

from __future__ import annotations

from typing import ClassVar

from pivotlens.settings import StageConfig, setting


class ReportConfig(StageConfig):
    """Write everything found into one HTML page."""

    stage: ClassVar[str] = "report"
    title: str = setting("pivotlens report", "Title of the page.")
    items: int = setting(400, "Most traced items whose layers are on the page; of the others their labels are.", ge=1)
