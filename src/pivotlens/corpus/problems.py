"""How many unreadable rows a run bears."""

from __future__ import annotations

from collections.abc import Sequence

from pivotlens.corpus.documents import BadRow
from pivotlens.errors import DataError


def check_bad_share(bad: Sequence[BadRow], documents: int, max_bad_share: float, corpus: str) -> None:
    """Refuse a corpus without documents, or with too many unreadable rows over all its files.

    Raises:
        DataError: Names the first unreadable rows.
    """
    first = "; ".join(f"{row.file}, line {row.row}: {row.problem}" for row in bad[:3])
    total = documents + len(bad)
    if bad and len(bad) > max_bad_share * total:
        raise DataError(
            f"{len(bad):,} of {total:,} rows of corpus {corpus!r} cannot be read ({first})",
            f"Repair the files, or allow it with --max-bad-share (now {max_bad_share:g}).",
        )
    if documents == 0:
        raise DataError(f"corpus {corpus!r} holds no document", "Give files with at least one row of text.")
