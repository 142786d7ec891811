"""Writing a stage's result: tables by their contract, further files, the manifest last, all in place at once."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import time
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from pivotlens.artifacts.columns import Columns, as_table, declared_schema, write_parquet, write_parquet_blocks
from pivotlens.artifacts.files import remove_tree, write_bytes, writing_errors
from pivotlens.artifacts.fingerprint import sha256_of_file
from pivotlens.artifacts.manifest import MANIFEST, RUN_RECORD, Manifest, Output
from pivotlens.artifacts.plan import Plan
from pivotlens.artifacts.workspace import Workspace
from pivotlens.settings import StageConfig


class ResultWriter:
    """Writes the result of a plan.

    Args:
        plan: What the result follows from.
        workspace: It is put together there, and must be entered.
    """

    def __init__(self, plan: Plan[Any], workspace: Workspace) -> None:
        self._plan = plan
        self._staging = workspace.staging
        self._started = workspace.started
        self._rows: dict[str, int] = {}
        self._adopted: dict[str, Output] = {}
        self._warnings: list[str] = []

    def warn(self, message: str) -> None:
        """Record a warning: it stands in the manifest, the report and on the terminal."""
        if message not in self._warnings:
            self._warnings.append(message)

    def write_table(self, name: str, data: pa.Table | Columns) -> None:
        """Write one of the stage's tables.

        Raises:
            ValueError: Its columns are not those that are declared for it.
        """
        table = as_table(self._plan.stage, name, data)
        write_parquet(self._staging / f"{name}.parquet", table)
        self._rows[f"{name}.parquet"] = table.num_rows

    def write_rows(self, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write one of the stage's tables from its rows, by the types that are declared.

        Raises:
            ValueError: It is not declared.
        """
        self.write_table(name, pa.Table.from_pylist(list(rows), schema=declared_schema(self._plan.stage, name)))

    def write_table_blocks(self, name: str, tables: Iterable[pa.Table]) -> None:
        """Write one of the stage's tables block by block: it need never be in memory as a whole.

        Args:
            name: The table.
            tables: Its rows in order; how they are cut does not matter.

        Raises:
            ValueError: It is not declared, or the columns are not those that are.
        """
        stage = self._plan.stage
        blocks = (as_table(stage, name, block) for block in tables)
        path = self.staged(f"{name}.parquet")
        self._rows[path.name] = write_parquet_blocks(path, declared_schema(stage, name), blocks)

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
        path = self._staging / name
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
        plan, meaning = self._plan, self._plan.config.meaning()
        outputs = {
            path.relative_to(self._staging).as_posix(): self._output(path)
            for path in sorted(self._staging.rglob("*"))
            if path.is_file()
        }
        manifest = Manifest(
            stage=plan.stage,
            algorithm_version=plan.version,
            fingerprint=plan.fingerprint,
            config=meaning,
            origins={key: source for key, source in plan.origins.items() if key in meaning},
            inputs=dict(plan.inputs),
            outputs=outputs,
            details=dict(details or {}),
            warnings=self._warnings,
        )
        record = orjson.dumps(
            run_record(self._started, plan.config), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        )
        write_bytes(self._staging / RUN_RECORD, record)
        write_bytes(self._staging / MANIFEST, manifest.to_bytes())
        remove_tree(plan.folder)
        with writing_errors(plan.folder):
            self._staging.replace(plan.folder)
        return manifest

    def _output(self, path: Path) -> Output:
        name = path.relative_to(self._staging).as_posix()
        if name in self._adopted:
            return self._adopted[name]
        return Output(bytes=path.stat().st_size, sha256=sha256_of_file(path), rows=self._rows.get(name))


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
