"""Cutting large files into shards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from pivotlens.corpus.documents import line_cuts, row_group_cuts
from pivotlens.corpus.executor import Executor
from pivotlens.corpus.files import CorpusFile, is_parquet, named_compression
from pivotlens.corpus.packing import read_arrays, write_arrays
from pivotlens.corpus.shards import PartStore, Shard
from pivotlens.corpus.units import UnitPlan

SHARD_BYTES = 1 << 27
"""Larger files are cut into shards of about this size, where they can be."""


@dataclass(frozen=True)
class CutPass:
    """Finds where a file can be cut; its part holds the starts of all shards but the first, and the rows before each.

    Attributes:
        shard_bytes: Least size of a shard.
    """

    shard_bytes: int

    def __call__(self, shard: Shard, part: Path) -> None:
        """Write the part of a whole file."""
        find = row_group_cuts if is_parquet(shard.file) else line_cuts
        cuts = np.array(find(shard.file, self.shard_bytes), dtype=np.int64).reshape(-1, 2)
        write_arrays(part, {"starts": cuts[:, 0], "rows_before": cuts[:, 1]})


def shards_of(
    files: Sequence[CorpusFile], plan: UnitPlan, executor: Executor, parts: Path, shard_bytes: int | None = None
) -> list[Shard]:
    """Return the shards of a corpus, in its order: the same whoever does the work.

    Parquet files are cut between row groups, plain JSON lines on this machine between lines; compressed files, and
    lines that would have to be fetched twice, are a shard each. So is every file where only its first documents are
    read.

    Args:
        files: The corpus.
        plan: How it is read.
        executor: Looks through the large files.
        parts: Folder in which it keeps what it found (of a stage: `Workspace.parts_folder`).
        shard_bytes: Least size of a shard; `SHARD_BYTES` where None.

    Raises:
        DataError: A large file is damaged.
    """
    shard_bytes = SHARD_BYTES if shard_bytes is None else shard_bytes
    large = {
        file: Shard.whole(file)
        for file in files
        if plan.limit_documents is None and file.size > shard_bytes and _can_be_cut(file)
    }
    store = PartStore(parts / str(shard_bytes))
    if large:
        store.folder.mkdir(exist_ok=True)
        executor.run(list(large.values()), CutPass(shard_bytes), store, "Cutting large files")
    shards: list[Shard] = []
    for file in files:
        if file in large:
            shards += _cut(file, store.path(large[file]))
        else:
            shards.append(Shard.whole(file))
    return shards


def _can_be_cut(file: CorpusFile) -> bool:
    return is_parquet(file) or ("://" not in file.location and named_compression(file) is None)


def _cut(file: CorpusFile, part: Path) -> list[Shard]:
    cuts = read_arrays(part)
    starts: list[int | None] = [0, *cuts["starts"].tolist(), None]
    rows_before = [0, *cuts["rows_before"].tolist()]
    size = file.size // len(rows_before)
    return [
        Shard(file, start or 0, end, rows, size)
        for (start, end), rows in zip(pairwise(starts), rows_before, strict=True)
    ]
