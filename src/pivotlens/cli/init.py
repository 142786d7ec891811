"""`pivotlens init`: a commented configuration file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from pivotlens.cli.terminal import results_console
from pivotlens.cli.verbs import help_text
from pivotlens.errors import ConfigError
from pivotlens.pipeline import stage_configs
from pivotlens.settings.template import toml_template

EXAMPLES = (
    "pivotlens init pivotlens.toml",
    "pivotlens init small.toml --model demo:smollm2-135m --directions en-fr fr-en",
)


def add(app: App) -> None:
    """Add the verb."""
    app.command(init, name="init", help=help_text("Write a commented configuration file with every setting.", EXAMPLES))


def shared_settings(model: str, corpus: str, directions: tuple[str, ...]) -> dict[str, tuple[Any, str]]:
    """Return the settings at the top of a file, each with its comment."""
    return {
        "model": (model, "The model that translates and whose tokenizer cuts the corpus."),
        "corpus": (corpus, "What is counted and selected from: JSON lines or Parquet."),
        "directions": (list(directions), "Translation directions; [] means all pairs of the benchmark."),
        "seed": (0, "Seed of every stage."),
    }


def init(
    path: Annotated[Path, Parameter(help="File to write.")] = Path("pivotlens.toml"),
    *,
    model: Annotated[str, Parameter(help="Model spec.")] = "demo:gemma-3-270m",
    corpus: Annotated[str, Parameter(help="Corpus spec.")] = "demo:tatoeba",
    directions: Annotated[
        tuple[str, ...], Parameter(help="Directions.", consume_multiple=True, negative="", show_default=" ".join)
    ] = (
        "en-fr",
        "fr-zh",
        "zh-fr",
    ),
    force: Annotated[bool, Parameter(help="Write over a file that is there.", negative="", show_default=False)] = False,
) -> None:
    """Write the file."""
    from pivotlens.artifacts.files import write_bytes

    if path.exists() and not force:
        raise ConfigError(f"{path} exists already", "Choose another name, or pass --force to write over it.")
    write_bytes(path, toml_template(stage_configs(), shared_settings(model, corpus, directions)).encode())
    results_console().print(f"Wrote {path}. Next: pivotlens run --config {path}", soft_wrap=True, markup=False)
