"""The corpus work as a datatrove step; imports datatrove, so only `run_over_files` imports this."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import multiprocess  # type: ignore[import-untyped]
from datatrove.executor.local import LocalPipelineExecutor
from datatrove.pipeline.base import PipelineStep
from loguru import logger
from multiprocess.managers import dispatch  # type: ignore[import-untyped]
from multiprocess.popen_spawn_posix import Popen  # type: ignore[import-untyped]

from pivotlens.corpus.executor import FileTask, part_path, work_on
from pivotlens.corpus.files import CorpusFile
from pivotlens.errors import ConfigError

_TASKS_PER_WORKER = 4


class FilesStep(PipelineStep):  # type: ignore[misc]
    """Does a task on this rank's share of the files."""

    name = "pivotlens"
    type = "corpus pass"

    def __init__(self, folder: Path, files: Sequence[CorpusFile], task: FileTask) -> None:
        super().__init__()
        self.folder, self.files, self.task = folder, files, task

    def run(self, data: Iterable[Any] | None = None, rank: int = 0, world_size: int = 1) -> Iterator[Any]:
        """Work on every ``world_size``-th file, from ``rank`` on."""
        yield from data or ()
        for file in self.files[rank::world_size]:
            if not part_path(self.folder, file).exists():
                work_on(self.folder, file, self.task)


class QuietExecutor(LocalPipelineExecutor):  # type: ignore[misc]
    """datatrove's local executor without its log on the terminal, whose workers end with their parent."""

    def _launch_run_for_rank(self, rank: int, ranks_q: Any, completed: Any = None, completed_lock: Any = None) -> Any:
        logger.disable("datatrove")
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # one core a worker
        _end_with_parent(ranks_q)
        return super()._launch_run_for_rank(rank, ranks_q, completed, completed_lock)

    def save_executor_as_json(self, indent: int = 4) -> None:
        """Keep no record: the manifest is ours, and a task may hold large arrays."""


def run_with_datatrove(
    folder: Path, files: Sequence[CorpusFile], task: FileTask, workers: int, logging_dir: Path
) -> None:
    """Run a task over the files in processes started by spawn."""
    executor = QuietExecutor(
        pipeline=[FilesStep(folder, files, task)],
        tasks=min(len(files), workers * _TASKS_PER_WORKER),
        workers=workers,
        logging_dir=str(logging_dir),
        skip_completed=False,
        start_method="spawn",
    )
    # The executor's manager process starts by the default method; forking a process with threads is unsafe.
    before = multiprocess.get_start_method(allow_none=True)
    multiprocess.set_start_method("spawn", force=True)
    logger.disable("datatrove")
    try:
        with _children_deaf_to_ctrl_c():
            executor.run()
    except EOFError:
        raise ConfigError(
            f"the {workers} worker processes ended as they began: each first runs the calling script again",
            'Put what the script does under `if __name__ == "__main__":` in a file, or leave workers at 1.',
        ) from None
    except KeyboardInterrupt:
        for process in multiprocess.active_children():  # one that datatrove had not yet got hold of would be waited for
            process.terminate()
        raise
    finally:
        logger.enable("datatrove")
        multiprocess.set_start_method(before, force=True)


@contextmanager
def _children_deaf_to_ctrl_c() -> Iterator[None]:
    """Let processes that start in the meantime ignore Ctrl-C, from their first instruction: this one ends them."""
    launch = Popen._launch

    def deaf(self: Any, process: Any) -> None:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            launch(self, process)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    Popen._launch = deaf
    try:
        yield
    finally:
        Popen._launch = launch


_watching = threading.Event()


def _end_with_parent(queue: Any) -> None:
    """End this worker, and the process that serves the queue, when the process that started them is gone."""
    if _watching.is_set():
        return
    _watching.set()
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        try:
            dispatch(queue._Client(queue._token.address, authkey=queue._authkey), None, "shutdown")
        finally:  # another worker may have been faster
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
