"""From a corpus spec to its files: a path, a folder, a glob, a URL or the bundled sample."""

from __future__ import annotations

import fnmatch
import glob
import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import IO, Any

from pivotlens.artifacts import Made, RunFolder
from pivotlens.artifacts.files import COMPRESSIONS, PARQUET, SUFFIXES, expanded
from pivotlens.artifacts.fingerprint import files_fingerprint, sha256_of_file
from pivotlens.artifacts.references import document_names
from pivotlens.errors import ConfigError, DataError, PrerequisiteError, did_you_mean
from pivotlens.extras import install_hint

# Beside data lie notes, sums and marks of completion; whatever else is not read is named.
_NO_DATA = re.compile(
    r"(readme|licen[cs]e|copying|notice|changelog|citation|authors|makefile|dockerfile|sha\d+sums?|md5sums?|checksums?"
    r"|_success|_metadata|_common_metadata|_started|_committed)([._-].*)?"
    r"|(manifest|config|metadata|dataset_infos?|state|stats|index|schema|croissant)\.json"
    r"|.*\.(md|rst|html?|pdf|crc|md5|sha\d+|sig|asc|ya?ml|toml|cfg|ini|py|sh|ipynb|log|png|jpe?g|svg|gif|lock|idx|bib)"
)
_NAMED = 10
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

    @property
    def shown(self) -> str:
        """Its location for a message: bytes that are not UTF-8 as escapes."""
        return _shown(self.location)

    def open(self) -> IO[bytes]:
        """Open the file for reading.

        Raises:
            DataError: It cannot be opened, or is another one than was listed.
            PrerequisiteError: It is remote and its file system is not reachable.
        """
        if "://" not in self.location:
            try:
                handle = Path(self.location).open("rb")  # noqa: SIM115 - the caller closes it
            except OSError as error:
                raise DataError(
                    f"cannot open {self.shown}: {error.strerror}", "Check that it is there and may be read."
                ) from error
            status = os.fstat(handle.fileno())
            # A mark that is no time is a sum of the content.
            if status.st_size != self.size or (self.mark.isdecimal() and self.mark != str(status.st_mtime_ns)):
                handle.close()
                raise DataError(
                    f"{self.shown} was changed while the corpus was read",
                    "Run the command again once nothing writes there any more.",
                )
            return handle
        try:
            import fsspec  # type: ignore[import-untyped]

            return fsspec.open(self.location, "rb").open()  # type: ignore[no-any-return]
        except Exception as error:  # every file system raises errors of its own
            raise unreachable(self.location, error) from error


@dataclass(frozen=True)
class Listing:
    """What a corpus spec leads to; what was listed is what is read.

    Attributes:
        files: Those that are read, sorted by name.
        warnings: What was left out, and what may be there twice.
        planned: Fingerprint of the plan, where a stage is still to make the corpus; then there are no files.
    """

    files: tuple[CorpusFile, ...]
    warnings: tuple[str, ...] = ()
    planned: str = ""

    @property
    def provisional(self) -> bool:
        """Whether a stage is still to make it."""
        return bool(self.planned)

    @property
    def fingerprint(self) -> str:
        """What stands for its content: the names, sizes and marks of its files, none of which is read."""
        return self.planned or files_fingerprint({file.name: (file.size, file.mark) for file in self.files})


def list_corpus(spec: str) -> tuple[CorpusFile, ...]:
    """Return the files of a corpus, sorted by name; reads no content (but of the bundled sample).

    Args:
        spec: A file, a folder (searched to the bottom), a glob, ``hf://…``, ``s3://…`` or ``demo:tatoeba``.

    Raises:
        ConfigError: The spec is empty or names an unknown bundled corpus.
        DataError: There is no file of a known kind.
        PrerequisiteError: A remote file system cannot be reached, or its package is not installed.
    """
    return survey_corpus(spec).files


def survey_corpus(spec: str, near: RunFolder | None = None) -> Listing:
    """Return the files of a corpus with warnings of those that are left out; errors as `list_corpus`.

    Args:
        spec: As `list_corpus`, or ``run:STAGE/ARM``: documents that a stage made.
        near: The run folder that such a reference leads into.

    Raises:
        PrerequisiteError: The stage that is referred to has not run, or made no such documents.
    """
    if not spec:
        raise ConfigError("no corpus given", "Pass --corpus with a file, a folder, a glob, a URL or demo:tatoeba.")
    made = (near or RunFolder(Path())).made(spec)
    if made is not None and made.provisional:
        return Listing((), planned=made.fingerprint)
    scheme, _, rest = spec.partition("://")
    if made is not None:
        found = _Found(_made_by_a_stage(made))
    elif spec.startswith("demo:"):
        found = _Found(_bundled(spec))
    elif rest and scheme not in ("file", "local"):
        found = _remote(spec)
    else:
        found = _local(rest or spec)
    files = tuple(sorted(found.files, key=lambda file: file.name))
    if not files:
        raise DataError(
            f"corpus {_shown(spec)!r} holds no file that can be read",
            " ".join(
                [*(f"{warning}." for warning in found.warnings()), f"Known kinds of files: {', '.join(SUFFIXES)}."]
            ),
        )
    names = Counter(file.name for file in files)
    if twice := [name for name, count in names.items() if count > 1]:
        raise DataError(f"two files of corpus {_shown(spec)!r} are both shown as {twice[0]!r}", "Rename one of them.")
    return Listing(files, (*found.warnings(), *_same_stem(files)))


def is_parquet(file: CorpusFile) -> bool:
    """Tell by its name whether a file is read as Parquet, not as JSON lines."""
    return file.name.lower().endswith(PARQUET)


def named_compression(file: CorpusFile) -> str | None:
    """Return the compression that a file's name tells of."""
    return next((kind for ending, kind in COMPRESSIONS.items() if file.name.lower().endswith(ending)), None)


@dataclass
class _Found:
    """Files that are read, and the names of the others by reason."""

    files: list[CorpusFile] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)

    def leave_out(self, name: str, reason: str) -> None:
        self.left_out.setdefault(reason, []).append(name)

    def is_read(self, name: str, plain_json: bool) -> bool:
        """Tell whether a file of this name is read; one that looks like data and is not is noted down."""
        lower = name.lower()
        if any(part.startswith(".") for part in name.split("/")):
            return False
        if lower.endswith(SUFFIXES) or (plain_json and lower.endswith(".json")):
            return True
        if not _NO_DATA.fullmatch(lower.rpartition("/")[2]):
            self.leave_out(name, _METADATA if lower.endswith(".json") else _UNKNOWN_KIND)
        return False

    def warnings(self) -> list[str]:
        return [f"left out of the corpus, {reason}: {_names(names)}" for reason, names in sorted(self.left_out.items())]


_UNKNOWN_KIND = "of no kind that is read"
_METADATA = "as it may describe the data (end a glob in .json to read such files)"
_BROKEN_LINK = "links to files that are not there"
_SPECIAL = "as pipes, sockets and devices can be read only once"
_SAME_FILE = "as it is the same file under a second name"
_FOLDER = "folders, as a glob of files does not search them"


def _names(names: Iterable[str]) -> str:
    ordered = sorted(names)
    more = f" and {len(ordered) - _NAMED:,} more" if len(ordered) > _NAMED else ""
    return ", ".join(ordered[:_NAMED]) + more


def _same_stem(files: Sequence[CorpusFile]) -> list[str]:
    endings = sorted([*SUFFIXES, ".json"], key=len, reverse=True)
    stems: dict[str, list[str]] = {}
    for file in files:
        ending = next((ending for ending in endings if file.name.lower().endswith(ending)), "")
        stems.setdefault(file.name[: len(file.name) - len(ending)], []).append(file.name)
    alike = [" and ".join(sorted(names)) for names in stems.values() if len(names) > 1]
    return [f"likely the same documents twice, all of them read: {_names(alike)}"] if alike else []


def _shown(path: str) -> str:
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _local(spec: str) -> _Found:
    path = expanded(spec)
    found = _Found()
    if path.is_file():
        if not found.is_read(path.name.lstrip("."), plain_json=True):
            raise DataError(
                f"{_shown(spec)} is of no known kind", f"Known kinds of files: {', '.join(SUFFIXES)}, .json."
            )
        found.files.append(_local_file(path, path.name))
        return found
    if path.is_dir():
        root, pattern = path, ["**"]
    elif path.exists():
        raise DataError(
            f"{_shown(spec)!r} (corpus) is a pipe, socket or device, and a corpus is read more than once",
            "Write it into a file first.",
        )
    elif path.is_symlink():
        raise DataError(
            f"{_shown(spec)!r} (corpus) is a link to {_shown(str(path.readlink()))!r}, which is not there",
            "Fetch that first.",
        )
    elif glob.has_magic(spec):
        root = Path(*_until_magic(path.parts))
        pattern = list(path.relative_to(root).parts)
    else:
        raise DataError(
            f"there is no file or folder {_shown(spec)!r} (corpus)", "Check the path; relative ones start here."
        )
    deepest = sys.maxsize if "**" in pattern else len(pattern)
    below = _walk(root, deepest, frozenset()) if root.is_dir() else ()
    walked = {"/".join(parts): is_folder for parts, is_folder in below if _fits(parts, pattern)}
    searched = {name.rpartition("/")[0] for name in walked}
    plain_json = pattern[-1].lower().endswith(".json")
    same: dict[tuple[int, int], list[str]] = {}
    for name, is_folder in walked.items():
        here = root / name
        if is_folder:
            if pattern[-1] != "**" and name not in searched and any(here.iterdir()):
                found.leave_out(_shown(name), _FOLDER)
        elif not here.exists():
            found.leave_out(_shown(name), _BROKEN_LINK)
        elif not here.is_file():
            found.leave_out(_shown(name), _SPECIAL)
        elif found.is_read(_shown(name), plain_json):
            status = here.stat()
            same.setdefault((status.st_dev, status.st_ino), []).append(name)
    for names in same.values():
        first, *others = names if len(names) == 1 else sorted(names, key=lambda name: (_by_link(root, name), name))
        found.files.append(_local_file(root / first, _shown(first)))
        for other in others:
            found.leave_out(f"{_shown(other)} ({_shown(first)})", _SAME_FILE)
    return found


def _walk(folder: Path, deepest: int, above: frozenset[tuple[int, int]]) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Yield what is visible below a folder, and whether it is a folder: through links too, but in no circle."""
    try:
        status = folder.stat()
        entries = [(child, child.is_dir()) for child in sorted(folder.iterdir())]
    except OSError as error:
        raise DataError(
            f"cannot open the folder {_shown(str(folder))}: {error.strerror}", "Check that it is there and may be read."
        ) from error
    here = (status.st_dev, status.st_ino)
    if here in above:
        return
    for child, is_folder in entries:
        if not child.name.startswith("."):
            yield (child.name,), is_folder
            if is_folder and deepest > 1:
                for parts, further in _walk(child, deepest - 1, above | {here}):
                    yield (child.name, *parts), further


def _fits(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_fits(parts[start:], pattern[1:]) for start in range(len(parts) + 1))
    return bool(parts) and fnmatch.fnmatchcase(parts[0], pattern[0]) and _fits(parts[1:], pattern[1:])


def _by_link(root: Path, name: str) -> bool:
    return (root / name).resolve() != root.resolve() / name


def _until_magic(parts: tuple[str, ...]) -> list[str]:
    fixed: list[str] = []
    for part in parts[:-1]:
        if glob.has_magic(part):
            break
        fixed.append(part)
    return fixed


def _local_file(path: Path, name: str) -> CorpusFile:
    status = path.stat()
    return CorpusFile(_shown(name), str(path), status.st_size, str(status.st_mtime_ns))


def _bundled(spec: str) -> list[CorpusFile]:
    name = spec.removeprefix("demo:")
    if name not in _DEMO:
        raise ConfigError(f"unknown bundled corpus {spec!r}", did_you_mean(spec, (f"demo:{name}" for name in _DEMO)))
    folder = Path(str(resources.files("pivotlens.corpus") / _DEMO[name]))
    paths = [path for path in folder.glob("*") if path.name.endswith(SUFFIXES)] if folder.is_dir() else []
    if not paths:
        raise PrerequisiteError(
            f"the bundled corpus {spec!r} is not part of this installation", "Install pivotlens again, from its wheel."
        )
    # Content, not time: an installation gives the files new times, and the result must not depend on that.
    return [CorpusFile(path.name, str(path), path.stat().st_size, sha256_of_file(path)) for path in paths]


def _made_by_a_stage(made: Made) -> list[CorpusFile]:
    # The sums of the manifest, not times: the same documents are the same corpus wherever and whenever they were made.
    return [
        CorpusFile(name, str(made.check(name)), made.files[name].bytes, made.files[name].sha256)
        for name in document_names(made.files)
    ]


def _remote(spec: str) -> _Found:
    try:
        import fsspec

        system, path = fsspec.core.url_to_fs(spec)
        if glob.has_magic(path):
            root = "/".join(_until_magic(tuple(path.split("/"))))
            infos = system.glob(path, detail=True)
        elif _info_of(system, path).get("type") == "file":
            root, infos = path.rpartition("/")[0], {path: system.info(path)}
        else:
            root, infos = path.rstrip("/"), system.find(path, detail=True)
    except Exception as error:  # every file system raises errors of its own
        if type(error) is FileNotFoundError and (_cause(error) is error or _code_of(error) in _NOT_THERE):
            raise DataError(
                f"there is nothing at {spec} (corpus)", "Check the address and your access to it."
            ) from error
        raise unreachable(spec, error) from error
    found = _Found()
    plain_json = path.lower().endswith(".json")
    for location, info in infos.items():
        name = location.removeprefix(root).lstrip("/").partition("?")[0]
        if info.get("type") == "file" and found.is_read(name, plain_json):
            size = int(info.get("size") or 0)
            found.files.append(CorpusFile(name, system.unstrip_protocol(location), size, _mark(info)))
    return found


def _info_of(system: Any, path: str) -> Mapping[str, Any]:
    try:
        return system.info(path)  # type: ignore[no-any-return]
    except FileNotFoundError as error:
        if _cause(error) is not error:
            raise
        return {}  # a folder need not be a thing of its own


def _cause(error: Exception) -> BaseException:
    """Return what really happened: over HTTP a refused connection is told as a file that is not there."""
    cause = error.__cause__
    return error if cause is None or isinstance(cause, FileNotFoundError) else cause


def _code_of(error: Exception) -> str:
    """Return the code that the answer of an object store or a web server gives, such as 403; empty without one."""
    cause = _cause(error)
    response = getattr(cause, "response", None)
    if isinstance(response, Mapping):
        return str(response.get("Error", {}).get("Code", ""))
    return str(getattr(response, "status_code", "") or getattr(cause, "status", ""))


def _mark(info: Mapping[str, Any]) -> str:
    values = [info[key] for key in _MARKS if info.get(key)]
    return str(values[0]) if values else ""


_NOT_THERE = frozenset({"NoSuchBucket", "NoSuchKey", "404"})
_REFUSED = frozenset({"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "401", "403"})
_CREDENTIALS = {
    "s3": "Give credentials as the AWS tools find them: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE. "
    "For a public bucket set FSSPEC_S3_ANON=true, for another server than Amazon's AWS_ENDPOINT_URL.",
    "hf": "Check its name, set HF_TOKEN or log in with `hf auth login`, and accept the conditions on its page.",
}


def unreachable(location: str, error: Exception) -> PrerequisiteError:
    """Return the error of a remote file or folder that cannot be reached."""
    cause = _cause(error)
    scheme = location.split("://")[0]
    credentials = _CREDENTIALS.get(scheme)
    if isinstance(error, (ImportError, ValueError)):
        return PrerequisiteError(
            f"{scheme}:// cannot be read here: {error}",
            install_hint("s3") if scheme == "s3" else "Install the package of that file system, as fsspec names it.",
        )
    said = f"{type(cause).__name__}: {' '.join(str(cause).split())}"
    if credentials and (
        isinstance(error, PermissionError) or "Credentials" in type(cause).__name__ or _code_of(error) in _REFUSED
    ):
        return PrerequisiteError(f"no access to {location}: {said}", credentials)
    return PrerequisiteError(f"cannot reach {location}: {said}", "Check the network and your access, then run again.")
