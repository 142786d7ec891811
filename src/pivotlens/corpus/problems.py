"""Rows that cannot be read: how many there are, and how many of them a run bears."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from pivotlens.corpus.documents import COLUMNS_HINT, NO_COLUMN, BadRow
from pivotlens.corpus.files import CorpusFile
from pivotlens.corpus.packing import Arrays, pack_strings, unpack_strings
from pivotlens.errors import DataError

KEPT = 100
"""So many of the rows that cannot be read are kept, the first; the others are only counted."""
_ENOUGH = 1000
_HOPELESS = 0.5


@dataclass
class BadRows:
    """Rows that cannot be read.

    Attributes:
        count: How many there are.
        first: The first of them, at most `KEPT`.
    """

    count: int = 0
    first: list[BadRow] = field(default_factory=list)

    def __iter__(self) -> Iterator[BadRow]:
        return iter(self.first)

    def add(self, rows: Iterable[BadRow], count: int) -> None:
        """Add further rows, of which only the first are given."""
        self.count += count
        self.first = [*self.first, *rows][:KEPT]

    def to_arrays(self) -> Arrays:
        """Return them as arrays of a part."""
        return {
            "bad_count": np.array(self.count, dtype=np.int64),
            "bad_rows": np.array([row.row for row in self.first], dtype=np.int64),
            "bad_problems": pack_strings([row.problem.replace("\0", "\\0") for row in self.first]),
        }

    def add_part(self, file: CorpusFile, arrays: Arrays) -> None:
        """Add those of a file's part."""
        rows = zip(arrays["bad_rows"].tolist(), unpack_strings(arrays["bad_problems"]), strict=True)
        self.add([BadRow(file.name, row, problem) for row, problem in rows], int(arrays["bad_count"]))


def check_bad_share(bad: BadRows, documents: int, max_bad_share: float, corpus: str) -> None:
    """Refuse a corpus without documents, or with too many unreadable rows over all its files.

    Raises:
        DataError: Names the first unreadable rows.
    """
    total = documents + bad.count
    if bad.count > max_bad_share * total:
        raise _too_many(bad, documents, f"{bad.count:,} of {total:,} rows of corpus {corpus!r}", max_bad_share)
    if documents == 0:
        raise DataError(f"corpus {corpus!r} holds no document", "Give files with at least one row of text.")


def check_not_hopeless(bad: BadRows, documents: int, max_bad_share: float, file: CorpusFile) -> None:
    """Refuse a file early: when a thousand of its rows cannot be read, and they are the most of those seen so far.

    Raises:
        DataError: Names the first unreadable rows.
    """
    total = documents + bad.count
    if bad.count >= _ENOUGH and bad.count > max(max_bad_share, _HOPELESS) * total:
        raise _too_many(bad, documents, f"{bad.count:,} of the first {total:,} rows of {file.shown}", max_bad_share)


def _too_many(bad: BadRows, documents: int, what: str, max_bad_share: float) -> DataError:
    first = "; ".join(f"{row.file}, line {row.row}: {row.problem}" for row in bad.first[:3])
    allow = f"epair the files, or allow it with --max-bad-share (now {max_bad_share:g})."
    if bad.count > documents and all(row.problem.startswith(NO_COLUMN) for row in bad):
        hint = f"The name of the column is probably another: {COLUMNS_HINT}; else r{allow}"
    else:
        hint = f"R{allow}"
    return DataError(f"{what} cannot be read ({first})", hint)
