"""Report: everything found in one self-contained page, and the headline on a terminal."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pivotlens.report.config import ReportConfig
    from pivotlens.report.run import stage_run, write_report
    from pivotlens.report.sections.items import TellingItem
    from pivotlens.report.terminal import most_telling_items, render_items, render_summary

_HOMES = {
    "ReportConfig": "config",
    "TellingItem": "sections.items",
    "most_telling_items": "terminal",
    "render_items": "terminal",
    "render_summary": "terminal",
    "stage_run": "run",
    "write_report": "run",
}

__all__ = [
    "ReportConfig",
    "TellingItem",
    "most_telling_items",
    "render_items",
    "render_summary",
    "stage_run",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
