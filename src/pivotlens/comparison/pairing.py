"""Matching the documents of two sides: what only one of them has is named, what was asked otherwise is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

from pivotlens.comparison.sides import Side, TaskValues
from pivotlens.errors import ConfigError

_SHOWN = 3


@dataclass(frozen=True)
class Pair:
    """A task of both sides, cut to the documents of both, in an order that is the same whichever is first.

    Attributes:
        task: The task.
        first: The side that is compared with.
        second: The side that is compared.
        only_first: Names of the documents that only the first side has.
        only_second: Those that only the second has.
        notes: What the reader must know of how they were matched.
    """

    task: str
    first: TaskValues
    second: TaskValues
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Sides:
    """Two sides, for messages that name both."""

    first: Side
    second: Side

    def named(self) -> str:
        """Return both names."""
        return f"{self.first.name} ({self.first.place}) and {self.second.name} ({self.second.place})"


def paired(sides: Sides, tasks: Sequence[str], any_prompt: bool) -> tuple[list[Pair], list[str]]:
    """Match the documents of every task of both sides.

    Args:
        sides: The two.
        tasks: Those that are compared; all of both when empty.
        any_prompt: Whether documents may have been asked in other words, with other shots or in another version.

    Returns:
        The tasks, and what only one side has.

    Raises:
        ConfigError: They have no task in common, or in a task no document; or they were asked otherwise.
    """
    first, second = sides.first, sides.second
    common = [task for task in first.tasks if task in second.tasks and (not tasks or task in tasks)]
    if missing := [task for task in tasks if task not in common]:
        raise ConfigError(
            f"task {missing[0]!r} is not on both sides: {_tasks(first)}; {_tasks(second)}", "Give tasks of both."
        )
    if not common:
        raise ConfigError(
            f"the two sides have no task in common: {_tasks(first)}; {_tasks(second)}",
            "Give two evaluations of the same tasks.",
        )
    notes = []
    for side, other in ((first, second), (second, first)):
        if left := [task for task in side.tasks if task not in other.tasks and not tasks]:
            notes.append(f"Left out, as only {side.name} has them: {_some(left)}.")
    return [_paired_task(task, sides, any_prompt) for task in common], notes


def _paired_task(task: str, sides: Sides, any_prompt: bool) -> Pair:
    first, second = sides.first.tasks[task], sides.second.tasks[task]
    notes = []
    differing = [
        f"{name}: {value} and {second.conditions[name]}"
        for name, value in first.conditions.items()
        if second.conditions.get(name, value) != value
    ]
    keys, others = ([one.key for one in side.documents] for side in (first, second))
    if not set(keys) & set(others):
        keys, others = ([one.other_key for one in side.documents] for side in (first, second))
        notes.append(f"{task}: documents were matched by number, prompt and target, as their contents differ.")
    place = {key: row for row, key in enumerate(others) if key}

    def order(both: tuple[int, int]) -> tuple[list[int], str]:
        return sorted((first.documents[both[0]].number, second.documents[both[1]].number)), keys[both[0]]

    # What is drawn for each row must depend neither on the order of lines, nor on which side comes first.
    rows = sorted(((row, place[key]) for row, key in enumerate(keys) if key in place), key=order)
    if differing and not any_prompt:
        raise ConfigError(
            f"{sides.named()} ran {task} under other conditions ({'; '.join(differing)})",
            "Evaluate one of them again; or pass --any-prompt, where that difference is what you ask about.",
        )
    if not rows:
        raise ConfigError(
            f"{sides.named()} have no document of {task} in common: {len(keys)} and {len(others)} documents, "
            f"such as {first.documents[0].name} and {second.documents[0].name}",
            "They come from other versions of the data, or were asked otherwise: evaluate one of them again.",
        )
    left, right = first.of_documents([row for row, _ in rows]), second.of_documents([row for _, row in rows])
    notes += _asked_otherwise(task, sides, (left, right), any_prompt)
    if differing:
        notes.append(f"{task} ran under other conditions ({'; '.join(differing)}).")
    return Pair(task, left, right, _without(first, keys, set(others)), _without(second, others, set(keys)),
                tuple(notes))  # fmt: skip


def _without(side: TaskValues, keys: Sequence[str], others: set[str]) -> tuple[str, ...]:
    return tuple(one.name for one, key in zip(side.documents, keys, strict=True) if key not in others)


def _asked_otherwise(task: str, sides: Sides, pair: tuple[TaskValues, TaskValues], any_prompt: bool) -> list[str]:
    """Return a note where documents were asked in other words or with another right answer, and that is allowed.

    Raises:
        ConfigError: It is not.
    """
    notes = []
    both = list(zip(*(side.documents for side in pair), strict=True))
    for what, of in (("prompts", attrgetter("prompt")), ("right answers", attrgetter("target"))):
        other = [one.name for one, two in both if of(one) and of(two) and of(one) != of(two)]
        if other and not any_prompt:
            raise ConfigError(
                f"{sides.named()} gave {len(other)} of {len(both)} documents of {task} other {what}: {_some(other)}",
                "Other shots, another template or version of the task: evaluate one of them again; or pass "
                "--any-prompt, where that difference is what you ask about.",
            )
        if other:
            notes.append(f"{task}: {len(other)} of {len(both)} documents had other {what}.")
    return notes


def _tasks(side: Side) -> str:
    return f"{side.name} ({side.place}) has {_some(list(side.tasks))}"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else "")


def left_out_note(pair: Pair, first: str, second: str) -> list[str]:
    """Say which documents of a task only one side has."""
    return [
        f"{pair.task}: {len(names):,} documents are only of {name}: {_some(names)}."
        for name, names in ((first, pair.only_first), (second, pair.only_second))
        if names
    ]
