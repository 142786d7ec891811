"""Settings of `pivotlens report`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import field_validator

from pivotlens.settings import StageConfig, setting

Format = Literal["html", "md"]


class ReportConfig(StageConfig):
    """Write everything found into one page, of HTML or Markdown; further runs stand beside it."""

    stage: ClassVar[str] = "report"
    title: str = setting("pivotlens report", "Title of the page.")
    format: tuple[Format, ...] = setting(
        ("html",), "`html`: one self-contained page; `md`: Markdown with its figures as SVG files; or both."
    )
    items: int = setting(400, "Most traced items whose layers are on the page; of the others their labels are.", ge=1)
    name: str = setting("this run", "What this run is called where others stand beside it.")
    beside: tuple[str, ...] = setting((), "Further run folders to show beside this one, each as FOLDER or NAME=FOLDER.")
    comparisons: tuple[str, ...] = setting(
        (), "Files with what `pivotlens score --compare A B --json` printed, to show beside the scores."
    )
    introduction: str = setting(
        "", "Markdown file (headings, paragraphs, lists, code) that stands before the findings."
    )

    @field_validator("format")
    @classmethod
    def _has_a_format(cls, formats: tuple[str, ...]) -> tuple[str, ...]:
        if not formats:
            raise ValueError("give html, md, or both")
        return formats

    def runs_beside(self) -> dict[str, str]:
        """Return the folders of the further runs by name."""
        found = {}
        for text in self.beside:
            name, mark, folder = text.partition("=")
            found[name] = folder if mark else text
        return found
