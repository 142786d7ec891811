"""Work on the shards of a corpus as plain tasks of a Ray cluster, which does those of a lost node again."""

from __future__ import annotations

import logging
import os
import pickle
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError

from pivotlens.corpus.begun import begin_pass
from pivotlens.corpus.executor import work_on
from pivotlens.corpus.outcomes import Outcomes, follow, named
from pivotlens.corpus.shards import PartStore, Shard, Task
from pivotlens.errors import DataError, PivotLensError, PrerequisiteError

# How often a shard is done again whose node or process was lost, as machines that are lent are now and then.
_RETRIES = 5
# Tasks that are handed over for each processor, and at least: a cluster that grows by what waits must see some wait.
_AHEAD, _LEAST = 2, 8
# Seconds after which the cluster is asked how large it is, and Ctrl-C is heard.
_PAUSE = 1.0


@contextmanager
def connected() -> Iterator[None]:
    """Be connected to a cluster: that of ``RAY_ADDRESS`` or of this machine where there is one, else a new one here.

    Raises:
        PrerequisiteError: It cannot be reached or started.
    """
    if ray.is_initialized():  # whoever calls from Python keeps their own connection
        yield
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        ray.init(logging_level=logging.ERROR, log_to_driver=False)
    except (ConnectionError, RuntimeError, ValueError) as error:
        where = os.environ.get("RAY_ADDRESS")
        raise PrerequisiteError(
            f"no Ray cluster can be {f'reached at RAY_ADDRESS={where}' if where else 'started here'}: {error}",
            "Check `ray status`, that all machines have the same version of Ray and of Python, and the address.",
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


@dataclass(frozen=True)
class RayExecutor:
    """Runs a task on the cluster that this process is connected to; all machines see the same files."""

    def run(
        self, shards: Sequence[Shard], task: Task, store: PartStore, description: str = "Reading the corpus"
    ) -> None:
        """Make the part of every shard that has none; arguments and errors as `Executor.run`.

        Raises:
            PrerequisiteError: Ray gave a shard up, or a machine does not see the run folder.
        """
        pending = store.missing(shards)
        if not pending:
            return
        begin_pass(store, shards, pending, description)
        follow(_on_cluster(sorted(pending, key=lambda shard: -shard.size), task, store), pending, description)
        if lost := store.missing(pending):
            raise PrerequisiteError(
                f"Ray did all shards, but the parts of {named(lost)} are not in {store.folder}",
                "Choose a --run folder that all machines of the cluster see under the same path.",
            )


def _on_cluster(shards: Sequence[Shard], task: Task, store: PartStore) -> Outcomes:
    # In a list, so that a worker loads it once and not for each shard.
    sent = [ray.put(pickle.dumps((task, store, Path.cwd())))]
    work: Any = ray.remote(num_cpus=1, max_retries=_RETRIES)(_work)
    waiting = iter(shards)
    at_work: dict[Any, Shard] = {}
    # Left early, by an error or Ctrl-C, tasks at work are not cancelled: Ray 2.60 dies now and then of a task that is
    # cancelled as it ends. They end with the connection, or where that is the caller's, finish the parts they are at.
    while True:
        most = max(_AHEAD * int(ray.cluster_resources().get("CPU", 1)), _LEAST)
        while len(at_work) < most and (shard := next(waiting, None)) is not None:
            at_work[work.remote(sent, shard)] = shard
        if not at_work:
            return
        for done in ray.wait(list(at_work), num_returns=1, timeout=_PAUSE)[0]:
            outcome = _outcome(done, at_work[done])
            yield at_work.pop(done), outcome


def _outcome(done: Any, shard: Shard) -> DataError | None:
    """Return what was wrong with the data of a shard, and raise any other error of the task as it was raised."""
    try:
        error: Exception | None = ray.get(done)
    except RayError as lost:
        said, _, _ = str(lost).strip().partition("\n")
        raise PrerequisiteError(
            f"Ray gave up {shard.shown}: {said} ({type(lost).__name__})",
            "Mend what it tells and run the same command again: finished parts are kept. Every machine needs the same "
            "version of pivotlens, and memory for a shard on each of its processors.",
        ) from lost
    if error is None or isinstance(error, DataError):
        return error
    raise error


# -- in a worker


_received: dict[str, tuple[Task, PartStore]] = {}


def _work(sent: list[Any], shard: Shard) -> Exception | None:
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # one core a worker
    name = sent[0].hex()
    if name not in _received:
        _received.clear()
        task, store, folder = pickle.loads(ray.get(sent[0]))
        os.chdir(folder)
        _received[name] = (task, store)
    try:
        work_on(shard, *_received[name])
    except Exception as error:  # noqa: BLE001 - it is raised where the work was asked for
        return _as_sent(error)
    return None


def _as_sent(error: Exception) -> Exception:
    """Return an error as it can be sent: with its traceback, which would stay behind."""
    if not isinstance(error, PivotLensError):
        error.add_note(f"On the cluster: {''.join(traceback.format_tb(error.__traceback__))}".rstrip())
    error.__traceback__ = None
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 - whatever an error of others holds
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
