"""What `pivotlens evaluate` reads: models, the harness, local data, tasks of the user's own."""

from __future__ import annotations

import hashlib
from importlib import metadata, resources, util
from pathlib import Path

from pivotlens.artifacts import RunFolder, Source, read_manifest, sha256_of_file
from pivotlens.artifacts.files import expanded
from pivotlens.artifacts.fingerprint import canonical_json
from pivotlens.errors import ConfigError, PrerequisiteError
from pivotlens.evaluate.chosen import ChosenTasks, chosen_tasks, local_data, named_tasks, refuse_unknown
from pivotlens.evaluate.config import EvaluateConfig
from pivotlens.extras import install_hint
from pivotlens.models.resolve import model_input

HARNESS = "lm-evaluation-harness"
_KINDS = (".yaml", ".yml", ".py", ".jsonl", ".json")


def inputs(config: EvaluateConfig, near: RunFolder) -> dict[str, str | Source]:
    """Return the fingerprints of the models, of the harness with its tasks, and of local data.

    The harness's version stands for its tasks, and the files of pivotlens's tasks for those.

    Raises:
        ConfigError: There is no such task, none in these languages, or no such folder of tasks.
        DataError: Local data is not there.
        PrerequisiteError: A model is not there, or the harness is not installed.
        ModelError: A model is no usable one.
    """
    found: dict[str, str | Source] = {HARNESS: _harness_version(config, near)}
    chosen = chosen_tasks(config)
    first, *others = config.models()
    found |= {"model": model_input(first, near)} | {f"model {spec}": model_input(spec, near) for spec in others}
    if any(name.startswith("pivotlens") for name in chosen.tasks):
        with resources.as_file(resources.files("pivotlens") / "harness") as folder:
            found["tasks of pivotlens"] = _content(folder)
    if config.include_path:
        folder = expanded(config.include_path)
        if not folder.is_dir():
            raise ConfigError(f"include_path = {config.include_path!r} is no folder", "Give a folder with YAML files.")
        found["include_path"] = _content(folder)
    if chosen.others:
        _check_names(chosen, config)
    for task, data in local_data(config, chosen.tasks).items():
        found |= {
            f"data of {task}{f', {split}' if split else ''}": sha256_of_file(path) for split, path in data.files.items()
        }
    return found


def _check_names(chosen: ChosenTasks, config: EvaluateConfig) -> None:
    harness = util.find_spec("lm_eval")
    if harness is not None and harness.origin is not None:  # without it a finished result is there, and was checked
        own = (expanded(config.include_path),) if config.include_path else ()
        refuse_unknown(chosen, named_tasks(Path(harness.origin).parent / "tasks", *own))


def _harness_version(config: EvaluateConfig, near: RunFolder) -> str:
    """Return the version that is installed; without one, that of the finished result, which needs it no more."""
    try:
        return metadata.version("lm-eval")
    except metadata.PackageNotFoundError as error:
        manifest = read_manifest(near.path / config.stage)
        if manifest is None or HARNESS not in manifest.inputs:
            raise PrerequisiteError(
                f"`pivotlens {config.stage}` needs lm_eval, which is not installed", install_hint(config.extra)
            ) from error
        return manifest.inputs[HARNESS]


def _content(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.suffix in _KINDS)
    content = [[path.relative_to(folder).as_posix(), sha256_of_file(path)] for path in files]
    return hashlib.sha256(canonical_json(content)).hexdigest()
