"""The kept tables of all seeds, as arrays by seed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow.parquet as pq

from examples.known_truth.plan import SETTINGS
from pivotlens.arrays import Floats
from pivotlens.errors import ArtifactError

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Kept:
    """Tables of a world or of a selection, by seed.

    Attributes:
        name: Of the world.
        tables: Rows by table, by seed.
        settings: What the tables follow from, of the first seed.
    """

    name: str
    tables: Mapping[int, Mapping[str, list[dict[str, Any]]]]
    settings: Mapping[str, Any]

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds in order."""
        return tuple(sorted(self.tables))

    def rows(self, seed: int, table: str) -> list[dict[str, Any]]:
        """Return a table's rows of one seed.

        Raises:
            ArtifactError: The seed's result lacks it.
        """
        if table not in self.tables[seed]:
            raise ArtifactError(
                f"the result of {self.name}, seed {seed}, lacks its table {table!r}",
                "Remove it and run the seed again.",
            )
        return self.tables[seed][table]

    def only(self, seed: int) -> Kept:
        """Return the tables of one seed alone."""
        return Kept(self.name, {seed: self.tables[seed]}, self.settings)

    def by_concept(self, table: str, value: Callable[[Row], float | None], **kept: Any) -> list[Floats]:
        """Return a value by concept, a mean over directions, of the rows in which columns have given values.

        Args:
            table: The table.
            value: Of a row; None where it has none.
            **kept: Values by column; a set or tuple of them allows any.

        Returns:
            By seed, shape ``(concepts,)``.
        """
        return [means(self.rows(seed, table), value, **kept) for seed in self.seeds]


def load_kept(folder: Path) -> dict[str, Kept]:
    """Read every result of a folder by the name of its world; one without its settings is not finished.

    Raises:
        ArtifactError: One cannot be read, or the seeds of a world were not made by the same settings.
    """
    found: defaultdict[str, dict[int, dict[str, list[dict[str, Any]]]]] = defaultdict(dict)
    settings: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob(f"*/{SETTINGS}")):
        if path.parent.suffix == ".partial":
            continue
        try:
            told = dict(orjson.loads(path.read_bytes()))
            name, seed = told["world"], told.pop("seed")
            tables = {file.stem: pq.read_table(file).to_pylist() for file in sorted(path.parent.glob("*.parquet"))}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ArtifactError(
                f"the result in {path.parent} cannot be read: {error!r}", "Remove that folder and run the seed again."
            ) from error
        if settings.setdefault(name, told) != told:
            raise ArtifactError(
                f"{path} was made by other settings than the other seeds of {name!r}", "Keep them in another folder."
            )
        found[name][seed] = tables
    return {name: Kept(name, tables, settings[name]) for name, tables in found.items()}


def means(rows: Iterable[Row], value: Callable[[Row], float | None], **kept: Any) -> Floats:
    """Return a value's mean by concept; see `Kept.by_concept`."""
    by_concept: defaultdict[str, list[float]] = defaultdict(list)
    for row in rows:
        if all(_is_in(row[column], wanted) for column, wanted in kept.items()):
            found = value(row)
            if found is not None:
                by_concept[row["concept_id"]].append(float(found))
    return np.array([np.mean(values) for _, values in sorted(by_concept.items())], dtype=np.float64)


def _is_in(value: Any, wanted: Any) -> bool:
    return value in wanted if isinstance(wanted, Collection) and not isinstance(wanted, str) else bool(value == wanted)
