"""`pivotlens tasks-path`: where the task files for lm-evaluation-harness are."""

from __future__ import annotations

import sys
from importlib import resources
from pathlib import Path

from cyclopts import App

from pivotlens.cli.terminal import print_json
from pivotlens.cli.verbs import Json, help_text

EXAMPLES = ("pivotlens tasks-path", "pivotlens tasks-path --json")


def add(app: App) -> None:
    """Add the verb."""
    summary = 'Print the folder of the benchmark\'s lm-evaluation-harness tasks: lm_eval run --include_path "$(pivotlens tasks-path)" --tasks pivotlens_en_fr.'  # noqa: E501
    app.command(tasks_path, name="tasks-path", help=help_text(summary, EXAMPLES))


def tasks_path(*, json: Json = False) -> None:
    """Print the folder, and nothing else."""
    folder = Path(str(resources.files("pivotlens.harness").joinpath("tasks")))
    if json:
        files = sorted(folder.glob("[!_]*.yaml"))
        groups = [path.stem for path in files if f"\ngroup: {path.stem}\n" in path.read_text(encoding="utf-8")]
        tasks = [path.stem for path in files if path.stem not in groups]
        print_json({"folder": str(folder), "tasks": tasks, "groups": groups})
        return
    sys.stdout.write(f"{folder}\n")
    sys.stdout.flush()
