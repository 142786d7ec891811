"""From a corpus spec to its files: a path, a folder, a glob, a URL or the bundled sample."""

from __future__ import annotations

import glob
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import IO, Any

from pivotlens.artifacts.fingerprint import files_fingerprint, sha256_of_file
from pivotlens.errors import ConfigError, DataError, PrerequisiteError, did_you_mean

SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".json.gz", ".json.zst", ".parquet")
"""Kinds of files that are read; other files of a folder are none of the corpus."""

_DEMO = {"tatoeba": "sample"}
# What file systems call the thing that changes when the content does, best first.
_MARKS = ("ETag", "etag", "blob_id", "sha256", "md5Hash", "LastModified", "last_modified", "mtime", "created")


@dataclass(frozen=True)
class CorpusFile:
    """One file of a corpus.

    Attributes:
        name: Relative to the corpus, with ``/``: the same wherever the corpus lies.
        location: Path or URL to open.
        size: Bytes.
        mark: Changes when the content does: modification time, ETag or sha256.
    """

    name: str
    location: str
    size: int
    mark: str

    def open(self) -> IO[bytes]:
        """Open the file for reading.

        Raises:
            DataError: It cannot be opened.
            PrerequisiteError: It is remote and its file system is not reachable.
        """
        if "://" not in self.location:
            try:
                return Path(self.location).open("rb")
            except OSError as error:
                raise DataError(
                    f"cannot open {self.location}: {error.strerror}", "Check that it is there and may be read."
                ) from error
        try:
            import fsspec  # type: ignore[import-untyped]

            return fsspec.open(self.location, "rb").open()  # type: ignore[no-any-return]
        except Exception as error:  # every file system raises errors of its own
            raise _unreachable(self.location, error) from error


def list_corpus(spec: str) -> tuple[CorpusFile, ...]:
    """Return the files of a corpus, sorted by name; reads no content (but of the bundled sample).

    Args:
        spec: A file, a folder (searched to the bottom), a glob, ``hf://…``, ``s3://…`` or ``demo:tatoeba``.

    Raises:
        ConfigError: The spec is empty or names an unknown bundled corpus.
        DataError: There is no file of a known kind.
        PrerequisiteError: A remote file system cannot be reached, or its package is not installed.
    """
    if not spec:
        raise ConfigError("no corpus given", "Pass --corpus with a file, a folder, a glob, a URL or demo:tatoeba.")
    if spec.startswith("demo:"):
        files = _bundled(spec)
    elif "://" in spec:
        files = _remote(spec)
    else:
        files = _local(spec)
    if not files:
        raise DataError(
            f"corpus {spec!r} holds no file that can be read", f"Known kinds of files: {', '.join(SUFFIXES)}."
        )
    return tuple(sorted(files, key=lambda file: file.name))


def corpus_fingerprint(spec: str) -> str:
    """Return a fingerprint of a corpus by the names, sizes and marks of its files."""
    return files_fingerprint({file.name: (file.size, file.mark) for file in list_corpus(spec)})


def _is_visible(name: str) -> bool:
    return name.endswith(SUFFIXES) and not any(part.startswith(".") for part in name.split("/"))


def _local(spec: str) -> list[CorpusFile]:
    path = Path(spec).expanduser()
    if path.is_file():
        if not path.name.endswith(SUFFIXES):
            raise DataError(f"{spec} is of no known kind", f"Known kinds of files: {', '.join(SUFFIXES)}.")
        return [_local_file(path, path.name)]
    if path.is_dir():
        names = {found.relative_to(path).as_posix(): found for found in path.rglob("*")}
    elif glob.has_magic(spec):
        root = Path(*_until_magic(path.parts))
        names = {found.relative_to(root).as_posix(): found for found in root.glob(str(path.relative_to(root)))}
    else:
        raise DataError(f"there is no file or folder {spec!r} (corpus)", "Check the path; relative ones start here.")
    return [_local_file(found, name) for name, found in names.items() if _is_visible(name) and found.is_file()]


def _until_magic(parts: tuple[str, ...]) -> list[str]:
    fixed: list[str] = []
    for part in parts[:-1]:
        if glob.has_magic(part):
            break
        fixed.append(part)
    return fixed


def _local_file(path: Path, name: str) -> CorpusFile:
    status = path.stat()
    return CorpusFile(name, str(path), status.st_size, str(status.st_mtime_ns))


def _bundled(spec: str) -> list[CorpusFile]:
    name = spec.removeprefix("demo:")
    if name not in _DEMO:
        raise ConfigError(f"unknown bundled corpus {spec!r}", did_you_mean(name, _DEMO))
    folder = Path(str(resources.files("pivotlens.corpus") / _DEMO[name]))
    paths = [path for path in folder.glob("*") if path.name.endswith(SUFFIXES)] if folder.is_dir() else []
    if not paths:
        raise PrerequisiteError(
            f"the bundled corpus {spec!r} is not part of this installation", "Install pivotlens again, from its wheel."
        )
    # Content, not time: an installation gives the files new times, and the result must not depend on that.
    return [CorpusFile(path.name, str(path), path.stat().st_size, sha256_of_file(path)) for path in paths]


def _remote(spec: str) -> list[CorpusFile]:
    try:
        import fsspec

        system, path = fsspec.core.url_to_fs(spec)
        if system.isfile(path):
            root, found = path.rpartition("/")[0], {path: system.info(path)}
        elif glob.has_magic(path):
            root = "/".join(_until_magic(tuple(path.split("/"))))
            found = system.glob(path, detail=True)
        else:
            root, found = path.rstrip("/"), system.find(path, detail=True)
    except FileNotFoundError as error:
        raise DataError(f"there is nothing at {spec} (corpus)", "Check the address and your access to it.") from error
    except Exception as error:  # every file system raises errors of its own
        raise _unreachable(spec, error) from error
    files = []
    for location, info in found.items():
        name = location.removeprefix(root).lstrip("/")
        if info.get("type") == "file" and _is_visible(name):
            files.append(CorpusFile(name, system.unstrip_protocol(location), int(info.get("size") or 0), _mark(info)))
    return files


def _mark(info: Mapping[str, Any]) -> str:
    values = [info[key] for key in _MARKS if info.get(key)]
    return str(values[0]) if values else ""


def _unreachable(location: str, error: Exception) -> PrerequisiteError:
    scheme = location.split("://")[0]
    if isinstance(error, (ImportError, ValueError)):
        return PrerequisiteError(
            f"{scheme}:// cannot be read here: {error}",
            "Install the file system's package (s3fs for s3://, huggingface_hub for hf://).",
        )
    return PrerequisiteError(
        f"cannot reach {location}: {type(error).__name__}: {error}",
        "Check the network and your access, then run again.",
    )
