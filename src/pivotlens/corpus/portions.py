"""Work on a corpus dealt out in portions: processes that know nothing of each other make the parts of one pass.

In turn, one process merges the parts and opens the next pass, and any number of others make the parts of the pass
that is open. A portion needs no part of another, so it neither waits nor holds what others need: fewer processes than
there are portions can do them all, one after another.
"""

from __future__ import annotations

import os
import pickle
import re
from collections.abc import Sequence
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import orjson

from pivotlens.artifacts import Plan
from pivotlens.artifacts.files import write_bytes
from pivotlens.artifacts.lock import PartsLock
from pivotlens.corpus.begun import begin_pass
from pivotlens.corpus.executor import LocalExecutor
from pivotlens.corpus.outcomes import failure, named
from pivotlens.corpus.shards import PartStore, Shard, Task
from pivotlens.errors import ArtifactError, ConfigError, UnfinishedError

MERGE = "merge"
"""In the place of a portion: makes no part, merges those that are there."""
_PORTION = re.compile(r"(\d{1,9})/(\d{1,9})")
_OPEN, _TASK = "open.json", ".task"


@dataclass(frozen=True)
class Portion:
    """One of several equal parts of the work on every pass.

    Attributes:
        number: Of the portion, from 0 or from 1: the last one may be called 0.
        of: How many there are.
    """

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the portion that a setting names.

        Raises:
            ConfigError: It names none.
        """
        found = _PORTION.fullmatch(text)
        if found is None or not 0 <= int(found[1]) <= int(found[2]) > 0:
            raise ConfigError(
                f"shards = {text!r} is no portion of the work",
                "Give a number and how many there are, such as 3/8, from 1/8 to 8/8 or from 0/8 to 7/8; or `merge`.",
            )
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def deal(self, shards: Sequence[Shard]) -> list[Shard]:
        """Return the shards of this portion: all portions have about as many bytes, and no shard is in two of them."""
        ordered = sorted(shards, key=lambda shard: (-shard.size, shard.key))
        return ordered[self.number % self.of :: self.of]


@dataclass(frozen=True)
class OpenPass:
    """A pass as portions find it.

    Attributes:
        shards: The corpus.
        task: What is done with each.
        store: Where the parts are kept.
        description: What is being done.
        folder: From which the paths of all these lead: that of whoever opened it.
    """

    shards: Sequence[Shard]
    task: Task
    store: PartStore
    description: str
    folder: Path

    def publish(self, work_folder: Path) -> None:
        """Put it where portions look for it; what is read there was written by this program for the same result."""
        write_bytes(self.store.folder / _TASK, pickle.dumps(self))
        place = os.path.relpath(self.store.folder, work_folder)
        write_bytes(work_folder / _OPEN, orjson.dumps(place))

    @classmethod
    def find(cls, work_folder: Path) -> OpenPass | None:
        """Return the pass that is open; None where there is none.

        Raises:
            ArtifactError: It was opened by another version of this program.
        """
        try:
            place = orjson.loads((work_folder / _OPEN).read_bytes())
            found: OpenPass = pickle.loads((work_folder / place / _TASK).read_bytes())
        except FileNotFoundError:
            return None
        except (AttributeError, ImportError, TypeError, pickle.UnpicklingError) as error:
            raise ArtifactError(
                f"the pass that is open in {work_folder} is of another version of pivotlens ({error})",
                "Install the same version on all machines.",
            ) from error
        return found


@dataclass(frozen=True)
class OpeningExecutor:
    """Opens the first pass that lacks a part, for portions; passes that lack none are merged by whoever calls it.

    Attributes:
        work_folder: Where portions look for it.
    """

    work_folder: Path

    def run(
        self, shards: Sequence[Shard], task: Task, store: PartStore, description: str = "Reading the corpus"
    ) -> None:
        """Leave a pass without a missing part alone; arguments as `Executor.run`.

        Raises:
            UnfinishedError: The pass is open; names the shards that are missing.
            DataError: Every portion did what it could; tells once what is wrong with the shards that failed.
        """
        missing = store.missing(shards)
        if not missing:
            return
        opened = OpenPass.find(self.work_folder)
        if opened is None or opened.store != store:
            begin_pass(store, shards, missing, description)
            OpenPass(shards, task, store, description, Path.cwd()).publish(self.work_folder)
        failed = store.untold_failures(missing)
        if len(failed) == len(missing):
            store.mark_told(failed)
            raise failure(failed, len(shards), len(shards))
        raise UnfinishedError(
            f"{description!r} lacks {len(missing):,} of {len(shards):,} shards: {named(missing)}",
            "Run the portions, the same command with --shards 1/N to N/N, and then this one again.",
        )


def make_portion(plan: Plan[Any], portion: Portion, workers: int) -> None:
    """Make the parts of one portion of the pass that is open; any number of processes may do so at once.

    Args:
        plan: Of the stage.
        portion: What is to be done.
        workers: Processes that do it.

    Raises:
        UnfinishedError: Always, where all went well: says what is still to be done.
        DataError: Tells what is wrong with shards whose data are bad; the parts of all others are there.
        ArtifactError: The folder that paths begin in is not there.
    """
    again = f"Run `pivotlens {plan.stage}` with the same settings and --shards {MERGE}: it "
    if not plan.run.is_dir():
        raise UnfinishedError(f"no pass of {plan.stage} is open in {plan.run}", f"{again}opens the first one.")
    with PartsLock(plan.run, plan.stage).making():
        opened = OpenPass.find(plan.work_folder)
        if opened is None:
            raise UnfinishedError(f"no pass of {plan.stage} is open in {plan.run}", f"{again}opens the first one.")
        if not opened.folder.is_dir():
            raise ArtifactError(
                f"{plan.stage} was begun in the folder {opened.folder}, which is not there on this machine",
                "Give all machines the same paths.",
            )
        with chdir(opened.folder):
            described, store = opened.description, opened.store
            mine = store.missing(portion.deal(opened.shards))
            if mine:
                LocalExecutor(workers).make(mine, opened.task, store, f"{described}, portion {portion}")
            missing = store.missing(opened.shards)
    if missing:
        raise UnfinishedError(
            f"portion {portion} of {described!r} is made; of all portions {len(missing):,} of {len(opened.shards):,} "
            f"shards are missing: {named(missing)}",
            f"When the others are made too: {again[0].lower()}{again[1:]}goes on.",
        )
    raise UnfinishedError(f"all {len(opened.shards):,} shards of {described!r} are made", f"{again}goes on.")
