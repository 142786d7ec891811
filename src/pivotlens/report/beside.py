"""What a report reads beside its own run: further runs, comparisons of their scores, an introduction."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from pivotlens.artifacts import RunFolder, upstream_inputs
from pivotlens.errors import DataError, PrerequisiteError
from pivotlens.report.config import ReportConfig
from pivotlens.report.run_tables import shown_stages

_COMPARED = ("task", "tasks", "metric", "n", "first", "second", "difference", "ci_low", "ci_high", "p_value", "p_holm",
             "detectable")  # fmt: skip


def inputs(config: ReportConfig, near: RunFolder) -> dict[str, str]:
    """Return the fingerprints of what is read beside the run itself.

    Args:
        config: The settings.
        near: The run, which is not needed for that.

    Raises:
        PrerequisiteError: No stage has run in a folder beside it.
        DataError: The introduction or a comparison cannot be read.
    """
    found: dict[str, str] = {}
    for name, folder in config.runs_beside().items():
        made = upstream_inputs(folder, (), tuple(shown_stages()), None, reader=config.stage)
        if not made:
            raise PrerequisiteError(
                f"{folder}, which {config.stage} is to show beside {near.path}, has no result of any stage",
                "Give folders of finished runs to --beside.",
            )
        found |= {f"{name}: {stage}": value for stage, value in made.items()}
    for path in filter(None, (config.introduction, *config.comparisons)):
        found[path] = hashlib.sha256(_read(path)).hexdigest()
    return found


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}", "Give a file that is there.") from error


def load_comparisons(config: ReportConfig) -> list[dict[str, Any]]:
    """Load what ``pivotlens compare --json`` printed.

    Raises:
        DataError: A file is something else.
    """
    found = []
    for path in config.comparisons:
        try:
            read = json.loads(_read(path))
            rows = [{name: row[name] for name in _COMPARED} for row in read["rows"]]
            found.append({"first": str(read["first"]), "second": str(read["second"]), "rows": rows})
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path} is no comparison", "Write it with `pivotlens compare A B --json`.") from error
    return found
