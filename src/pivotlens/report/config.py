"""Settings of `pivotlens report`."""

from __future__ import annotations

from typing import ClassVar

from pydantic import field_validator

from pivotlens.settings import StageConfig, setting

FORMATS = ("html", "md")


class ReportConfig(StageConfig):
    """Write everything found into one page, of HTML or Markdown; further runs stand beside it."""

    stage: ClassVar[str] = "report"
    title: str = setting("pivotlens report", "Title of the page.")
    format: tuple[str, ...] = setting(
        ("html",), "Formats: `html` is one self-contained page, `md` is Markdown with its figures as SVG files."
    )
    items: int = setting(400, "Most traced items whose layers are on the page; of the others their labels are.", ge=1)
    name: str = setting("this run", "What this run is called where others stand beside it.")
    beside: tuple[str, ...] = setting((), "Further run folders to show beside this one, each as FOLDER or NAME=FOLDER.")
    comparisons: tuple[str, ...] = setting(
        (), "Files with what `pivotlens compare A B --json` printed, to show beside the runs."
    )
    introduction: str = setting(
        "", "Markdown file (headings, paragraphs, lists, code) that stands before the findings."
    )

    @field_validator("format")
    @classmethod
    def _is_known(cls, formats: tuple[str, ...]) -> tuple[str, ...]:
        if not formats or set(formats) - set(FORMATS):
            raise ValueError("give html, md, or both")
        return formats

    def runs_beside(self) -> dict[str, str]:
        """Return the folders of the further runs by name."""
        found = {}
        for text in self.beside:
            name, mark, folder = text.partition("=")
            found[name] = folder if mark else text
        return found
