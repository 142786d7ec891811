"""Rows that cannot be read: how many there are, and how many of them a run bears."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np

from pivotlens.corpus.columns import COLUMNS_HINT, NO_COLUMN, UNKNOWN_CODE, UNLABELLED, BadRow
from pivotlens.corpus.files import CorpusFile
from pivotlens.corpus.packing import Arrays, pack_strings, read_arrays, unpack_strings
from pivotlens.corpus.shards import PartStore, Shard
from pivotlens.errors import DataError

KEPT = 100
"""So many of the rows that cannot be read are kept, the first; the others are only counted."""
_ENOUGH = 1000
_HOPELESS = 0.5


@dataclass
class BadRows:
    """Rows that cannot be read, among those that can.

    Attributes:
        documents: How many rows could be read.
        documents_before: For each that could not, how many could before it.
        first: The first that could not, at most `KEPT`.
    """

    documents: int = 0
    documents_before: array[int] = field(default_factory=lambda: array("q"))
    first: list[BadRow] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many rows could not be read."""
        return len(self.documents_before)

    def __iter__(self) -> Iterator[BadRow]:
        return iter(self.first)

    def add(self, row: BadRow, *, named: bool = True) -> None:
        """Add the next row, which cannot be read, and keep what is wrong with it if it is to be named."""
        self.documents_before.append(self.documents)
        if named and len(self.first) < KEPT:
            self.first.append(row)

    def extend(self, other: BadRows) -> None:
        """Add the rows that come next."""
        self.documents_before.extend(before + self.documents for before in other.documents_before)
        self.documents += other.documents
        self.first = [*self.first, *other.first][:KEPT]

    def to_arrays(self) -> Arrays:
        """Return them as arrays of a part."""
        return {
            "documents": np.array(self.documents, dtype=np.int64),
            "bad_documents_before": np.array(self.documents_before, dtype=np.int64),
            "bad_rows": np.array([row.row for row in self.first], dtype=np.int64),
            "bad_problems": pack_strings([row.problem.replace("\0", "\\0") for row in self.first]),
        }

    @classmethod
    def of_part(cls, shard: Shard, store: PartStore) -> BadRows:
        """Read those of a shard from its part."""
        arrays = read_arrays(store.path(shard), ("documents", "bad_documents_before", "bad_rows", "bad_problems"))
        rows = zip(arrays["bad_rows"].tolist(), unpack_strings(arrays["bad_problems"]), strict=True)
        return cls(
            int(arrays["documents"]),
            array("q", arrays["bad_documents_before"].astype(np.int64).tobytes()),
            [BadRow(shard.file.name, row, problem) for row, problem in rows],
        )


def merged_bad_rows(shards: Sequence[Shard], store: PartStore, max_bad_share: float) -> BadRows:
    """Return the bad rows of a whole corpus from the parts of its shards.

    Raises:
        DataError: Most of the first rows of a file cannot be read, which none of its shards could know alone.
    """
    merged = BadRows()
    for file, of_file in groupby(shards, key=lambda shard: shard.file):
        bad = BadRows()
        for shard in of_file:
            bad.extend(BadRows.of_part(shard, store))
        counts = np.arange(1, bad.count + 1)
        totals = counts + np.array(bad.documents_before, dtype=np.int64)
        for place in np.flatnonzero(_is_hopeless(counts, totals, max_bad_share))[:1].tolist():
            raise _hopeless(bad.first, int(counts[place]), int(totals[place]), max_bad_share, file)
        merged.extend(bad)
    return merged


def check_bad_share(bad: BadRows, max_bad_share: float, corpus: str) -> None:
    """Refuse a corpus without documents, or with too many unreadable rows over all its files.

    Raises:
        DataError: Names the first unreadable rows.
    """
    total = bad.documents + bad.count
    if bad.count > max_bad_share * total:
        what = f"{bad.count:,} of {total:,} rows of corpus {corpus!r}"
        raise _too_many(bad.first, bad.count > bad.documents, what, max_bad_share)
    if bad.documents == 0:
        raise DataError(f"corpus {corpus!r} holds no document", "Give files with at least one row of text.")


def check_not_hopeless(bad: BadRows, max_bad_share: float, file: CorpusFile) -> None:
    """Refuse a file early: when a thousand of its rows cannot be read, and they are the most of those seen so far.

    Raises:
        DataError: Names the first unreadable rows.
    """
    total = bad.documents + bad.count
    if _is_hopeless(bad.count, total, max_bad_share):
        raise _hopeless(bad.first, bad.count, total, max_bad_share, file)


def _is_hopeless(count: Any, total: Any, max_bad_share: float) -> Any:
    return (count >= _ENOUGH) & (count > max(max_bad_share, _HOPELESS) * total)


def _hopeless(first: Sequence[BadRow], count: int, total: int, max_bad_share: float, file: CorpusFile) -> DataError:
    what = f"{count:,} of the first {total:,} rows of {file.shown}"
    return _too_many(first, 2 * count > total, what, max_bad_share)


def _too_many(first: Sequence[BadRow], mostly: bool, what: str, max_bad_share: float) -> DataError:
    named = "; ".join(f"{row.file}, line {row.row}: {row.problem}" for row in first[:3])
    allow = f"epair the files, or allow it with --max-bad-share (now {max_bad_share:g})."
    if mostly and all(row.problem.startswith(NO_COLUMN) for row in first):
        hint = f"The name of the column is probably another: {COLUMNS_HINT}; else r{allow}"
    elif first and all(row.problem.startswith(UNKNOWN_CODE) for row in first):
        hint = f"Say what the codes mean with --language-map, such as --language-map VALUE=fr; else r{allow}"
    elif first and all(row.problem.startswith(UNLABELLED) for row in first):
        hint = (
            f"Give it with --language-column, --language-file or --language, or --language-model lid.176; else r{allow}"
        )
    else:
        hint = f"R{allow}"
    return DataError(f"{what} cannot be read ({named})", hint)
