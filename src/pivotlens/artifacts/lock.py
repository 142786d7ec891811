"""The locks of a stage in a run folder, released by the system when a process dies.

One process at a time puts a result together; any number may make parts for it, as long as nobody removes these.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pivotlens.artifacts.files import writing_errors
from pivotlens.errors import ArtifactError

# What file systems answer that keep no locks, or whose lock server is away (NFS, Lustre, some FUSE).
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)


class _FileLock:
    """A lock on a file that exists while it is held.

    Args:
        run: The run folder, which exists.
        stage: Name of the stage.
        kind: What the name of the file says besides.
    """

    def __init__(self, run: Path, stage: str, kind: str = "") -> None:
        self._run, self._stage = run, stage
        self.path = run / f".{stage}{kind}.lock"
        self._handle: int | None = None

    def _take(self, how: int) -> bool:
        """Take the lock; False where others hold it and ``how`` says not to wait.

        Raises:
            ArtifactError: Its file cannot be written, or the file system keeps no locks.
        """
        while self._handle is None:
            with writing_errors(self.path):
                handle = os.open(self.path, os.O_CREAT | os.O_RDWR)
            try:
                with writing_errors(self.path):
                    if not self._lock(handle, how):
                        return False
                # Its last owner may have removed the file in between: then this is a lock that nobody else sees.
                with suppress(FileNotFoundError):
                    if os.path.samestat(os.fstat(handle), self.path.stat()):
                        self._handle = handle
            finally:
                if self._handle is None:
                    os.close(handle)
        return True

    def _lock(self, handle: int, how: int) -> bool:
        try:
            fcntl.flock(handle, how)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            self.path.unlink(missing_ok=True)
            raise ArtifactError(
                f"the file system of {self._run} keeps no locks ({error.strerror}), so two processes could write "
                f"{self._stage} at once",
                "Choose a --run folder on another file system, or have this one mounted with locks (flock).",
            ) from error
        return True

    def release(self) -> None:
        """Give the lock back, if it is held; the last one to hold it removes the file."""
        if self._handle is not None:
            with suppress(BlockingIOError):
                fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self.path.unlink(missing_ok=True)
            os.close(self._handle)
            self._handle = None


class StageLock(_FileLock):
    """The lock of whoever puts a result together; arguments as `_FileLock`."""

    def take(self) -> None:
        """Take the lock.

        Raises:
            ArtifactError: Another process holds it, its file cannot be written, or the file system keeps no locks.
        """
        if not self._take(fcntl.LOCK_EX | fcntl.LOCK_NB):
            raise ArtifactError(
                f"another process is running {self._stage} in {self._run}",
                "Wait for it to end, or choose another run folder.",
            )


class PartsLock(_FileLock):
    """The lock on a stage's parts, for portions that make some and for whoever removes them.

    Args:
        run: The run folder, which exists.
        stage: Name of the stage.
    """

    def __init__(self, run: Path, stage: str) -> None:
        super().__init__(run, stage, ".parts")

    @contextmanager
    def making(self) -> Iterator[None]:
        """Hold the lock together with others that make parts; waits while somebody removes some.

        Raises:
            ArtifactError: Its file cannot be written, or the file system keeps no locks.
        """
        self._take(fcntl.LOCK_SH)
        try:
            yield
        finally:
            self.release()

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Hold the lock alone and tell so; False while a portion is at work.

        Raises:
            ArtifactError: Its file cannot be written, or the file system keeps no locks.
        """
        taken = self._take(fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            yield taken
        finally:
            self.release()
