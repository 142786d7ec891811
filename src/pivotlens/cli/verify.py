"""`pivotlens verify`: are a run folder's files whole, and do they belong together?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from pivotlens.cli.terminal import print_json, results_console
from pivotlens.cli.verbs import Json, help_text
from pivotlens.errors import ArtifactError
from pivotlens.stages import STAGES

EXAMPLES = ("pivotlens verify runs/demo", "pivotlens verify runs/demo --json")


def add(app: App) -> None:
    """Add the verb."""
    summary = "Check every file of a run folder against its manifest, and every stage against what it read."
    app.command(verify, name="verify", help=help_text(summary, EXAMPLES))


def verify(run: Annotated[Path, Parameter(help="Run folder.")], *, json: Json = False) -> None:
    """Check a run folder."""
    from pivotlens.artifacts.verification import verify_run

    outcome = verify_run(run, list(STAGES))
    if json:
        print_json({"run": str(run), "stages": outcome.stages, "files": outcome.files,
                    "problems": [vars(problem) for problem in outcome.problems]})  # fmt: skip
    else:
        console = results_console()
        for problem in outcome.problems:
            console.print(f"{problem.code} {problem.path}: {problem.message}", markup=False, soft_wrap=True)
        console.print(
            f"{len(outcome.stages)} stages, {outcome.files} files, {len(outcome.problems)} problems",
            markup=False,
        )
    if outcome.problems:
        raise ArtifactError(
            f"{run} has {len(outcome.problems)} problems, the first in {outcome.problems[0].path}",
            "Run the stages named above again; where a file was changed (V3), remove its stage's folder first.",
        )
