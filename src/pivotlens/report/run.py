"""The stage `report`: reads every finished stage, writes one page."""

from __future__ import annotations

from typing import Any

from pivotlens.artifacts.files import write_bytes
from pivotlens.report.build import build_page
from pivotlens.report.config import ReportConfig
from pivotlens.report.page import render
from pivotlens.report.run_tables import RunTables
from pivotlens.stage import Work

PAGE = "report.html"


def run(work: Work[ReportConfig]) -> dict[str, Any]:
    """Write the page."""
    page = build_page(work.config, RunTables.load(work.run))
    html = render(page).encode()
    write_bytes(work.writer.staged(PAGE), html)
    return {"items": page.n_items, "items_shown": len(page.items), "bytes": len(html)}
