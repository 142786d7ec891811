"""The lock of a stage in a run folder: one process at a time, released by the system when a process dies."""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import suppress
from pathlib import Path

from pivotlens.artifacts.files import writing_errors
from pivotlens.errors import ArtifactError

# What file systems answer that keep no locks, or whose lock server is away (NFS, Lustre, some FUSE).
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)


class StageLock:
    """An exclusive lock on a file that exists while it is held.

    Args:
        run: The run folder, which exists.
        stage: Name of the stage.
    """

    def __init__(self, run: Path, stage: str) -> None:
        self._run, self._stage = run, stage
        self.path = run / f".{stage}.lock"
        self._handle: int | None = None

    def take(self) -> None:
        """Take the lock.

        Raises:
            ArtifactError: Another process holds it, its file cannot be written, or the file system keeps no locks.
        """
        while self._handle is None:
            with writing_errors(self.path):
                handle = os.open(self.path, os.O_CREAT | os.O_RDWR)
            try:
                with writing_errors(self.path):
                    self._lock(handle)
                # Its last owner may have removed the file in between: then this is a lock that nobody else sees.
                with suppress(FileNotFoundError):
                    if os.path.samestat(os.fstat(handle), self.path.stat()):
                        self._handle = handle
            finally:
                if self._handle is None:
                    os.close(handle)

    def _lock(self, handle: int) -> None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ArtifactError(
                f"another process is running {self._stage} in {self._run}",
                "Wait for it to end, or choose another run folder.",
            ) from error
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            self.path.unlink(missing_ok=True)
            raise ArtifactError(
                f"the file system of {self._run} keeps no locks ({error.strerror}), so two processes could write "
                f"{self._stage} at once",
                "Choose a --run folder on another file system, or have this one mounted with locks (flock).",
            ) from error

    def release(self) -> None:
        """Give the lock back, if it is held."""
        if self._handle is not None:
            self.path.unlink(missing_ok=True)
            os.close(self._handle)
            self._handle = None
