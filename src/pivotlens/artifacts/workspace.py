"""Where a stage works: its lock, and the finished parts that survive a kill."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from pivotlens.artifacts.columns import write_parquet
from pivotlens.artifacts.files import writing_errors
from pivotlens.artifacts.lock import PartsLock, StageLock
from pivotlens.artifacts.manifest import MANIFEST
from pivotlens.artifacts.plan import Plan
from pivotlens.errors import ArtifactError


class Workspace:
    """The stage's lock and its folder ``RUN/.work/STAGE-…``, as a context manager.

    Parts in it outlive a kill and are found again by the same plan, those of `lasting_folder` by every plan that they
    serve; whoever leaves the block after the result was put in place leaves no folder behind.

    Attributes:
        staging: Where the result is put together.
        started: When the work began, in seconds since 1970.
    """

    def __init__(self, plan: Plan[Any]) -> None:
        self._plan = plan
        self._folder = plan.work_folder
        self._parts = self._folder / "parts"
        self._lock = StageLock(plan.run, plan.stage)
        self._parts_lock = PartsLock(plan.run, plan.stage)
        self.staging = self._folder / "result"
        self.started = 0.0

    def __enter__(self) -> Self:
        _end_repeated_script()
        self.started = time.time()
        run = self._plan.run
        with writing_errors(run):
            run.mkdir(parents=True, exist_ok=True)
        self._lock.take()
        try:
            self._refuse_foreign_folder()
            self._remove_others(f"{self._plan.stage}-*", self._folder)
            with writing_errors(self._folder):
                self._parts.mkdir(parents=True, exist_ok=True)
                shutil.rmtree(self.staging, ignore_errors=True)
                self.staging.mkdir(parents=True)
                if self.staging.stat().st_dev != run.stat().st_dev:
                    raise ArtifactError(
                        f"{self._folder.parent} is on another file system than {run}, where no result can be put in "
                        "place from it at once",
                        "Remove that link or mount: parts are kept in the run folder itself.",
                    )
        except BaseException:
            self._lock.release()
            raise
        return self

    def _refuse_foreign_folder(self) -> None:
        """Refuse to put a result where somebody keeps something else: the folder would be replaced as a whole."""
        folder = self._plan.folder
        if folder.is_dir() and not (folder / MANIFEST).exists() and any(folder.iterdir()):
            raise ArtifactError(
                f"{folder} is no result of pivotlens, as it has no {MANIFEST}, and would be replaced",
                "Move it away, or choose another --run folder.",
            )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if not self.staging.exists():  # the result is in its place: the parts have served
                self._remove_served(*self._folder.parent.glob(f"{self._plan.stage}.*"))
        finally:
            self._lock.release()

    def clear(self) -> None:
        """Remove what a kill left behind a result that was in its place already; nothing while somebody is at work."""
        if not (self._folder.exists() or self._lock.path.exists() or self._parts_lock.path.exists()):
            return
        try:
            self._lock.take()
        except ArtifactError:
            return
        try:
            self._remove_served()
        finally:
            self._lock.release()

    def _remove_served(self, *others: Path) -> None:
        """Remove what has served; all of it stays while a portion is at work, which a next call then removes."""
        with self._parts_lock.alone() as alone, writing_errors(self._folder):
            if not alone:
                return
            for served in (self._folder, *others):
                if served.exists():
                    shutil.rmtree(served)
            if self._folder.parent.exists() and not any(self._folder.parent.iterdir()):
                self._folder.parent.rmdir()

    def _remove_others(self, pattern: str, kept: Path) -> None:
        stale = [folder for folder in self._folder.parent.glob(pattern) if folder != kept]
        if stale:
            with self._parts_lock.alone() as alone, writing_errors(kept):
                if not alone:
                    raise ArtifactError(
                        f"portions of {self._plan.stage} are at work in {self._plan.run} for other settings, on parts "
                        "that would be removed",
                        "Wait for them to end, or choose another run folder.",
                    )
                for folder in stale:
                    shutil.rmtree(folder)

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

    def lasting_folder(self, fingerprint: str) -> Path:
        """Return a folder for parts that settings of the plan may change without changing these.

        It survives an interruption or an error, and the next plan finds it again; those of other fingerprints go.

        Args:
            fingerprint: What the parts follow from.
        """
        folder = self._folder.parent / f"{self._plan.stage}.{fingerprint[:16]}"
        self._remove_others(f"{self._plan.stage}.*", folder)
        with writing_errors(folder):
            folder.mkdir(exist_ok=True)
        return folder


def _end_repeated_script() -> None:
    """End a process that was started as a worker and is still running the calling script a second time.

    That happens where a script lacks its ``__main__`` guard; the first process tells so, and says what to do. Python
    runs it as the module ``__mp_main__``, which takes the place of ``__main__`` only when it has come to its end.
    """
    repeated = sys.modules.get("__mp_main__")
    if repeated is not None and repeated is not sys.modules["__main__"]:
        raise SystemExit(1)
