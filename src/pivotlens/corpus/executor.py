"""The same work on every shard of a corpus, here or in several processes; what is done is never done again.

An executor is whatever runs a `Task` over shards until a `PartStore` holds a part of each. Several of them, on several
machines, may fill one store: nothing is passed between them but the parts.
"""

from __future__ import annotations

import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import connection, get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Protocol

from pivotlens.artifacts.files import process_name
from pivotlens.corpus.begun import begin_pass
from pivotlens.corpus.outcomes import Outcomes, follow, named
from pivotlens.corpus.shards import PartStore, Shard, Task
from pivotlens.errors import ConfigError, DataError, PivotLensError, PrerequisiteError

# Shards that wait for each worker, so that none is idle and a long list does not lie in memory.
_AHEAD = 2
_NAMED = 3


class Executor(Protocol):
    """Runs a task over shards."""

    def run(self, shards: Sequence[Shard], task: Task, store: PartStore, description: str) -> None:
        """Make the part of every shard that has none; where the data of some are bad, of all the others.

        Args:
            shards: The corpus.
            task: What is done with each.
            store: Where the parts are kept.
            description: What is being done, for the progress bar.

        Raises:
            DataError: Tells what is wrong with the shards whose data are bad.
            PivotLensError: As a task raised it, at once; finished parts stay.
        """


@dataclass(frozen=True)
class LocalExecutor:
    """Runs a task on this machine.

    Attributes:
        workers: Number of processes, started by spawn; one is this process itself.
    """

    workers: int = 1

    def run(
        self, shards: Sequence[Shard], task: Task, store: PartStore, description: str = "Reading the corpus"
    ) -> None:
        """Make the part of every shard that has none; arguments and errors as `Executor.run`.

        Raises:
            ConfigError: The calling script starts its work again in every process.
            PrerequisiteError: A process was ended from outside.
        """
        pending = store.missing(shards)
        if pending:
            begin_pass(store, shards, pending, description)
            self.make(pending, task, store, description)

    def make(self, pending: Sequence[Shard], task: Task, store: PartStore, description: str) -> None:
        """Make the parts of shards that have none; errors as `run`."""
        workers = min(self.workers, len(pending))
        if workers > 1:
            # Largest first: the processes end at about the same time.
            done = _in_processes(sorted(pending, key=lambda shard: -shard.size), task, store, workers)
        else:
            done = _here(pending, task, store)
        follow(done, pending, description)


def work_on(shard: Shard, task: Task, store: PartStore) -> None:
    """Make the part of one shard, or keep what is wrong with its data.

    Raises:
        PivotLensError: As the task raised it; any other error is told where it happened.
    """
    try:
        task(shard, store.path(shard))
    except DataError as error:
        store.keep_failure(shard, error)
        raise
    except PivotLensError:
        raise
    except Exception as error:
        error.add_note(f"This happened at work on {shard.shown}.")
        raise
    store.forget_failure(shard)


def bad_data(shard: Shard, task: Task, store: PartStore) -> DataError | None:
    """Make the part of one shard; return what is wrong with its data, and raise any other error."""
    try:
        work_on(shard, task, store)
    except DataError as error:
        return error
    return None


def _here(shards: Sequence[Shard], task: Task, store: PartStore) -> Outcomes:
    for shard in shards:
        yield shard, bad_data(shard, task, store)


def _in_processes(shards: Sequence[Shard], task: Task, store: PartStore, workers: int) -> Outcomes:
    context = get_context("spawn")
    begun = context.Event()
    hears, tells = context.Pipe(duplex=False)
    at_work: dict[Future[DataError | None], Shard] = {}
    with NamedTemporaryFile(dir=store.folder, prefix=".task-") as sent:
        # Not as an argument: a process that ends before it has read a large one would be waited for for ever.
        pickle.dump((task, store), sent)
        sent.flush()
        pool = ProcessPoolExecutor(workers, context, _begin, (sent.name, begun, hears))
        try:
            for place, shard in enumerate(shards, start=1):
                with _children_deaf_to_ctrl_c():
                    at_work[pool.submit(_work, shard)] = shard
                while len(at_work) >= (_AHEAD * workers if place < len(shards) else 1):
                    for done in wait(at_work, return_when=FIRST_COMPLETED).done:
                        outcome = done.result()
                        yield at_work.pop(done), outcome
        except BaseException as error:
            tells.close()  # whatever is still at work ends at once
            if isinstance(error, BrokenProcessPool):
                raise _ended(workers, list(at_work.values()), begun) from None
            raise
        finally:
            pool.shutdown(cancel_futures=True)
            tells.close()
            hears.close()


def _ended(workers: int, shards: Sequence[Shard], begun: Event) -> PivotLensError:
    if not begun.is_set():
        return ConfigError(
            f"the {workers} worker processes ended as they began: each first runs the calling script again",
            'Put what the script does under `if __name__ == "__main__":` in a file, or leave workers at 1.',
        )
    return PrerequisiteError(
        "a worker process was ended from outside, perhaps for want of memory, at work on one of "
        f"{named(shards, _NAMED)}",
        "Give it fewer workers or more memory and run the same command again: finished parts are kept.",
    )


@contextmanager
def _children_deaf_to_ctrl_c() -> Iterator[None]:
    """Let processes that start in the meantime never hear Ctrl-C: this one hears it and ends them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# -- in a worker


_do: Callable[[Shard], DataError | None]
"""What this worker is there for: sent to it once, not with every shard."""


def _begin(sent: str, begun: Event, hears: Connection) -> None:
    global _do
    begun.set()
    threading.Thread(target=_end_when_told, args=(hears, Path(sent).parent), daemon=True).start()
    task, store = pickle.loads(Path(sent).read_bytes())
    _do = partial(bad_data, task=task, store=store)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # one core a worker


def _end_when_told(hears: Connection, folder: Path) -> None:
    """End this process when the one that started it says so, or is gone; what it had begun to write goes with it."""
    parent = parent_process()
    connection.wait([hears] if parent is None else [hears, parent.sentinel])
    for begun in folder.glob(f".*.{process_name()}.tmp"):
        begun.unlink(missing_ok=True)
    os._exit(1)


def _work(shard: Shard) -> DataError | None:
    return _do(shard)
