"""The verbs of the stages: flags come from the settings' fields, so help cannot drift from them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter
from pydantic import create_model

from pivotlens.errors import ConfigError
from pivotlens.settings.base import StageConfig
from pivotlens.stages import STAGES

if TYPE_CHECKING:
    from pivotlens.artifacts import StageResult

_RUN = Parameter(name="--run", help="Run folder: earlier stages are read from it, this one written.")
RunFolder = Annotated[Path, _RUN]
ConfigFile = Annotated[Path | None, Parameter(name="--config", help="TOML file with settings; see `pivotlens init`.")]
Json = Annotated[bool, Parameter(name="--json", help="Put one JSON object on stdout.", negative="")]
Replace = Annotated[
    bool,
    Parameter(name="--replace", help="Replace a finished result that other settings gave.", negative=""),
]
DryRun = Annotated[bool, Parameter(name="--dry-run", help="Say what would run and why; do nothing.", negative="")]

Compare = Annotated[
    tuple[str, ...] | None,
    Parameter(
        name="--compare",
        help="Compare two finished scores item by item instead: two run folders, or two models (MODEL or MODEL:PROMPT) "
        "of the run folder.",
        consume_multiple=True,
        negative="",
    ),
]

EXAMPLES: dict[str, tuple[str, ...]] = {
    "bench": (
        "pivotlens bench --run runs/first",
        "pivotlens bench --run runs/mine --words my-words.tsv --languages en fr",
    ),
    "count": (
        "pivotlens count --run runs/first --tokenizer demo:gemma-3-270m --workers 2",
        "pivotlens count --run runs/mine --corpus 'data/*.jsonl.zst' --tokenizer allenai/OLMo-2-0425-1B",
    ),
    "mine": (
        "pivotlens mine --run runs/first --directions fr-zh",
        "pivotlens mine --run runs/first --mode paper --replace",
    ),
    "score": (
        "pivotlens score --run runs/first --model demo:smollm2-135m --directions en-fr fr-en",
        "pivotlens score --run runs/mine --model allenai/OLMo-2-0425-1B@main --also-models allenai/OLMo-2-0425-1B",
        "pivotlens score --compare runs/first runs/mine",
    ),
    "lens": (
        "pivotlens lens --run runs/first --model demo:gemma-3-270m",
        "pivotlens lens --run runs/mine --model ./my-model --corpus 'data/*.jsonl.zst' --tokens 100000 --steps 200",
    ),
    "trace": (
        "pivotlens trace --run runs/first --model demo:gemma-3-270m --directions fr-zh",
        "pivotlens trace --run runs/mine --model ./my-model --prompt native --threshold 0.1",
    ),
    "ablate": ("pivotlens ablate --run runs/first", "pivotlens ablate --run runs/mine --max-items 100 --doses 0.5 1 2"),
    "attribute": (
        "pivotlens attribute --run runs/first",
        "pivotlens attribute --run runs/first --min-items 30 --replace",
    ),
    "select": (
        "pivotlens select --run runs/first --tokenizer demo:gemma-3-270m --budget-tokens 50000",
        "pivotlens select --run runs/mine --corpus data/ --tokenizer ./my-model --modes top",
    ),
    "report": (
        "pivotlens report --run runs/first --title 'My model, fr and zh'",
        "pivotlens report --run runs/first --format html md --name english --beside native=runs/native",
    ),
}


def flags_class(config: type[StageConfig]) -> Any:
    """Return a class with a flag for every setting, None where it was not given; limits are checked later."""
    fields: dict[str, Any] = {}
    for name, field in config.model_fields.items():
        is_list = str(field.annotation).startswith("tuple")
        default = field.default
        shown = None if default in (None, "", ()) else " ".join(map(str, default)) if is_list else default
        parameter = Parameter(
            help=field.description,
            show_default=_constant(shown) if shown is not None else False,
            consume_multiple=is_list,
            negative="",
        )
        kind = field.annotation if "None" in str(field.annotation) else field.annotation | None  # type: ignore[operator]
        fields[name] = (Annotated[kind, parameter], None)
    return create_model(f"{config.__name__}Flags", **fields)


def _constant(shown: Any) -> Callable[[Any], Any]:
    return lambda _: shown


def given(flags: Any) -> dict[str, Any]:
    """Return the settings that were given on the command line."""
    return {} if flags is None else {key: value for key, value in flags.model_dump().items() if value is not None}


def help_text(summary: str, examples: tuple[str, ...]) -> str:
    """Return a verb's help: what it does, and examples to copy."""
    lines = "".join(f"  {example}\n" for example in examples)
    return f"{summary}\n\nTo copy:\n{lines}"


def add_stage_verbs(app: App) -> None:
    """Add a verb for every stage."""
    for name in STAGES:
        _add(app, name)


def _add(app: App, name: str) -> None:
    config_class = STAGES[name].config_class
    flags_type = flags_class(config_class)

    def command(*, run, config=None, flags=None, replace=False, json=False, dry_run=False):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
        _run_stage(name, run, config, given(flags), replace=replace, as_json=json, dry_run=dry_run)

    def score_command(*, run=None, compare=None, config=None, flags=None, replace=False, json=False, dry_run=False):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
        if compare is not None:
            unused = ["--replace"] * replace + ["--dry-run"] * dry_run + ["--config"] * (config is not None)
            _compare(compare, run, given(flags), unused, as_json=json)
        elif run is None:
            raise ConfigError('Command "score" parameter "--run" requires an argument.', "Name the run folder.")
        else:
            _run_stage(name, run, config, given(flags), replace=replace, as_json=json, dry_run=dry_run)

    annotations = {
        "config": ConfigFile,
        "flags": Annotated[flags_type | None, Parameter(name="*")],
        "replace": Replace,
        "json": Json,
        "dry_run": DryRun,
        "return": None,
    }
    command.__annotations__ = {"run": RunFolder, **annotations}
    score_command.__annotations__ = {
        "run": Annotated[Path | None, _RUN],
        "compare": Compare,
        **annotations,
    }
    chosen = score_command if name == "score" else command
    app.command(chosen, name=name, help=help_text(str(config_class.__doc__), EXAMPLES[name]))


def _compare(
    names: tuple[str, ...], run: Path | None, flags: dict[str, Any], unused: list[str], *, as_json: bool
) -> None:
    from pivotlens.cli.compare import compare
    from pivotlens.score.config import ScoreConfig

    unused = [f"--{key.replace('_', '-')}" for key in flags if key not in ("bootstrap", "seed")] + unused
    if unused:
        raise ConfigError(
            f"{unused[0]} does not go with --compare",
            "It reads finished scores: give --run, --bootstrap, --seed or --json.",
        )
    settings = ScoreConfig.build({"command line": flags})
    compare(list(names), run, bootstrap=settings.bootstrap, seed=settings.seed, as_json=as_json)


def _run_stage(
    name: str, run: Path, file: Path | None, flags: dict[str, Any], *, replace: bool, as_json: bool, dry_run: bool
) -> None:
    from pivotlens.cli.terminal import print_json, results_console, watch_progress
    from pivotlens.pipeline import stage_configs
    from pivotlens.settings.sources import check_environment, origins, read_toml, settings_layers

    classes = stage_configs()
    check_environment(classes)
    content = {} if file is None else read_toml(file, classes)
    layers = settings_layers(classes[name], content, str(file or "defaults"), flags)
    settings = classes[name].build(layers)
    stage = STAGES[name]
    console = watch_progress()
    planned = stage.plan(settings, run, None, origins(layers))
    reason = planned.reason_to_run()
    # A report is drawn again in seconds; whatever else is there may have taken hours.
    differing = [] if replace or name == "report" else planned.other_settings()
    if differing and not dry_run:
        raise ConfigError(
            f"{planned.folder} holds a finished result of other settings ({'; '.join(differing)})",
            "Choose another --run folder, or pass --replace to put the new result in its place.",
        )
    if differing:
        reason = f"{reason} (only with --replace: the finished result is of other settings)"
    if dry_run:
        state = {"stage": name, "would_run": reason is not None, "reason": reason or "the result is there and fits"}
        if as_json:
            print_json(state)
        else:
            results_console().print(describe(name, reason), soft_wrap=True, markup=False)
        return
    if console.is_terminal or reason is None:
        console.print(describe(name, reason), soft_wrap=True, markup=False)
    result = stage.run(settings, run, origins(layers))
    if as_json:
        print_json(result_object(result, reused=reason is None))
    else:
        show_result(result)


def describe(name: str, reason: str | None) -> str:
    """Return a line that says what happens to a stage and why."""
    return f"{name:<10} reused: the result is there and fits" if reason is None else f"{name:<10} runs: {reason}"


def result_object(result: StageResult, *, reused: bool) -> dict[str, Any]:
    """Return what ``--json`` prints of a stage."""
    manifest = result.manifest
    return {
        "stage": manifest.stage,
        "folder": str(result.folder),
        "fingerprint": manifest.fingerprint,
        "reused": reused,
        "outputs": {name: output.rows for name, output in manifest.outputs.items()},
        "details": manifest.details,
        "warnings": manifest.warnings,
        **({"shares": _shares(result)} if result.stage == "trace" else {}),
    }


def _shares(result: StageResult) -> dict[str, list[dict[str, Any]]]:
    """Return the shares of a trace over all items, and what its semantic pivots are written in."""
    return {
        "strata": [row for row in result.rows("strata") if row["stratum"] == "all"],
        "pivot_languages": [row for row in result.rows("pivot_languages") if row["items"] == "all"],
    }


def show_result(result: StageResult) -> None:
    """Print what a stage left behind."""
    from pivotlens.cli.terminal import results_console
    from pivotlens.report.terminal import headline_lines
    from pivotlens.text import escape_controls

    console = results_console()
    manifest = result.manifest
    console.print(f"{manifest.stage}: {result.folder}", markup=False, soft_wrap=True)
    for name, output in manifest.outputs.items():
        rows = "" if output.rows is None else f"{output.rows:,} rows"
        console.print(f"  {name:<34} {rows:>16} {output.bytes:>14,} bytes", markup=False, soft_wrap=True)
    for line in headline_lines(result):
        console.print(f"  {line}", markup=False, soft_wrap=True)
    for warning in manifest.warnings:
        console.print(f"  Warning: {escape_controls(warning)}", markup=False, soft_wrap=True)
