"""Which tasks the settings name, and where their local data is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pivotlens.artifacts.files import expanded
from pivotlens.comparison.families import FAMILIES
from pivotlens.errors import ConfigError, DataError, closest, did_you_mean
from pivotlens.evaluate.config import EvaluateConfig

_FORMATS = {".jsonl": "json", ".json": "json", ".csv": "csv", ".parquet": "parquet"}
_LANGUAGE = "{language}"
_NAMES = re.compile(r"""^["']?(?:task|group|tag)["']?:(.*(?:\n[ \t]*-.*)*)""", re.MULTILINE)
_NAME = re.compile(r"""[^\s,"'\[\]]+""")
_COMMENT = re.compile(r"#.*")
EVALUATED = ""
"""Stands for the split that a task evaluates, which its own file in the harness names."""


@dataclass(frozen=True)
class ChosenTasks:
    """What is evaluated.

    Attributes:
        tasks: Names in the harness, in order.
        folders: Where the harness keeps those of the families, below its own folder of tasks.
        others: Names that are of no family; they may be of groups of tasks.
    """

    tasks: tuple[str, ...]
    folders: tuple[str, ...]
    others: tuple[str, ...]


@dataclass(frozen=True)
class LocalData:
    """Files that stand for the hub's data of a task.

    Attributes:
        format: What reads them: ``json``, ``csv`` or ``parquet``.
        files: By split; `EVALUATED` for the one that is evaluated.
    """

    format: str
    files: dict[str, Path]


def chosen_tasks(config: EvaluateConfig) -> ChosenTasks:
    """Return the tasks that the settings name.

    Raises:
        ConfigError: A family has no task in these languages.
    """
    tasks: dict[str, None] = {}
    folders: dict[str, None] = {}
    others: list[str] = []
    for name in config.tasks:
        family = FAMILIES.get(name)
        if family is None:
            owner = next((one for one in FAMILIES.values() if name in one.tasks), None)
            folders |= dict.fromkeys(owner.folders if owner else ())
            tasks[name] = None
            if owner is None:
                others.append(name)
            continue
        found = family.tasks_in(config.languages)
        if not found:
            codes = sorted({code for pair in family.tasks.values() for code in pair})
            directions = any(len(pair) > 1 for pair in family.tasks.values())
            each = ": each of its tasks is a direction, and needs two languages" if directions else ""
            raise ConfigError(
                f"{name} has no task in languages = {', '.join(config.languages)}{each}",
                f"Name {'both languages of a direction' if directions else 'one'} of: {', '.join(codes)}.",
            )
        tasks |= dict.fromkeys(found)
        folders |= dict.fromkeys(family.folders)
    return ChosenTasks(tuple(tasks), tuple(folders), tuple(others))


def named_tasks(*folders: Path) -> set[str]:
    """Return every name of a task, group or tag that the files below some folders give, and a few that none has.

    The harness's own list takes many times as long to read: it parses each file together with all that it includes.
    """
    found: set[str] = set()
    for path in (path for folder in folders for path in folder.rglob("*") if path.suffix in ("", ".yaml", ".yml")):
        for given in _NAMES.findall(path.read_text("utf-8", "replace")) if path.is_file() else ():
            found.update(_NAME.findall(_COMMENT.sub("", given)))
    return found


def refuse_unknown(chosen: ChosenTasks, known: Iterable[str]) -> None:
    """Refuse a name that is neither of a family nor in the harness.

    Raises:
        ConfigError: There is one.
    """
    names = {*FAMILIES, *known}
    for name in chosen.others:
        if name not in names:
            close = closest(name, names)
            raise ConfigError(
                f"tasks = {name!r}: neither a family nor a task of lm-evaluation-harness",
                f"did you mean {close[0]!r}?" if close else "`lm_eval ls tasks` lists them all.",
            )


def local_data(config: EvaluateConfig, tasks: tuple[str, ...]) -> dict[str, LocalData]:
    """Return where the local data of each task is that has any.

    Args:
        config: The settings.
        tasks: Those that are evaluated.

    Raises:
        ConfigError: Data is given for what is not evaluated.
        DataError: There is no such file or folder, or it is in no format that is read.
    """
    found: dict[str, LocalData] = {}
    for name, path in config.pairs("data").items():
        family = FAMILIES.get(name)
        codes = family.tasks if family is not None else {name: ()}
        named = [task for task in tasks if task in codes]
        if not named:
            raise ConfigError(
                f"data is given for {name!r}, which is not evaluated", did_you_mean(name, (*config.tasks, *tasks))
            )
        if len(named) > 1 and _LANGUAGE not in path:
            raise ConfigError(
                f"data {name}={path} would be the same for {len(named)} tasks",
                f"Write {_LANGUAGE} where the path holds the language, or give each task its own.",
            )
        for task in named:
            found[task] = _found(path.replace(_LANGUAGE, "-".join(codes[task])), f"data of {task}")
    return found


def why_unreadable(data: LocalData, error: BaseException) -> str:
    """Say where local data is damaged: the first line that is no JSON, else the files and what was said of them.

    Args:
        data: The files.
        error: What was raised; that of `datasets` says only that there was one, and those before it which.
    """
    for path in data.files.values():
        with path.open("rb") as lines:
            for number, line in enumerate(lines if path.suffix == ".jsonl" else (), 1):
                try:
                    json.loads(line.strip() or b"null")
                except (ValueError, RecursionError) as found:
                    cut = "" if line.endswith(b"\n") else ", and is cut off"
                    return f"{path}, line {number} is no JSON{cut}: {found}"
    while error.__cause__ is not None:
        error = error.__cause__
    said = str(error).strip().partition("\n")[0] or type(error).__name__
    return f"{', '.join(map(str, data.files.values()))}: {said}"


def _found(path: str, what: str) -> LocalData:
    place = expanded(path)
    if place.is_dir():
        files = {one.stem: one for one in sorted(place.iterdir()) if one.suffix in _FORMATS}
    else:
        files = {EVALUATED: place}
    for file in files.values():
        if not file.is_file():
            raise DataError(f"{what}: there is no file {str(file)!r}", "Give a file or a folder that is there.")
    formats = {_FORMATS.get(file.suffix, "") for file in files.values()}
    if len(formats) != 1 or "" in formats:
        raise DataError(
            f"{what}: {path!r} holds {'no data' if not formats else 'other files than of one known format'}",
            f"Give files in one of the formats {', '.join(_FORMATS)}.",
        )
    return LocalData(formats.pop(), {split: file.resolve() for split, file in files.items()})
