"""The work of the stage `report`: reads every finished stage, writes one page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pivotlens.artifacts import read_manifest
from pivotlens.artifacts.files import write_bytes
from pivotlens.report import html
from pivotlens.report.beside import load_comparisons
from pivotlens.report.config import ReportConfig
from pivotlens.report.markdown import FIGURES, markdown
from pivotlens.report.page import build_page
from pivotlens.report.run_tables import RunTables
from pivotlens.stage import Work

HTML, MARKDOWN = "report.html", "report.md"


def run(work: Work[ReportConfig]) -> dict[str, Any]:
    """Write the page in every format that is asked for."""
    config = work.config
    folders: dict[str, Path | str] = {config.name: work.run, **config.runs_beside()}
    runs = [(name, RunTables.load(folder)) for name, folder in folders.items()]
    page = build_page(config, runs, load_comparisons(config))
    details: dict[str, Any] = {"items": page.n_items, "items_shown": page.n_layered}
    if "html" in config.format:
        content = html.render(page).encode()
        write_bytes(work.writer.staged(HTML), content)
        details["bytes"] = len(content)
    if "md" in config.format:
        text, figures = markdown(page)
        write_bytes(work.writer.staged(MARKDOWN), text.encode())
        for name, svg in figures.items():
            write_bytes(work.writer.staged(f"{FIGURES}/{name}"), svg.encode())
    _keep_other_formats(work)
    return details


def _keep_other_formats(work: Work[ReportConfig]) -> None:
    """Leave what an earlier report wrote in formats that are not asked for now."""
    earlier, folder = read_manifest(work.plan.folder), work.plan.folder
    for name, output in earlier.outputs.items() if earlier else ():
        kind = "html" if name == HTML else "md"
        if kind not in work.config.format and (folder / name).is_file():
            work.writer.adopt(name, folder / name, output)
            work.writer.warn(f"report.{kind} is still that of an earlier report: --format html md writes both")
