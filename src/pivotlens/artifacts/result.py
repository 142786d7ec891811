"""Reading what a stage left in a run folder."""

from __future__ import annotations

import functools
import operator
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pivotlens.artifacts.manifest import Manifest, read_manifest
from pivotlens.artifacts.tables import Table, schema_of, tables_of
from pivotlens.errors import ArtifactError, PrerequisiteError, did_you_mean

if TYPE_CHECKING:
    import pandas


Value = str | int | float | bool | None
"""What a cell of a table can be asked for by."""


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

    @property
    def tables(self) -> dict[str, Table]:
        """What rows and columns mean of each table that is there, by its name."""
        return {
            name: table for name, table in tables_of(self.stage).items() if f"{name}.parquet" in self.manifest.outputs
        }

    def table(self, name: str, **where: Value) -> pa.Table:
        """Return one of the stage's tables, or some of its rows; ``.to_pandas()`` makes a data frame of it.

        Args:
            name: Of the table.
            where: By column, the value that rows have; None where it is empty.

        Raises:
            ArtifactError: The stage has no such table or the table no such column, or the file is damaged.
            pyarrow.ArrowException: A column has no values of that type.

        >>> Scores.load(run).table("summary", model="m", item_set="all", source_language="fr")["score"].to_pylist()
        [0.25]
        """
        schema = self._schema_of(name)
        if unknown := [column for column in where if column not in schema.names]:
            raise ArtifactError(
                f"table {self.stage}/{name} has no column {unknown[0]!r}", did_you_mean(unknown[0], schema.names)
            )
        conditions = _filter(where, schema)
        with self._whole_file(name, schema) as path:
            return pq.read_table(path, filters=conditions)

    def blocks(self, name: str) -> Iterator[pa.Table]:
        """Yield one of the stage's tables some rows at a time, in order: it need not fit in memory.

        Raises:
            ArtifactError: As `table`.
        """
        with self._whole_file(name, self._schema_of(name)) as path, pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                yield file.read_row_group(group)

    def _schema_of(self, name: str) -> pa.Schema:
        if name not in tables_of(self.stage):
            raise ArtifactError(f"{self.stage} has no table {name!r}", did_you_mean(name, self.tables))
        if name not in self.tables:
            raise ArtifactError(
                f"{self.folder} has no table {name!r}: it was made without, or by another version of pivotlens",
                f"There are: {', '.join(self.tables)}.",
            )
        return schema_of(self.stage, name)

    @contextmanager
    def _whole_file(self, name: str, schema: pa.Schema) -> Iterator[Path]:
        """Yield the file of a table that has all its columns; whatever is wrong with it is told."""
        path = self.folder / f"{name}.parquet"
        try:
            path.open("rb").close()  # pyarrow takes a folder for an empty table
            there = pq.read_schema(path).names
            if not (missing := [column for column in schema.names if column not in there]):
                yield path
        except (OSError, pa.ArrowException) as error:
            raise ArtifactError(f"{path} is missing or damaged: {error}", self._remedy()) from error
        if missing:
            raise ArtifactError(
                f"{path} has no column {missing[0]!r}: another version of pivotlens wrote it, or it was changed",
                self._remedy(),
            )

    def _remedy(self) -> str:
        # A file that kept its size would be taken for whole.
        return f"Remove {self.folder} and run `pivotlens {self.stage} --run {self.folder.parent}` again."

    def rows(self, name: str, **where: Value) -> list[dict[str, Any]]:
        """Return a table as a list of dictionaries; arguments as `table`."""
        return self.table(name, **where).to_pylist()  # type: ignore[no-any-return]

    def to_pandas(self, name: str, **where: Value) -> pandas.DataFrame:
        """Return a table as a pandas data frame; arguments as `table`.

        Raises:
            PrerequisiteError: pandas is not installed.
        """
        try:
            import pandas  # noqa: F401
        except ImportError as error:
            raise PrerequisiteError("pandas is not installed", "Install it with `pip install pandas`.") from error
        return self.table(name, **where).to_pandas()

    def explain(self, name: str) -> pa.Table:
        """Return a table's columns with type, unit and meaning, a row each.

        Raises:
            ArtifactError: The stage has no such table.

        >>> Scores.load(run).explain("summary").slice(8, 1).to_pylist()[0]["unit"]
        'difference of probabilities, −1–1'
        """
        declared = tables_of(self.stage)
        if name not in declared:
            raise ArtifactError(f"{self.stage} has no table {name!r}", did_you_mean(name, declared))
        columns = declared[name].columns
        return pa.table(
            {
                "column": [column.name for column in columns],
                "type": [str(column.type) for column in columns],
                "unit": [column.unit for column in columns],
                "meaning": [column.meaning for column in columns],
            }
        )

    def _chosen(self, name: str, column: str, value: str, **where: Value) -> pa.Table:
        """Return the rows of a table that have a value which is one of few, such as a rule.

        Raises:
            ArtifactError: No row has that value, while others are there.
        """
        found = self.table(name, **{column: value}, **where)
        if found.num_rows == 0:
            known = pc.unique(self.table(name)[column]).drop_null().to_pylist()
            if known and value not in known:
                raise ArtifactError(f"table {self.stage}/{name} has no {column} {value!r}", did_you_mean(value, known))
        return found

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


def _filter(where: Mapping[str, Value], schema: pa.Schema) -> pc.Expression | None:
    conditions = [
        pc.field(name).is_null() if value is None else pc.field(name) == pa.scalar(value, schema.field(name).type)
        for name, value in where.items()
    ]
    return functools.reduce(operator.and_, conditions) if conditions else None
