"""The verbs of the stages: flags come from the settings' fields, so help cannot drift from them.

Annotations are values here, not text: cyclopts reads the flags from them.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

from cyclopts import App, Group, Parameter
from pydantic import create_model

from pivotlens.cli.terminal import print_json, results_console, watch_progress
from pivotlens.errors import ArtifactError, ConfigError
from pivotlens.pipeline import Pipeline
from pivotlens.settings.base import StageConfig, is_list
from pivotlens.stage import Stage
from pivotlens.stages import STAGES
from pivotlens.text import escape_controls

if TYPE_CHECKING:
    from pivotlens.artifacts import StageResult

_RUN = Parameter(name="--run", help="Run folder: earlier stages are read from it, this one written.")
RunFolder = Annotated[Path, _RUN]
ConfigFile = Annotated[Path | None, Parameter(name="--config", help="TOML file with settings; see `pivotlens init`.")]
Json = Annotated[bool, Parameter(name="--json", help="Put one JSON object on stdout.", negative="", show_default=False)]
Replace = Annotated[
    bool,
    Parameter(
        name="--replace", help="Replace a finished result that other settings gave.", negative="", show_default=False
    ),
]
DryRun = Annotated[
    bool,
    Parameter(name="--dry-run", help="Say what would run and why; do nothing.", negative="", show_default=False),
]


@Parameter(name="*")
@dataclass(frozen=True)
class Handling:
    """How a stage is run and shown, whatever its settings."""

    replace: Replace = False
    json: Json = False
    dry_run: DryRun = False


_ORDINARY = Handling()
_STAGE_VERBS = Group("Stages, in the order of work", sort_key=2)


def flags_class(config: type[StageConfig]) -> Any:
    """Return a class with a flag for every setting, None where it was not given; limits are checked later."""
    fields: dict[str, Any] = {}
    for name, field in config.model_fields.items():
        default = field.default
        shown = (
            None
            if default is False or default in (None, "", ())
            else " ".join(map(str, default))
            if is_list(field)
            else default
        )
        parameter = Parameter(
            help=field.description,
            show_default=_constant(shown) if shown is not None else False,
            consume_multiple=is_list(field),
            negative="",
        )
        fields[name] = (Annotated[Optional[field.annotation], parameter], None)  # noqa: UP045 - it is a value
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
    for place, stage in enumerate(STAGES.values()):
        add_stage_verb(app, stage, place)


def add_stage_verb(app: App, stage: Stage[Any, Any], place: int = 0) -> None:
    """Add the verb of a stage; help lists it at its place in the order of work."""
    flags_type = flags_class(stage.config)

    def command(
        *,
        run: RunFolder,
        config: ConfigFile = None,
        flags: Annotated[flags_type | None, Parameter(name="*")] = None,  # type: ignore[valid-type]
        handling: Handling = _ORDINARY,
    ) -> None:
        _run_stage(Pipeline.of_stage(stage.name, run, config, given(flags)), stage.name, handling)

    said = help_text(cleandoc(str(stage.config.__doc__)), stage.examples)
    app.command(command, name=stage.name, group=_STAGE_VERBS, sort_key=place, help=said)


def _run_stage(pipeline: Pipeline, name: str, handling: Handling) -> None:
    console = watch_progress()
    (plan,) = pipeline.plan()
    reason = plan.reason
    # A report is drawn again in seconds; whatever else is there may have taken hours.
    differing = () if handling.replace or name == "report" else plan.differing
    if differing and not handling.dry_run:
        raise ConfigError(
            f"{plan.folder} holds a finished result of other settings ({'; '.join(differing)})",
            "Choose another --run folder, or pass --replace to put the new result in its place.",
        )
    if differing:
        reason = f"{reason} (only with --replace: the finished result is of other settings)"
    if handling.dry_run:
        estimate = STAGES[name].estimated(plan)
        if handling.json:
            state = {"stage": name, "would_run": reason is not None, "reason": reason or "the result is there and fits"}
            print_json(state | ({} if estimate is None else {"estimate": asdict(estimate)}))
        else:
            for line in (describe(name, reason), *(f"  {told}" for told in (estimate.lines() if estimate else ()))):
                results_console().print(line, soft_wrap=True, markup=False)
        return
    if console.is_terminal or reason is None:
        console.print(describe(name, reason), soft_wrap=True, markup=False)
    result = pipeline.run(plans=[plan])[name]
    if handling.json:
        print_json(result_object(result, reused=reason is None))
    else:
        show_result(result)


def describe(name: str, reason: str | None) -> str:
    """Return a line that says what happens to a stage and why."""
    return f"{name:<10} reused: the result is there and fits" if reason is None else f"{name:<10} runs: {reason}"


def result_object(result: "StageResult", *, reused: bool) -> dict[str, Any]:
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


def _shares(result: "StageResult") -> dict[str, list[dict[str, Any]]]:
    """Return the shares of a trace over all items, and what its semantic pivots are written in."""
    return {
        "strata": [row for row in result.rows("strata") if row["stratum"] == "all"],
        "pivot_languages": [row for row in result.rows("pivot_languages") if row["item_set"] == "all"],
    }


def show_result(result: "StageResult") -> None:
    """Print what a stage left behind."""
    from pivotlens.report.terminal import headline_lines  # needs pyarrow, which help does without

    console = results_console()
    manifest = result.manifest
    console.print(f"{manifest.stage}: {result.folder}", markup=False, soft_wrap=True)
    width = max(map(len, manifest.outputs), default=0)
    for name, output in manifest.outputs.items():
        rows = "" if output.rows is None else f"{output.rows:,} rows"
        console.print(f"  {name:<{width}} {rows:>16} {output.bytes:>14,} bytes", markup=False, soft_wrap=True)
    try:
        lines = headline_lines(result)
    except ArtifactError as error:  # of another version: what else the run folder holds is shown all the same
        lines = [f"{error.message}. {error.hint}"]
    for line in lines:
        console.print(f"  {line}", markup=False, soft_wrap=True)
    for warning in manifest.warnings:
        console.print(f"  Warning: {escape_controls(warning)}", markup=False, soft_wrap=True)
