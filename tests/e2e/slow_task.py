"""A task that takes its time and leaves a line for every try; workers import it by its name."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from pivotlens.artifacts import write_bytes
from pivotlens.corpus import Shard
from pivotlens.errors import DataError


@dataclass(frozen=True)
class SlowTask:
    """Writes a part that follows from the shard alone, after a while.

    Attributes:
        tries: Folder in which a file per shard holds a line for each try that ended.
        seconds: How long a shard takes.
        bad: Name of a file that cannot be read.
        stumbles: Name of a file at which there is a bug.
    """

    tries: Path
    seconds: float = 0.0
    bad: str = ""
    stumbles: str = ""

    def __call__(self, shard: Shard, part: Path) -> None:
        """Write the part of a shard."""
        time.sleep(self.seconds)
        if shard.file.name == self.bad:
            raise DataError(f"{shard.file.name}: bad", "Mend it.")
        if shard.file.name == self.stumbles:
            raise ZeroDivisionError("a bug")
        write_bytes(part, Path(shard.file.location).read_bytes() * 100)
        with (self.tries / shard.file.name).open("a") as file:
            file.write(f"{os.getpid()}\n")


def tries_of(folder: Path) -> dict[str, int]:
    """Return how often each shard was done."""
    return {path.name: len(path.read_text().splitlines()) for path in sorted(folder.iterdir())}
