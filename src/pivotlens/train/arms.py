"""Names of the arms and of the trainings: each arm is trained on once a seed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_NAMED = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9_.-]*)=(?P<corpus>.+)")


def arm_specs(arms: Sequence[str]) -> dict[str, str]:
    """Return the corpus of each arm by its name.

    Raises:
        ValueError: A corpus has no name that could stand in a reference, or two have one.

    >>> arm_specs(["run:select/top", "web=data/*.jsonl.zst", "demo:tatoeba"])
    {'top': 'run:select/top', 'web': 'data/*.jsonl.zst', 'tatoeba': 'demo:tatoeba'}
    """
    found: dict[str, str] = {}
    for arm in arms:
        named = _NAMED.fullmatch(arm)
        name = named["name"] if named else PurePath(re.split(r"[/:]", arm.rstrip("/"))[-1]).name.partition(".")[0]
        if not _NAME.fullmatch(name):
            raise ValueError(f"arm {arm!r} has no plain name; write it as NAME={arm}")
        if name in found:
            raise ValueError(f"two arms are called {name!r}; give them names of their own: NAME={arm}")
        found[name] = named["corpus"] if named else arm
    return found


@dataclass(frozen=True)
class Training:
    """One arm with one seed.

    Attributes:
        name: Of its folder in the result: ``run:train/NAME@step-N`` is a checkpoint of it.
        arm: The arm.
        seed: The seed.
    """

    name: str
    arm: str
    seed: int

    def reference(self, step: int) -> str:
        """Return how a model spec names its checkpoint after a step."""
        return f"run:train/{self.name}@{step_folder(step)}"


def step_folder(step: int) -> str:
    """Return the name of the folder of a checkpoint."""
    return f"step-{step}"


def trainings(arms: Sequence[str], seeds: Sequence[int]) -> list[Training]:
    """Return every arm with every seed; the seed stands in the name where there are several.

    >>> [one.name for one in trainings(["top", "random"], [0, 1])]
    ['top-0', 'top-1', 'random-0', 'random-1']
    """
    several = len(set(seeds)) > 1
    return [Training(f"{arm}-{seed}" if several else arm, arm, seed) for arm in arms for seed in dict.fromkeys(seeds)]
