"""The harness's own files of every model and task: kept as parts, then in the result as others' tools read them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from pivotlens.artifacts import ResultWriter, sha256_of_file, write_bytes
from pivotlens.artifacts.manifest import Output
from pivotlens.errors import ConfigError
from pivotlens.evaluate.config import EvaluateConfig

# The harness writes the time of a run into names; a result holds no times, so that it is the same whenever it is made.
TIME = "1970-01-01T00-00-00.000000"
_OF_A_TASK = ("results", "versions", "n-shot", "n-samples", "higher_is_better")


@dataclass(frozen=True)
class KeptResults:
    """What is finished, a part a model and task.

    Attributes:
        folder: Where the parts lie.
        models: Specs of the models, by number.
    """

    folder: Path
    models: tuple[str, ...]

    def samples(self, model: int, task: str) -> Path:
        """Return the file of a task's samples; it is there where `has` says so."""
        return self.folder / str(model) / f"samples_{_safe(task)}_{TIME}.jsonl"

    def has(self, model: int, task: str) -> bool:
        """Tell whether a model was evaluated in a task."""
        return self._results(model, task).exists()

    def keep(self, model: int, task: str, found: Mapping[str, Any], *, cut_prompts: int) -> None:
        """Keep what the harness found, the results last.

        Args:
            model: Number of the model.
            task: The task.
            found: What the harness's `evaluate` returned for it alone.
            cut_prompts: How many prompts the harness cut, as they were too long.
        """
        samples = found["samples"][task]
        lines = "".join(json.dumps(_as_saved(one), default=_plain, ensure_ascii=False) + "\n" for one in samples)
        write_bytes(self.samples(model, task), lines.encode("utf-8", "backslashreplace"))
        of_task = {name: found[name].get(task) for name in _OF_A_TASK}
        of_task |= {"documents": len(samples), "cut_prompts": cut_prompts}
        text = json.dumps(of_task, default=_plain, ensure_ascii=False)
        write_bytes(self._results(model, task), text.encode("utf-8", "backslashreplace"))

    def results(self, model: int, task: str) -> dict[str, Any]:
        """Return what the harness said of a task: ``results``, ``versions``, ``n-shot`` and the like."""
        found: dict[str, Any] = json.loads(self._results(model, task).read_bytes())
        return found

    def write_details(self, model: int, details: Mapping[str, Any]) -> None:
        """Keep what is to be known of a model when it is not loaded any more."""
        write_bytes(self._details(model), orjson.dumps(details))

    def has_details(self, model: int) -> bool:
        """Tell whether `write_details` was called."""
        return self._details(model).exists()

    def details(self, model: int) -> dict[str, Any]:
        """Return what `write_details` kept."""
        found: dict[str, Any] = orjson.loads(self._details(model).read_bytes())
        return found

    def write(self, writer: ResultWriter, tasks: Sequence[str], config: EvaluateConfig, version: str) -> dict[str, str]:
        """Put the harness's files into the result, a folder a model, and return the folders by model.

        Args:
            writer: Of the result.
            tasks: Those that were evaluated.
            config: The settings.
            version: Of the harness.

        Raises:
            ConfigError: Two models would share a folder.
        """
        folders = {spec: re.sub(r"[\"<>:/|\\?*\[\]]+", "__", spec) for spec in self.models}
        if len(set(folders.values())) < len(folders):
            raise ConfigError(
                f"two of the models {', '.join(self.models)} would have one folder of results",
                "Evaluate them in two run folders, and compare these.",
            )
        for number, (spec, folder) in enumerate(folders.items()):
            for task in tasks:
                path = self.samples(number, task)
                rows = self.results(number, task)["documents"]
                of = Output(bytes=path.stat().st_size, sha256=sha256_of_file(path), rows=rows)
                writer.adopt(f"{folder}/{path.name}", path, of)
            found = [self.results(number, task) for task in tasks]
            said: dict[str, Any] = {
                name: {task: one[name] for task, one in zip(tasks, found, strict=True)} for name in _OF_A_TASK
            }
            said["config"] = {
                "model": "hf",
                "model_args": {"pretrained": spec, "dtype": config.dtype},
                "batch_size": config.batch_size,
                "limit": config.limit_documents,
                "bootstrap_iters": config.bootstrap,
                **{f"{name}_seed": config.seed for name in ("random", "numpy", "torch", "fewshot")},
            }
            said |= {"model_name": spec, "model_name_sanitized": folder, "lm_eval_version": version}
            text = json.dumps(said, indent=2, ensure_ascii=False)
            write_bytes(writer.staged(f"{folder}/results_{TIME}.json"), text.encode("utf-8", "backslashreplace"))
        return folders

    def _results(self, model: int, task: str) -> Path:
        return self.folder / str(model) / f"{_safe(task)}.json"

    def _details(self, model: int) -> Path:
        return self.folder / str(model) / "model.json"


def _safe(task: str) -> str:
    return re.sub(r"[^\w.+-]+", "__", task)


def _as_saved(sample: Mapping[str, Any]) -> dict[str, Any]:
    """Return a sample as the harness's own writer saves it (`EvaluationTracker.save_results_samples`)."""
    arguments = {
        f"gen_args_{number}": {f"arg_{place}": value for place, value in enumerate(of)}
        for number, of in enumerate(sample["arguments"])
    }
    texts = {name: _texts(sample[name]) for name in ("resps", "filtered_resps")}
    return {**sample, **texts, "arguments": arguments, "target": str(sample["target"])}


def _texts(value: Any) -> Any:
    """Return a nested list with all that is in it as text."""
    return [_texts(one) for one in value] if isinstance(value, list | tuple) else str(value)


def _plain(value: object) -> object:
    """Return as JSON what numpy made; the harness does the same."""
    if isinstance(value, np.generic):
        return value.item()
    return list(value) if isinstance(value, set) else str(value)
