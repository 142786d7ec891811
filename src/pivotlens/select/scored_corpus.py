"""The scores of a whole corpus: from the parts of its shards to one table, and out of that shard by shard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pivotlens.arrays import Booleans, Floats, Integers
from pivotlens.artifacts import schema_of
from pivotlens.corpus import PartStore, Shard
from pivotlens.corpus.composition import DOCUMENT_TYPES
from pivotlens.corpus.packing import read_arrays, unpack_strings
from pivotlens.errors import ArtifactError
from pivotlens.select.near_duplicates import BANDS, ROWS, Signatures, similarities
from pivotlens.select.passes import BUCKETS, NUMBERS, SHARES
from pivotlens.select.scoring import is_duplicate
from pivotlens.select.units import ARRAYS, Guards, ScoredUnits, bridge_score, composition_cells
from pivotlens.statistics.proportion import wilson_lower

_MOST_SOURCES = 4096
_MORE_SOURCES = "(others)"
_NAMED = {"label": "codes", "language": "codes", "other_language": "codes", "source": "sources"}


@dataclass
class Names:
    """Numbers of names, in the order in which they are first met.

    Attributes:
        most: Further names are all called alike; None numbers all.
    """

    most: int | None = None
    numbers: dict[str, int] = field(default_factory=dict)

    def number(self, name: str) -> int:
        """Return the number of a name."""
        if name not in self.numbers and self.most is not None and len(self.numbers) >= self.most:
            name = _MORE_SOURCES
        return self.numbers.setdefault(name, len(self.numbers))

    def of(self, names: Sequence[str], places: Integers) -> Integers:
        """Return the numbers of names given as places in a list, of which only those that occur are numbered."""
        there = np.unique(places).tolist()
        table = np.zeros(len(names), dtype=np.int64)
        table[there] = [self.number(names[place]) for place in there]
        return table[places]

    @property
    def names(self) -> list[str]:
        """All names, by number."""
        return list(self.numbers)


# -- from parts to the table


def score_blocks(shards: Sequence[Shard], parts: PartStore, signed: bool = False) -> Iterator[pa.Table]:
    """Yield the rows of the table ``scores``, a block a shard; importance weights are still to be filled in.

    Args:
        shards: The corpus, in its order.
        parts: The parts of `ScorePass`.
        signed: Whether they hold signatures.
    """
    sizes = [read_arrays(parts.path(shard), ["row"])["row"].size for shard in shards]
    offsets = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
    duplicate = _duplicates(shards, parts, offsets)
    similarity = _similarity(shards, parts, offsets) if signed else None
    expected = _ExpectedShares()
    for _, arrays in _parts(shards, parts, expected.codes):
        expected.add(arrays)
    for (shard, arrays), (first, end) in zip(
        _parts(shards, parts, expected.codes),
        zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True),
        strict=True,
    ):
        n_tokens, n_pivots = arrays["n_tokens"], arrays["n_pivots"]
        share = wilson_lower(n_pivots, n_tokens)
        names = {name: unpack_strings(arrays[name]) for name in ("codes", "sources")}
        columns: dict[str, Any] = {name: arrays[name] for name in (*NUMBERS, *SHARES)}
        columns |= {
            name: pa.array(names[kind], pa.string()).take(pa.array(arrays[name])) for name, kind in _NAMED.items()
        }
        columns |= {
            "file": pa.repeat(shard.file.name, end - first),
            "document_type": pa.array(DOCUMENT_TYPES, pa.string()).take(pa.array(arrays["document_type"])),
            "duplicate": duplicate[first:end],
            "similarity": pa.nulls(end - first, pa.float64()) if similarity is None else similarity[first:end],
            "share": share,
            "excess": share - expected.of(arrays),
            "bridge": bridge_score(arrays["n_bridges"], n_tokens),
            "importance": pa.nulls(end - first, pa.float64()),
            "selected": pa.nulls(end - first, pa.list_(pa.string())),
        }
        yield pa.table(columns, schema=schema_of("select", "scores"))


def _parts(shards: Sequence[Shard], parts: PartStore, codes: Names) -> Iterator[tuple[Shard, dict[str, Any]]]:
    """Yield each shard's part, with its composition cells in numbers of the whole corpus."""
    for shard in shards:
        arrays: dict[str, Any] = dict(read_arrays(parts.path(shard), (*NUMBERS, *SHARES, "codes", "sources")))
        arrays |= {name: arrays[name].astype(np.int64) for name in NUMBERS}
        names = unpack_strings(arrays["codes"])
        language, other = (codes.of(names, arrays[name]) for name in ("language", "other_language"))
        arrays["cell"] = composition_cells(language, other, arrays["language_share"])
        yield shard, arrays


class _ExpectedShares:
    """What share of the tokens are pivots in text of each language composition."""

    def __init__(self) -> None:
        self.codes = Names()
        self._tokens: Counter[int] = Counter()
        self._pivots: Counter[int] = Counter()

    def add(self, arrays: Mapping[str, Any]) -> None:
        cells, places = np.unique(arrays["cell"], return_inverse=True)
        for sums, name in ((self._tokens, "n_tokens"), (self._pivots, "n_pivots")):
            of_cell = np.bincount(places, arrays[name], cells.size).astype(np.int64)
            sums.update(dict(zip(cells.tolist(), of_cell.tolist(), strict=True)))

    def of(self, arrays: Mapping[str, Any]) -> Floats:
        cells, places = np.unique(arrays["cell"], return_inverse=True)
        shares = [self._pivots[cell] / max(self._tokens[cell], 1) for cell in cells.tolist()]
        return np.array(shares, dtype=np.float64)[places]


def _duplicates(shards: Sequence[Shard], parts: PartStore, offsets: Integers) -> Booleans:
    """Tell whether an earlier unit has the same text, shape ``(units,)``: all that is kept of every unit, one byte."""
    duplicate = np.zeros(int(offsets[-1]), dtype=bool)
    for bucket in range(BUCKETS):
        units, digests = [np.zeros(0, dtype=np.int64)], [np.zeros((0, 4), dtype=np.uint64)]
        for shard, first in zip(shards, offsets[:-1].tolist(), strict=True):
            arrays = read_arrays(parts.path(shard), (f"units_{bucket}", f"digests_{bucket}"))
            units.append(first + arrays[f"units_{bucket}"].astype(np.int64))
            digests.append(arrays[f"digests_{bucket}"].astype(np.uint64))
        duplicate[np.concatenate(units)] = is_duplicate(np.concatenate(digests))
    return duplicate


def _similarity(shards: Sequence[Shard], parts: PartStore, offsets: Integers) -> Floats:
    """Return how similar the most similar earlier unit is, shape ``(units,)``; of those alike signatures are kept."""

    def band(number: int) -> Signatures:
        name = f"band_{number}"
        none = np.zeros((0, ROWS), dtype=np.uint32)
        return np.concatenate([none, *(read_arrays(parts.path(shard), [name])[name] for shard in shards)])

    def signatures(units: Integers) -> Signatures:
        found = [np.zeros((0, BANDS * ROWS), dtype=np.uint32)]
        for shard, first, end in zip(shards, offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
            here = units[(units >= first) & (units < end)] - first
            if here.size:
                arrays = read_arrays(parts.path(shard), [f"band_{number}" for number in range(BANDS)])
                found.append(np.concatenate([arrays[f"band_{number}"][here] for number in range(BANDS)], axis=1))
        return np.concatenate(found)

    return similarities(int(offsets[-1]), band, signatures)


# -- out of the table


@dataclass(frozen=True)
class ScoredCorpus:
    """Scored units of all shards, of which only those of one are in memory.

    Attributes:
        path: The table ``scores``.
        shards: The corpus, in its order.
        guards: What a unit must be to be taken.
        weights: Importance weights of the units of each shard; None leaves them empty.
        codes: Numbers of languages.
        sources: Numbers of sources.
    """

    path: Path
    shards: Sequence[Shard]
    guards: Guards
    weights: PartStore | None = None
    codes: Names = field(default_factory=Names)
    sources: Names = field(default_factory=lambda: Names(_MOST_SOURCES))

    def __iter__(self) -> Iterator[tuple[Shard, ScoredUnits]]:
        """Yield each shard that holds a unit, and its units."""
        for shard, _, units in self._shards():
            yield shard, units

    def tables(self) -> Iterator[tuple[pa.Table, ScoredUnits]]:
        """Yield the rows of each shard that holds a unit, and its units."""
        for _, table, units in self._shards():
            yield table, units

    def _shards(self) -> Iterator[tuple[Shard, pa.Table, ScoredUnits]]:
        first = 0
        for number, pieces in groupby(self._pieces(), key=lambda piece: piece[0]):
            table, shard = pa.concat_tables([piece for _, piece in pieces]), self.shards[number]
            importance = pa.nulls(table.num_rows, pa.float64())
            if self.weights is not None:
                importance = pa.array(read_arrays(self.weights.path(shard))["importance"])
            table = table.set_column(table.schema.get_field_index("importance"), "importance", importance)
            yield shard, table, self._units(table, shard.file.name, first)
            first += table.num_rows

    def _pieces(self) -> Iterator[tuple[int, pa.Table]]:
        """Yield rows of the table and the number of the shard that they are of."""
        rows_before: dict[str, list[tuple[int, int]]] = {}
        for number, shard in enumerate(self.shards):
            rows_before.setdefault(shard.file.name, []).append((shard.rows_before, number))
        for block in blocks_of(self.path):
            files = block["file"].combine_chunks().dictionary_encode()
            places, names = files.indices.to_numpy(), files.dictionary.to_pylist()
            rows = block["row"].to_numpy()
            numbers = np.zeros(rows.size, dtype=np.int64)
            for place, name in enumerate(names):
                if name not in rows_before:
                    raise ArtifactError(
                        f"{self.path} holds scores of {name!r}, which is no file of the corpus",
                        "Run `pivotlens select` again with `--replace`.",
                    )
                befores, of_file = (np.array(values) for values in zip(*rows_before[name], strict=True))
                here = places == place
                numbers[here] = of_file[np.searchsorted(befores, rows[here], side="left") - 1]
            edges = np.flatnonzero(np.diff(numbers)) + 1
            for start, end in zip([0, *edges.tolist()], [*edges.tolist(), rows.size], strict=True):
                if end > start:
                    yield int(numbers[start]), block.slice(start, end - start)

    def _units(self, table: pa.Table, file: str, first: int) -> ScoredUnits:
        arrays: dict[str, Any] = {}
        for name in ARRAYS:
            column = table[name].combine_chunks()
            if name in _NAMED or name == "document_type":
                encoded = column.dictionary_encode()
                names, places = encoded.dictionary.to_pylist(), encoded.indices.to_numpy().astype(np.int64)
                if name == "document_type":
                    arrays[name] = np.array([DOCUMENT_TYPES.index(one) for one in names], dtype=np.int64)[places]
                else:
                    arrays[name] = (self.sources if name == "source" else self.codes).of(names, places)
            else:
                arrays[name] = column.to_numpy(zero_copy_only=False)
        for name in ("importance", "similarity"):  # null where not asked for
            arrays[name] = np.asarray(arrays[name], dtype=np.float64)
        return ScoredUnits(file=file, first=first, guards=self.guards, **arrays)


def blocks_of(path: Path) -> Iterator[pa.Table]:
    """Read a table in blocks.

    Raises:
        ArtifactError: It is missing or damaged.
    """
    try:
        with pq.ParquetFile(path) as file:
            for number in range(file.num_row_groups):
                yield file.read_row_group(number)
    except (OSError, pa.ArrowException) as error:
        raise ArtifactError(
            f"{path} is missing or damaged: {error}", "Run `pivotlens select` again with `--replace`."
        ) from error
