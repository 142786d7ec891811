"""A stage's folder while it is being made: finished parts survive a kill, the result appears at once."""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from pivotlens.artifacts.files import atomic_path, remove_tree, write_bytes, writing_errors
from pivotlens.artifacts.fingerprint import fingerprint, sha256_of_file
from pivotlens.artifacts.manifest import MANIFEST, RUN_RECORD, Manifest, Output, read_manifest
from pivotlens.artifacts.tables import schema_of
from pivotlens.errors import ArtifactError
from pivotlens.extras import require_models
from pivotlens.settings import StageConfig

Columns = Mapping[str, Sequence[Any]]
ROW_GROUP = 1 << 17
"""Rows of a row group in every table."""


def _as_table(stage: str, name: str, data: pa.Table | Columns) -> pa.Table:
    schema = schema_of(stage, name)
    if not isinstance(data, pa.Table):
        extra = [key for key in data if key not in schema.names]
        arrays = [pa.array(data[field.name], field.type) for field in schema] + [pa.array(data[key]) for key in extra]
        return pa.table(arrays, names=[*schema.names, *extra])
    extra = [key for key in data.column_names if key not in schema.names]
    data = data.select([*schema.names, *extra])
    return data.cast(pa.schema([*schema, *(data.schema.field(key) for key in extra)]))


def write_parquet(path: Path, table: pa.Table) -> None:
    """Write a table as zstd-compressed Parquet, atomically and with the same bytes for equal tables."""
    with atomic_path(path) as temporary:
        pq.write_table(table.replace_schema_metadata(None), temporary, compression="zstd", row_group_size=ROW_GROUP)


def _row_groups(blocks: Iterable[pa.Table]) -> Iterator[pa.Table]:
    held: list[pa.Table] = []
    rows = 0
    for block in blocks:
        held.append(block)
        rows += block.num_rows
        if rows >= ROW_GROUP:
            merged = pa.concat_tables(held)
            whole = rows - rows % ROW_GROUP
            yield merged.slice(0, whole).combine_chunks()
            held, rows = [merged.slice(whole)], rows - whole
    if rows:
        yield pa.concat_tables(held).combine_chunks()


class StageRun:
    """A stage about to run in a run folder.

    Args:
        run: The run folder.
        config: The stage's settings.
        version: The stage's algorithm version.
        inputs: Fingerprint of each input by name.
        passed: Where each setting that is not a default came from.

    Use it as a context manager: it takes the stage's lock, keeps parts in ``RUN/.work`` and, after `finish`,
    puts the whole result in place of the old one.
    """

    def __init__(
        self,
        run: Path | str,
        config: StageConfig,
        *,
        version: int,
        inputs: Mapping[str, str],
        passed: Mapping[str, str] | None = None,
    ) -> None:
        self.run = Path(run)
        self.config = config
        self.stage = config.stage
        self.version = version
        self.inputs = dict(inputs)
        self.passed = dict(passed or {})
        self.fingerprint = fingerprint(self.stage, version, config.meaning(), self.inputs)
        self.folder = self.run / self.stage
        self._work = self.run / ".work" / f"{self.stage}-{self.fingerprint[:16]}"
        self._parts = self._work / "parts"
        self.staging = self._work / "result"
        self._rows: dict[str, int] = {}
        self._adopted: dict[str, Output] = {}
        self._warnings: list[str] = []
        self._lock: int | None = None
        self._started = 0.0

    # -- state

    def reason_to_run(self) -> str | None:
        """Return why the stage must run, or None where its result is there and fits."""
        manifest = read_manifest(self.folder)
        if manifest is None:
            return "finished parts of an interrupted run go on" if self._parts.exists() else "no result yet"
        if manifest.fingerprint != self.fingerprint:
            return self._difference(manifest)
        for name, output in manifest.outputs.items():
            path = self.folder / name
            if not path.is_file() or path.stat().st_size != output.bytes:
                return f"{self.stage}/{name} is missing or was changed"
        return None

    def other_settings(self) -> list[str]:
        """Return in which settings the finished result differs from what is asked for now; none where there is none.

        A result of other inputs or of an older version is out of date, and no other result.
        """
        manifest = read_manifest(self.folder)
        return [] if manifest is None else self._changed({**self.config.meaning(), **manifest.config})

    def _changed(self, old: Mapping[str, Any]) -> list[str]:
        meaning = self.config.meaning()
        return [f"{key}: {old.get(key)!r} → {value!r}" for key, value in meaning.items() if old.get(key) != value]

    def _difference(self, manifest: Manifest) -> str:
        if manifest.algorithm_version != self.version:
            return f"algorithm version {manifest.algorithm_version} → {self.version}"
        changed = self._changed(manifest.config)
        changed += [
            f"input {name} changed" for name, value in self.inputs.items() if manifest.inputs.get(name) != value
        ]
        changed += [f"input {name} is gone" for name in manifest.inputs if name not in self.inputs]
        return "; ".join(changed) or "settings changed"

    # -- lifetime

    def __enter__(self) -> Self:
        _end_repeated_script()
        if self.config.runs_model:
            require_models(f"`pivotlens {self.stage}`")
        self._started = time.time()
        with writing_errors(self.run):
            self.run.mkdir(parents=True, exist_ok=True)
        self._take_lock()
        try:
            self._refuse_foreign_folder()
            with writing_errors(self._work):
                for stale in self._work.parent.glob(f"{self.stage}-*"):
                    if stale != self._work:
                        shutil.rmtree(stale)
                self._parts.mkdir(parents=True, exist_ok=True)
                shutil.rmtree(self.staging, ignore_errors=True)
                self.staging.mkdir(parents=True)
                if self.staging.stat().st_dev != self.run.stat().st_dev:
                    raise ArtifactError(
                        f"{self._work.parent} is on another file system than {self.run}, where no result can be put in "
                        "place from it at once",
                        "Remove that link or mount: parts are kept in the run folder itself.",
                    )
        except BaseException:
            self._release_lock()
            raise
        return self

    def _refuse_foreign_folder(self) -> None:
        """Refuse to put a result where somebody keeps something else: the folder would be replaced as a whole."""
        if self.folder.is_dir() and not (self.folder / MANIFEST).exists() and any(self.folder.iterdir()):
            raise ArtifactError(
                f"{self.folder} is no result of pivotlens, as it has no {MANIFEST}, and would be replaced",
                "Move it away, or choose another --run folder.",
            )

    def _take_lock(self) -> None:
        path = self.run / f".{self.stage}.lock"
        while self._lock is None:
            with writing_errors(path):
                handle = os.open(path, os.O_CREAT | os.O_RDWR)
            try:
                with writing_errors(path):
                    try:
                        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    except BlockingIOError as error:
                        raise ArtifactError(
                            f"another process is running {self.stage} in {self.run}",
                            "Wait for it to end, or choose another run folder.",
                        ) from error
                # Its last owner may have removed the file in between: then this is a lock that nobody else sees.
                with suppress(FileNotFoundError):
                    if os.path.samestat(os.fstat(handle), path.stat()):
                        self._lock = handle
            finally:
                if self._lock is None:
                    os.close(handle)

    def _release_lock(self) -> None:
        if self._lock is not None:
            (self.run / f".{self.stage}.lock").unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._release_lock()

    def warn(self, message: str) -> None:
        """Record a warning: it stands in the manifest, the report and on the terminal."""
        if message not in self._warnings:
            self._warnings.append(message)

    # -- parts

    def has_part(self, key: str) -> bool:
        """Tell whether the part was finished, now or before an interruption."""
        return (self._parts / f"{key}.parquet").exists()

    def write_part(self, key: str, table: pa.Table) -> None:
        """Keep a finished part of the work."""
        write_parquet(self._parts / f"{key}.parquet", table)

    def read_part(self, key: str) -> pa.Table:
        """Return a finished part.

        Raises:
            ArtifactError: It is damaged.
        """
        path = self._parts / f"{key}.parquet"
        try:
            return pq.read_table(path)
        except (OSError, pa.ArrowException) as error:
            raise ArtifactError(
                f"{path} is missing or damaged: {error}", f"Remove {path} and run the same command again."
            ) from error

    def parts_folder(self, key: str) -> Path:
        """Return a folder for parts that are not Parquet tables; it survives an interruption."""
        folder = self._parts / key
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    # -- result

    def write_table(self, name: str, data: pa.Table | Columns) -> None:
        """Write one of the stage's tables, cast to its schema; columns beyond the schema are kept."""
        table = _as_table(self.stage, name, data)
        write_parquet(self.staging / f"{name}.parquet", table)
        self._rows[f"{name}.parquet"] = table.num_rows

    def write_blocks(self, name: str, blocks: Iterable[pa.Table]) -> None:
        """Write one of the stage's tables block by block: it need never be in memory as a whole.

        Args:
            name: The table.
            blocks: Its rows, with the columns of its schema; how they are cut does not matter.
        """
        rows = 0
        with (
            atomic_path(self.staged(f"{name}.parquet")) as temporary,
            pq.ParquetWriter(temporary, schema_of(self.stage, name), compression="zstd") as writer,
        ):
            for group in _row_groups(blocks):
                writer.write_table(group, row_group_size=ROW_GROUP)
                rows += group.num_rows
        self.staged(f"{name}.parquet", rows)

    def adopt(self, name: str, part: Path, output: Output) -> None:
        """Take a file that a worker wrote among the parts into the result, without copying it.

        Args:
            name: Path within the stage's folder, with ``/``.
            part: The file; it stays where it is too, so that an interruption loses nothing.
            output: What the worker found it to be.
        """
        path = self.staged(name)
        with writing_errors(path):
            try:
                path.hardlink_to(part)
            except OSError:  # not every file system has hard links
                shutil.copyfile(part, path)
        self._adopted[name] = output

    def staged(self, name: str, rows: int | None = None) -> Path:
        """Return where a further file of the result is to be written, such as documents; `finish` seals it.

        Args:
            name: Path within the stage's folder, with ``/``.
            rows: Rows it holds, for the manifest, once they are known.
        """
        path = self.staging / name
        with writing_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        if rows is not None:
            self._rows[name] = rows
        return path

    def finish(self, details: Mapping[str, Any] | None = None) -> Manifest:
        """Seal the result and put it in the run folder.

        Args:
            details: What else the reader must know (model revision, seeds, dtype, counts); no times, no machine.
        """
        outputs = {
            path.relative_to(self.staging).as_posix(): self._output(path)
            for path in sorted(self.staging.rglob("*"))
            if path.is_file()
        }
        manifest = Manifest(
            stage=self.stage,
            algorithm_version=self.version,
            fingerprint=self.fingerprint,
            config=self.config.meaning(),
            passed={key: source for key, source in self.passed.items() if key in self.config.meaning()},
            inputs=self.inputs,
            outputs=outputs,
            details=dict(details or {}),
            warnings=self._warnings,
        )
        record = orjson.dumps(
            run_record(self._started, self.config), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        )
        write_bytes(self.staging / RUN_RECORD, record)
        write_bytes(self.staging / MANIFEST, manifest.to_bytes())
        remove_tree(self.folder)
        with writing_errors(self.folder):
            self.staging.replace(self.folder)
            shutil.rmtree(self._work)
            if not any(self._work.parent.iterdir()):
                self._work.parent.rmdir()
        return manifest

    def _output(self, path: Path) -> Output:
        name = path.relative_to(self.staging).as_posix()
        if name in self._adopted:
            return self._adopted[name]
        return Output(bytes=path.stat().st_size, sha256=sha256_of_file(path), rows=self._rows.get(name))


def _end_repeated_script() -> None:
    """End a process that was started as a worker and is still running the calling script a second time.

    That happens where a script lacks its ``__main__`` guard; the first process tells so, and says what to do. Python
    runs it as the module ``__mp_main__``, which takes the place of ``__main__`` only when it has come to its end.
    """
    repeated = sys.modules.get("__mp_main__")
    if repeated is not None and repeated is not sys.modules["__main__"]:
        raise SystemExit(1)


_PACKAGES = ("pivotlens", "numpy", "pyarrow", "torch", "transformers", "tokenizers", "scipy")


def run_record(started: float, config: StageConfig) -> dict[str, Any]:
    """Return what differs from run to run: times, host, package versions, and settings without meaning."""
    versions = {}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
        "seconds": round(time.time() - started, 3),
        "host": platform.node(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
        "command": [os.fsencode(argument).decode("utf-8", "backslashreplace") for argument in sys.argv],
        "settings": {
            key: value for key, value in config.model_dump(mode="json").items() if key not in config.meaning()
        },
        "packages": versions,
    }
