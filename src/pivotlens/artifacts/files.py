"""Writing files so that a reader sees either the whole of one or nothing."""

from __future__ import annotations

import errno
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pivotlens.errors import ArtifactError

COMPRESSIONS = {".zst": "zstd", ".gz": "gzip", ".xz": "xz", ".bz2": "bzip2"}
"""Compressions of documents that are read, by the ending of a file's name."""
_JSON_LINES = (".jsonl", ".ndjson")
PARQUET = (".parquet", ".parq", ".pq")
SUFFIXES = (
    *(kind + ending for kind in _JSON_LINES for ending in ("", *COMPRESSIONS)),
    *(f".json{ending}" for ending in COMPRESSIONS),
    *PARQUET,
)
"""Kinds of documents that are read, in any case of letters; ``.json`` itself only where it is asked for by name."""


def _as_artifact_error(error: OSError, path: Path) -> ArtifactError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ArtifactError(
            f"no space left while writing {path}",
            "Free some space or choose another folder, then run the same command again: finished parts are kept.",
        )
    return ArtifactError(
        f"cannot write {path}: {error.strerror or error}",
        "Check that the folder exists and that you may write to it, then run the same command again.",
    )


def expanded(path: str) -> Path:
    """Return a path with its ``~`` filled in, and as it is where there is no such user or home."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


@contextmanager
def writing_errors(path: Path) -> Iterator[None]:
    """Turn an operating-system error while writing ``path`` into an `ArtifactError`."""
    try:
        yield
    except OSError as error:
        raise _as_artifact_error(error, path) from error


def process_name() -> str:
    """Return what tells this process from all others that see a folder: in containers process numbers are alike."""
    return f"{socket.gethostname()}-{os.getpid()}"


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` which takes its name when the block ends well.

    Raises:
        ArtifactError: The disk is full or the folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{process_name()}.tmp")
    with writing_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path`` atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def remove_tree(path: Path) -> None:
    """Remove a folder so that a kill in the middle leaves no half folder under its name."""
    if path.is_symlink():  # what it leads to is somebody else's
        with writing_errors(path):
            path.unlink()
    elif path.exists():
        with writing_errors(path):
            trash = path.with_name(f".{path.name}.trash")
            shutil.rmtree(trash, ignore_errors=True)
            path.replace(trash)
            shutil.rmtree(trash)
