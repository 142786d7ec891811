"""What pages of results share that are no report: where they are, and tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

RESULTS = Path(__file__).resolve().parent.parent / "docs" / "results"


def markdown_table(header: list[str], rows: Iterable[list[str]], *, numbers: bool = True) -> list[str]:
    """Return a table as lines of Markdown; with ``numbers`` all columns but the first stand to the right."""
    lines = [header, ["---", *("---:" if numbers else "---" for _ in header[1:])], *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]
