"""What the two names of `pivotlens compare` mean: samples of the harness, a run folder, or a model of a run."""

from __future__ import annotations

from pathlib import Path

from pivotlens.artifacts import Evaluation, Scores
from pivotlens.artifacts.files import expanded
from pivotlens.comparison.harness_files import holds_samples
from pivotlens.comparison.harness_samples import sample_side
from pivotlens.comparison.sides import Side
from pivotlens.errors import ConfigError, did_you_mean
from pivotlens.score.side import scored_models, scored_side


def open_side(name: str, run: Path | None, cluster_field: str) -> Side:
    """Return what a name means.

    Args:
        name: As the user wrote it.
        run: The run folder given beside it, or None.
        cluster_field: Field of a document that names its cluster; empty for what is known of the task.

    Raises:
        ConfigError: It means nothing that can be compared.
        DataError: A file is damaged.
    """
    if run is not None and (side := _of_run(run, name, cluster_field)) is not None:
        return side
    if (side := _of_run(expanded(name), "", cluster_field)) is not None:
        return side
    if holds_samples(name):
        return sample_side(name, Path(name).name or name, cluster_field)
    if run is not None:
        models = [model for model, _ in _models(run)]
        raise ConfigError(
            f"{name!r} is neither a run folder, nor a folder with samples, nor a model scored or evaluated in {run}",
            f"{did_you_mean(name, models)} Write MODEL:PROMPT for another prompt."
            if models
            else f"Run a model in {run}.",
        )
    raise ConfigError(
        f"{name!r} is no run folder with a finished `score` or `evaluate`, and holds no samples_*.jsonl",
        "Give a folder that `lm_eval run --log_samples --output_path` wrote, or `--run RUN` and two of its models.",
    )


def _models(run: Path) -> list[tuple[str, str]]:
    """Return the models of a run with their prompts, empty for what has none, the first one first."""
    scores, evaluation = Scores.load_if_there(run), Evaluation.load_if_there(run)
    scored = scored_models(scores) if scores is not None else []
    return [*scored, *((model, "") for model in (evaluation.models if evaluation is not None else ()))]


def _of_run(run: Path, name: str, cluster_field: str) -> Side | None:
    """Return a model of a run as it was scored and evaluated; the first one without a name; None where it has none.

    Args:
        run: The run folder.
        name: MODEL, MODEL:PROMPT or nothing.
        cluster_field: As in `open_side`.
    """
    known = _models(run) if run.is_dir() else []
    if not known:
        return None
    wanted = name or known[0][0]
    model, prompt = next(((one, "") for one, _ in known if one == wanted), (wanted, ""))
    if (model, prompt) not in ((one, "") for one, _ in known):
        found = next((one for one in known if ":".join(one) == wanted), None)
        if found is None:
            return None
        model, prompt = found
    sides = []
    scores, evaluation = Scores.load_if_there(run), Evaluation.load_if_there(run)
    if scores is not None and (asked := next((p for m, p in scored_models(scores) if m == model and prompt in ("", p)),
                                             None)):  # fmt: skip
        sides.append(scored_side(scores, model, asked))
    if evaluation is not None and not prompt and model in evaluation.models:
        sides.append(sample_side(str(evaluation.samples(model)), model, cluster_field))
    title = sides[0].name if len(sides) == 1 else model
    tasks = {task: values for side in sides for task, values in side.tasks.items()}
    return Side(title, str(run), tasks, tuple(note for side in sides for note in side.notes))
