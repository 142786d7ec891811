"""Reading what a stage left in a run folder."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import pyarrow as pa
import pyarrow.parquet as pq

from pivotlens.artifacts.manifest import Manifest, read_manifest
from pivotlens.artifacts.tables import SCHEMAS, schema_of
from pivotlens.errors import ArtifactError, PrerequisiteError, did_you_mean

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class StageResult:
    """The finished result of one stage.

    Attributes:
        folder: Where its files lie (``RUN/<stage>``).
        manifest: What they are and what they follow from.
    """

    folder: Path
    manifest: Manifest
    stage: ClassVar[str] = ""

    @classmethod
    def load(cls, run: Path | str) -> Self:
        """Load the stage's result from a run folder.

        Raises:
            PrerequisiteError: The stage has not run there.
            ArtifactError: Its manifest is damaged.
        """
        result = cls.load_if_there(run)
        if result is None:
            raise PrerequisiteError(
                f"{run} has no finished {cls.stage!r} stage",
                f"Run `pivotlens {cls.stage} --run {run}` first.",
            )
        return result

    @classmethod
    def load_if_there(cls, run: Path | str) -> Self | None:
        """Load the stage's result, or return None where the stage has not run."""
        folder = Path(run) / cls.stage
        manifest = read_manifest(folder)
        return None if manifest is None else cls(folder, manifest)

    def table(self, name: str) -> pa.Table:
        """Return one of the stage's tables.

        Raises:
            ArtifactError: The stage has no such table, or the file is damaged.
        """
        file = f"{name}.parquet"
        if file not in self.manifest.outputs:
            known = [key.split("/")[1] for key in SCHEMAS if key.startswith(f"{self.stage}/")]
            raise ArtifactError(f"{self.stage} has no table {name!r}", did_you_mean(name, known))
        try:
            (self.folder / file).open("rb").close()  # pyarrow takes a folder for an empty table
            table = pq.read_table(self.folder / file)
        except (OSError, pa.ArrowException) as error:
            raise ArtifactError(
                f"{self.folder / file} is missing or damaged: {error}",
                self._remedy(),
            ) from error
        if missing := [column for column in schema_of(self.stage, name).names if column not in table.column_names]:
            raise ArtifactError(
                f"{self.folder / file} has no column {missing[0]!r}: another version of pivotlens wrote it, or it was "
                "changed",
                self._remedy(),
            )
        return table

    def _remedy(self) -> str:
        # A file that kept its size would be taken for whole.
        return f"Remove {self.folder} and run `pivotlens {self.stage} --run {self.folder.parent}` again."

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Return a table as a list of dictionaries."""
        return self.table(name).to_pylist()  # type: ignore[no-any-return]

    def to_pandas(self, name: str) -> pandas.DataFrame:
        """Return one of the stage's tables as a pandas data frame.

        Raises:
            PrerequisiteError: pandas is not installed.
        """
        try:
            import pandas  # noqa: F401
        except ImportError as error:
            raise PrerequisiteError("pandas is not installed", "Install it with `pip install pandas`.") from error
        return self.table(name).to_pandas()

    def save(self, run: Path | str) -> Self:
        """Copy the result into another run folder and return it there.

        Raises:
            ArtifactError: That folder already holds a result of this stage.
        """
        target = Path(run) / self.stage
        if target.exists():
            raise ArtifactError(f"{target} exists already", "Choose another folder or remove it first.")
        shutil.copytree(self.folder, target)
        return type(self)(target, self.manifest)
