"""The evaluate stage: models and tasks in, the harness's own files and tables of them out; alone calls the harness."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import lm_eval
import lm_eval.evaluator
import lm_eval.models.huggingface
import lm_eval.tasks
import numpy as np
import torch

from pivotlens.artifacts.files import expanded
from pivotlens.comparison.families import FAMILIES
from pivotlens.errors import DataError, ModelError, PrerequisiteError
from pivotlens.evaluate.chosen import ChosenTasks, LocalData, chosen_tasks, local_data, refuse_unknown, why_unreadable
from pivotlens.evaluate.config import EvaluateConfig
from pivotlens.evaluate.kept import KeptResults
from pivotlens.evaluate.tables import write_tables
from pivotlens.harness.config import OPTIONS_KEY, read_options
from pivotlens.models.load import LoadedModel, load_model
from pivotlens.progress import announce, track
from pivotlens.stage import Work

_TASKS = Path(lm_eval.__file__).parent / "tasks"
_SPLITS = ("training_split", "validation_split", "test_split", "fewshot_split")
_GROUP = "pivotlens-local"


def run(work: Work[EvaluateConfig]) -> dict[str, Any]:
    """Evaluate every model in every task."""
    config, writer = work.config, work.writer
    harness = _Harness.of(config, work.workspace.parts_folder("data"))
    kept = KeptResults(work.workspace.parts_folder("tasks"), config.models())
    for number, spec in enumerate(config.models()):
        missing = [task for task in harness.names if not kept.has(number, task)]
        if missing or not kept.has_details(number):
            _evaluate_model(work, harness, kept, number, missing)
        for warning in kept.details(number)["warnings"]:
            writer.warn(f"{spec}: {warning}")
        for task in harness.names:
            if count := kept.results(number, task)["cut_prompts"]:
                writer.warn(f"{spec}: {count:,} prompts of {task} are longer than the model's context: the harness cut "
                            "their beginnings off")  # fmt: skip
    if config.limit_documents is not None:
        writer.warn(f"only the first {config.limit_documents:,} documents of each task were evaluated "
                    "(--limit-documents)")  # fmt: skip
    folders = kept.write(writer, harness.names, config, lm_eval.__version__)
    write_tables(writer, kept, harness.names, config)
    loaded = [kept.details(number)["loaded"] for number in range(len(config.models()))]
    return {
        **loaded[0],
        "also_models": loaded[1:],
        "harness": lm_eval.__version__,
        "tasks": list(harness.names),
        "folders": folders,
    }


def _evaluate_model(
    work: Work[EvaluateConfig], harness: _Harness, kept: KeptResults, number: int, missing: Sequence[str]
) -> None:
    config = work.config
    spec = config.models()[number]
    loaded = load_model(spec, config.dtype, config.device, work.near)
    kept.write_details(number, {"loaded": loaded.details(), "warnings": list(loaded.warnings)})
    model = lm_eval.models.huggingface.HFLM(
        pretrained=loaded.model, tokenizer=loaded.tokenizer, batch_size=config.batch_size, softmax_dtype="float32"
    )
    for task in track(missing, f"evaluate {spec}", len(missing)):
        of_harness = _prepared(harness.task(task, loaded), config)
        with _cut_prompts() as cut, _quiet_harness(), _refused(f"{spec} in {task}"):
            # What `simple_evaluate` calls: that also asks the machine for its environment, seconds a task.
            found = lm_eval.evaluator.evaluate(
                lm=model,
                task_dict={"tasks": {task: of_harness}},
                limit=config.limit_documents,
                bootstrap_iters=config.bootstrap,
            )
        _refuse_nan(spec, task, found["samples"][task])
        kept.keep(number, task, found, cut_prompts=len(cut))


def _prepared(task: Any, config: EvaluateConfig) -> Any:
    """Return a task with the seeds and shots of the settings, set as the harness's `simple_evaluate` sets them."""
    random.seed(config.seed)
    np.random.seed(config.seed)
    torch.manual_seed(config.seed)
    own = task.get_config("num_fewshot")
    # A task that says 0 cannot be given any, such as those of pivotlens, whose prompts have theirs.
    if own != 0 and (config.shots is not None or own is None):
        task.set_config(key="num_fewshot", value=config.shots or 0)
    task.set_fewshot_seed(seed=config.seed)
    return task


@dataclass(frozen=True)
class _Harness:
    """The harness's list of tasks, and those that are evaluated.

    Attributes:
        config: The settings.
        manager: The harness's own list.
        names: Of the tasks, in order; groups that were named are resolved.
        loaded: Those whose documents do not hang on a model.
        options: Of the tasks of pivotlens.
    """

    config: EvaluateConfig
    manager: Any
    names: tuple[str, ...]
    loaded: Mapping[str, Any]
    options: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, config: EvaluateConfig, cache: Path) -> _Harness:
        """Read the list of tasks, and load the data of all that need no model.

        Args:
            config: The settings.
            cache: Where local data is converted to what the harness reads.

        Raises:
            ConfigError: There is no such task or option.
            DataError: Local data cannot be read.
            PrerequisiteError: Data on the hub cannot be reached.
        """
        chosen = chosen_tasks(config)
        data = local_data(config, chosen.tasks)
        manager = _manager(config, chosen)
        loaded: dict[str, Any] = {}
        names: dict[str, None] = {}
        for name in chosen.tasks:
            if name in FAMILIES["pivotlens"].tasks:
                names[name] = None
                continue
            found = _load(manager, name, data.get(name), cache)
            loaded |= found
            names |= dict.fromkeys(found)
        return cls(config, manager, tuple(names), loaded, _options(config))

    def task(self, name: str, loaded: LoadedModel) -> Any:
        """Return a task of the harness; a model's tokenizer decides the documents of those of pivotlens."""
        if name in self.loaded:
            return self.loaded[name]
        metadata = {"tokenizer": loaded.tokenizer, OPTIONS_KEY: self.options}
        manager = lm_eval.tasks.TaskManager(include_path=_own_tasks(), include_defaults=False, metadata=metadata)
        return manager.load([name])["tasks"][name]


def _own_tasks() -> str:
    return str(resources.files("pivotlens.harness") / "tasks")


def _manager(config: EvaluateConfig, chosen: ChosenTasks) -> Any:
    """Return the harness's list of tasks: of the folders that are needed, as all of it takes long to read."""
    own = [config.include_path and str(expanded(config.include_path))] if config.include_path else []
    manager = lm_eval.tasks.TaskManager(
        include_path=[*(str(_TASKS / folder) for folder in chosen.folders), *own, _own_tasks()], include_defaults=False
    )
    if any(name not in manager.all_tasks for name in chosen.others):
        announce("Reading the whole list of tasks of lm-evaluation-harness, which takes a while")
        manager = lm_eval.tasks.TaskManager(include_path=[*own, _own_tasks()])
        refuse_unknown(chosen, manager.all_tasks)
    return manager


def _options(config: EvaluateConfig) -> dict[str, Any]:
    given: dict[str, Any] = {"seed": config.seed}
    if config.shots is not None:
        given["shots"] = config.shots
    if config.limit_documents is not None:
        given["limit_concepts"] = config.limit_documents
    given |= config.pairs("options")
    return {name: getattr(read_options({OPTIONS_KEY: given}), name) for name in given}


def _load(manager: Any, name: str, data: LocalData | None, cache: Path) -> dict[str, Any]:
    """Load a task, or those of a group, with its documents.

    Raises:
        DataError: Local data cannot be read.
        PrerequisiteError: Data on the hub cannot be reached.
    """
    wanted: object = name
    if data is not None:
        wanted = {"group": _GROUP, "task": [{"task": name, **_overrides(manager, name, data, cache)}]}
    try:
        with _quiet_harness():
            found: dict[str, Any] = manager.load([wanted])["tasks"]
    except Exception as error:  # the harness and what it calls raise whatever they raise
        if data is not None:
            raise DataError(
                f"the data of {name} cannot be read: {why_unreadable(data, error)}",
                "Copy it again where it is damaged; its columns must be those of the task's data on the hub.",
            ) from error
        said = str(error).strip().partition("\n")[0]
        raise PrerequisiteError(
            f"the task {name} cannot be loaded: {said}",
            f"Connect to the network, or give its data with --data '{name}=PATH'.",
        ) from error
    return found


def _overrides(manager: Any, name: str, data: LocalData, cache: Path) -> dict[str, Any]:
    """Return what of a task's configuration is another where its data is local."""
    task = manager.task_index[name].cfg
    evaluated = task.get("test_split") or task.get("validation_split")
    files = {split or evaluated: str(path) for split, path in data.files.items()}
    if evaluated not in files:
        raise DataError(
            f"the data of {name} has no split {evaluated!r}, which is the one that is evaluated",
            f"Name a file {evaluated}.jsonl, or give the file itself instead of its folder. There are: "
            f"{', '.join(files)}.",
        )
    left = {key: None for key in _SPLITS if task.get(key) and task[key] not in files}
    kwargs = {"data_files": files, "cache_dir": str(cache)}
    return {"dataset_path": data.format, "dataset_name": None, "dataset_kwargs": kwargs, **left}


@contextlib.contextmanager
def _quiet_harness() -> Iterator[None]:
    """Keep the harness off stdout, where results go, and its bootstrap in this process."""
    key = "DISABLE_MULTIPROC"
    before = os.environ.get(key)
    os.environ[key] = "1"
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        if before is None:
            del os.environ[key]
        else:
            os.environ[key] = before


@contextlib.contextmanager
def _cut_prompts() -> Iterator[list[str]]:
    """Yield what the harness says of prompts that it cuts, as they are longer than the model's context."""
    said: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            message = record.getMessage()
            if "runcat" in message:
                said.append(message)

    logger, listener = logging.getLogger("lm_eval"), Listener(logging.WARNING)
    logger.addHandler(listener)
    try:
        yield said
    finally:
        logger.removeHandler(listener)


@contextlib.contextmanager
def _refused(what: str) -> Iterator[None]:
    """Turn what the harness asserts of documents into an error of ours; ours and out of memory go through."""
    try:
        yield
    except (AssertionError, KeyError, IndexError, ValueError, TypeError) as error:
        raise DataError(
            f"lm-evaluation-harness cannot evaluate {what}: {type(error).__name__}: {error}",
            "Where its data is local, its columns must be those of the task's data on the hub; where a document is "
            "empty or longer than the model's context, leave it out.",
        ) from error


def _refuse_nan(spec: str, task: str, samples: Sequence[Mapping[str, Any]]) -> None:
    """Refuse a model that gives NaN: the harness would call the first answer the best one.

    Raises:
        ModelError: It does.
    """
    for sample in samples:
        numbers = [value for one in sample["filtered_resps"] for value in (one if isinstance(one, tuple) else (one,))]
        if any(isinstance(value, float) and math.isnan(value) for value in numbers):
            raise ModelError(
                f"{spec} gives NaN on document {sample['doc_id']} of {task}",
                "Try --dtype float32; if it stays, the weights are damaged.",
            )
