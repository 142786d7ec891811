"""Finding what lm-evaluation-harness writes with ``--log_samples``: ``samples_TASK_TIME.jsonl`` in a folder."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pivotlens.artifacts.files import expanded
from pivotlens.errors import ConfigError, DataError

_NAME = re.compile(r"samples_(?P<task>.+?)(?:_(?P<time>\d{4}-\d{2}-\d{2}T[\d.:-]+))?\.jsonl")
_SHOWN = 4


@dataclass(frozen=True)
class SampleFile:
    """The samples of one task.

    Attributes:
        task: The task.
        time: When they were written, as its name says; empty where it does not.
        path: The file.
        conditions: What the results file beside it says of the task: its version, the number of shots.
    """

    task: str
    time: str
    path: Path
    conditions: Mapping[str, str]


def holds_samples(place: str) -> bool:
    """Tell whether a place is a samples file, or a folder that holds one, with or without ``@TIME`` behind it."""
    folder, _ = _folder_and_time(place)
    return _NAME.fullmatch(folder.name) is not None if folder.is_file() else any(_samples_in(folder))


def find_samples(place: str) -> tuple[list[SampleFile], list[str]]:
    """Find the samples of every task: of each the newest, or those of the time that is named.

    Args:
        place: A folder, searched with those below it, ``FOLDER@TIME`` (or the beginning of a time), or one file.

    Returns:
        The files in the order of their tasks, and what the reader must know of the choice.

    Raises:
        ConfigError: The samples are of several models, or none is of that time.
        DataError: A results file is damaged.
    """
    folder, time = _folder_and_time(place)
    paths = [folder] if folder.is_file() else _samples_in(folder)
    found = [(found["task"], found["time"] or "", path) for path in paths if (found := _NAME.fullmatch(path.name))]
    if len(parents := sorted({str(path.parent) for _, _, path in found})) > 1:
        raise ConfigError(
            f"{place} holds samples in {len(parents)} folders, which are of as many models: {_some(parents)}",
            "Give one of these folders.",
        )
    times = sorted({written for _, written, _ in found})
    found = [one for one in found if one[1].startswith(time)]
    if not found:
        raise ConfigError(f"{place}: no samples were written at {time!r}", f"There are: {_some(times)}.")
    newest: dict[str, tuple[str, str, Path]] = {}
    for one in sorted(found, key=lambda one: one[:2]):
        newest[one[0]] = one
    counts = Counter(task for task, _, _ in found)
    older = [task for task, count in counts.items() if count > 1]
    notes = [f"{place}: of {_some(older)} the newest of several samples were taken."] if older else []
    return [
        SampleFile(task, written, path, _conditions(path, task, written)) for task, written, path in newest.values()
    ], notes


def _folder_and_time(place: str) -> tuple[Path, str]:
    folder = expanded(place)
    if folder.exists() or "@" not in place:
        return folder, ""
    before, _, time = place.rpartition("@")
    return expanded(before), time


def _samples_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("samples_*.jsonl") if _NAME.fullmatch(path.name))


def _some(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _conditions(samples: Path, task: str, time: str) -> dict[str, str]:
    """Return what the results file of the same run says a task was run under; nothing where there is none."""
    path = samples.with_name(f"results_{time}.json")
    if not path.is_file():
        return {}
    try:
        read: Any = json.loads(path.read_bytes())
        said = {
            "the task's version": read.get("versions", {}).get(task),
            "the number of shots": read.get("n-shot", {}).get(task),
            "the chat template": read.get("chat_template_sha"),
            "the system instruction": read.get("system_instruction_sha"),
        }
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise DataError(
            f"{path} is no results file of lm-evaluation-harness: {error}",
            "Remove it to compare without the versions and numbers of shots, or evaluate again.",
        ) from error
    return {name: str(value) for name, value in said.items() if value not in (None, "N/A")}
