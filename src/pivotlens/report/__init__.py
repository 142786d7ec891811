"""Report: everything found in one self-contained page, and the headline on a terminal."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from pivotlens.report.config import ReportConfig
from pivotlens.report.stage import write_report

if TYPE_CHECKING:
    from pivotlens.report.sections.items import TellingItem
    from pivotlens.report.terminal import most_telling_items, render_items, render_summary

__all__ = ["ReportConfig", "TellingItem", "most_telling_items", "render_items", "render_summary", "write_report"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # What is not here yet needs pyarrow, which the command line's help does without.
    return getattr(importlib.import_module(f"{__name__}.terminal"), name)
