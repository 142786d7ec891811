"""The same work on every file of a corpus, in one process or several; finished files are never done again."""

from __future__ import annotations

import contextvars
import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pivotlens.artifacts.files import remove_tree, write_bytes
from pivotlens.corpus.files import CorpusFile
from pivotlens.progress import track

FileTask = Callable[[CorpusFile], bytes]


def part_path(folder: Path, file: CorpusFile) -> Path:
    """Return where the part of a file is kept: named by the file alone, so that order and workers do not matter."""
    return folder / f"{hashlib.blake2b(file.name.encode('utf-8', 'surrogateescape'), digest_size=16).hexdigest()}.part"


def run_over_files(
    folder: Path, files: Sequence[CorpusFile], task: FileTask, workers: int = 1, description: str = "Reading the corpus"
) -> list[Path]:
    """Do ``task`` on every file and keep what it returns, one part a file; a part that exists is not made again.

    One worker runs in this process. Several are processes started by spawn, under datatrove's local executor; an
    error of ours in one of them arrives here as it was raised.

    Args:
        folder: Where the parts are kept (of a stage: `Workspace.parts_folder`).
        files: The corpus.
        task: Can be pickled; takes a file and returns the content of its part.
        workers: Number of processes.
        description: What is being done, for the progress bar.

    Returns:
        The paths of the parts, in the order of ``files``.
    """
    pending = [file for file in files if not part_path(folder, file).exists()]
    if workers == 1 or len(pending) <= 1:
        for file in track(pending, description, len(pending)):
            work_on(folder, file, task)
    else:
        _run_in_processes(folder, pending, task, min(workers, len(pending)), description)
    return [part_path(folder, file) for file in files]


def work_on(folder: Path, file: CorpusFile, task: FileTask) -> None:
    """Make the part of one file."""
    write_bytes(part_path(folder, file), task(file))


def _run_in_processes(
    folder: Path, files: Sequence[CorpusFile], task: FileTask, workers: int, description: str
) -> None:
    from pivotlens.corpus.datatrove_step import run_with_datatrove

    # Largest first, dealt out in turn: the processes end at about the same time.
    shares = sorted(files, key=lambda file: (-file.size, file.name))
    logs = folder.with_name(f"{folder.name}-log")
    remove_tree(logs)  # datatrove's own marks of completion ignore the settings: only our parts count
    done = threading.Event()
    context = contextvars.copy_context()
    follower = threading.Thread(target=context.run, args=(_follow, folder, files, description, done), daemon=True)
    follower.start()
    try:
        run_with_datatrove(folder, shares, task, workers, logs)
    finally:
        done.set()
        follower.join()
        remove_tree(logs)


def _follow(folder: Path, files: Sequence[CorpusFile], description: str, done: threading.Event) -> None:
    for _ in track(_finished(folder, files, done), description, len(files)):
        pass


def _finished(folder: Path, files: Sequence[CorpusFile], done: threading.Event) -> Iterator[CorpusFile]:
    waiting = list(files)
    while True:
        last = done.is_set()
        ready = [file for file in waiting if part_path(folder, file).exists()]
        yield from ready
        waiting = [file for file in waiting if file not in ready]
        if last or not waiting:
            return
        done.wait(0.5)
        time.sleep(0)
