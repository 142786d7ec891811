"""`pivotlens demo`: the whole loop on a real multilingual model and a small real corpus."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from pivotlens.cli.run import run_pipeline
from pivotlens.cli.terminal import results_console
from pivotlens.cli.verbs import help_text
from pivotlens.pipeline import Pipeline

EXAMPLES = ("pivotlens demo", "pivotlens demo --run runs/small --model demo:smollm2-135m --directions en-fr fr-en")
DIRECTIONS = ("en-fr", "fr-zh", "zh-fr")


def add(app: App) -> None:
    """Add the verb."""
    summary = "Run the whole chain on Gemma-3-270M and the bundled sample, then show what was found."
    app.command(demo, name="demo", help=help_text(summary, EXAMPLES))


def demo(
    *,
    run: Annotated[Path, Parameter(name="--run", help="Run folder.")] = Path("runs/demo"),
    model: Annotated[str, Parameter(help="Model spec.")] = "demo:gemma-3-270m",
    directions: Annotated[
        tuple[str, ...], Parameter(help="Directions.", consume_multiple=True, negative="", show_default=" ".join)
    ] = DIRECTIONS,
    limit_concepts: Annotated[int | None, Parameter(help="Score and trace only this many concepts.")] = None,
) -> None:
    """Run the demo."""
    from pivotlens.report import most_telling_items, render_items, render_summary

    content = {
        "model": model,
        "corpus": "demo:tatoeba",
        "directions": list(directions),
        "bench": {"words": "everyday-nouns"},
        "score": {"shot_sets": 3},
        "count": {"workers": min(2, os.cpu_count() or 1)},
        "select": {"workers": min(2, os.cpu_count() or 1), "budget_tokens": 20_000},
        "report": {"title": "pivotlens demo"},
    }
    if limit_concepts is not None:
        content["score"] = {"shot_sets": 3, "limit_concepts": limit_concepts}
        content["trace"] = {"limit_concepts": limit_concepts}
    run_pipeline(Pipeline.from_mapping(content, "demo", run), as_json=False, dry_run=False)
    console = results_console()
    console.print(render_summary(run))
    for renderable in render_items(most_telling_items(run, 5)):
        console.print(renderable)
    console.print(f"\nOpen {(run / 'report' / 'report.html').resolve()} in a browser.", markup=False, soft_wrap=True)
