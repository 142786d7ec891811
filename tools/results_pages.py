"""What the results pages share: tables in Markdown, and the command that writes a page."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from pivotlens.artifacts import Benchmark

RESULTS = Path(__file__).resolve().parent.parent / "docs" / "results"

Row = dict[str, Any]


def list_version(run: Path) -> str:
    """Return the version of the bundled word list that a run was made with."""
    return str(Benchmark.load(run).manifest.details.get("word_list_version", "own"))


def markdown_table(header: list[str], rows: Iterable[list[str]], *, numbers: bool = True) -> list[str]:
    """Return a table as lines of Markdown; with ``numbers`` all columns but the first stand to the right."""
    lines = [header, ["---", *("---:" if numbers else "---" for _ in header[1:])], *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]


def write_from_runs(
    description: str | None,
    what: str,
    collect: Callable[[Sequence[Path]], None],
    page: Callable[[], str],
    path: Path,
    arguments: Sequence[str] | None,
) -> int:
    """Write a page, after taking what it needs from the runs that the command names, if any.

    Args:
        description: Of the command.
        what: The runs hold, for its help.
        collect: Takes what the page needs.
        page: Returns the page.
        path: Of the page.
        arguments: Of the command; those it was called with when None.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", type=Path, help=f"run folders with finished {what}")
    options = parser.parse_args(arguments)
    if options.runs:
        collect(options.runs)
    path.write_text(page(), encoding="utf-8")
    return 0
