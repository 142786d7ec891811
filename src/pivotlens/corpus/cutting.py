"""Cutting large files into shards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pivotlens.corpus.executor import Executor
from pivotlens.corpus.files import CorpusFile, is_parquet, named_compression
from pivotlens.corpus.line_files import LinesOf, compressed_shards, lines_of, plain_shards, stretches
from pivotlens.corpus.packing import Arrays, read_arrays, write_arrays
from pivotlens.corpus.parquet_files import row_group_cuts
from pivotlens.corpus.shards import PartStore, Shard
from pivotlens.corpus.units import UnitPlan

SHARD_BYTES = 1 << 27
"""Larger files are cut into shards of about this size, where they can be."""
_STRETCH = 1 << 24
"""Least bytes of a file of lines that are looked through at once."""
_FEW = (
    64  # A file of lines from afar is fetched once more to be cut: only where such files are too few for many workers.
)


@dataclass(frozen=True)
class CutPass:
    """Finds where a file can be cut; its part holds the starts of all pieces.

    Besides, of row groups it holds the rows before each, and of lines whether they are compressed.

    Attributes:
        shard_bytes: Least size of a shard.
        stretch_bytes: Least size of a stretch of plain lines.
    """

    shard_bytes: int
    stretch_bytes: int

    def __call__(self, shard: Shard, part: Path) -> None:
        """Write the part of a whole file."""
        if is_parquet(shard.file):
            cuts = np.array([(0, 0), *row_group_cuts(shard.file, self.shard_bytes)], dtype=np.int64)
            write_arrays(part, {"starts": cuts[:, 0], "rows_before": cuts[:, 1]})
        else:
            starts, compressed = stretches(shard.file, self.stretch_bytes, self.shard_bytes)
            write_arrays(part, {"starts": np.array(starts, dtype=np.int64), "compressed": np.array(compressed)})


@dataclass(frozen=True)
class LineCountPass:
    """Counts the lines of a stretch of a file; its part holds what `LinesOf` says.

    Attributes:
        shard_bytes: Least size of a shard.
    """

    shard_bytes: int

    def __call__(self, shard: Shard, part: Path) -> None:
        """Write the part of a stretch."""
        found = lines_of(shard, self.shard_bytes)
        cells = np.array([found.starts, found.lines_before], dtype=np.int64)
        write_arrays(part, {"stretch": np.array(found[:4], dtype=np.int64), "cells": cells})


def _lines_of_part(part: Path) -> LinesOf:
    arrays = read_arrays(part)
    size, lines, first, is_whole = arrays["stretch"].tolist()
    return LinesOf(size, lines, first, bool(is_whole), *arrays["cells"].tolist())


def shards_of(
    files: Sequence[CorpusFile], plan: UnitPlan, executor: Executor, parts: Path, shard_bytes: int | None = None
) -> list[Shard]:
    """Return the shards of a corpus, in its order: the same whoever does the work.

    Parquet files are cut between row groups, plain JSON lines between lines, files of several zstd frames where these
    begin; files compressed otherwise are a shard each, and so are compressed files from afar. So is every file where
    only its first documents are read.

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
    total = sum(file.size for file in files)
    large = {
        file: Shard.whole(file)
        for file in files
        if plan.limit_documents is None and file.size > shard_bytes and _can_be_cut(file, total)
    }
    found, lines = PartStore(parts / str(shard_bytes)), PartStore(parts / f"{shard_bytes}-lines")
    pieces: dict[CorpusFile, _Pieces] = {}
    if large:
        for store in (found, lines):
            store.folder.mkdir(exist_ok=True)
        executor.run(
            list(large.values()), CutPass(shard_bytes, max(shard_bytes, _STRETCH)), found, "Cutting large files"
        )
        pieces = {file: _pieces(file, read_arrays(found.path(whole))) for file, whole in large.items()}
        uncounted = [piece for cut in pieces.values() if cut.uncounted for piece in cut.shards]
        executor.run(uncounted, LineCountPass(shard_bytes), lines, "Counting the lines of large files")
    shards: list[Shard] = []
    for file in files:
        cut = pieces.get(file, _Pieces([Shard.whole(file)]))
        if not cut.uncounted:
            shards += cut.shards
            continue
        counted = [_lines_of_part(lines.path(piece)) for piece in cut.shards]
        if cut.compressed:
            shards += compressed_shards(cut.shards, counted)
        else:
            shards += plain_shards(cut.shards, counted, shard_bytes)
    return shards


def _can_be_cut(file: CorpusFile, total: int) -> bool:
    if is_parquet(file):
        return True
    if "://" in file.location:
        return named_compression(file) is None and file.size * _FEW > total
    return named_compression(file) in (None, "zstd")


class _Pieces(NamedTuple):
    """Pieces of a file, and whether they are of compressed lines, and the lines before them are still to be counted."""

    shards: list[Shard]
    compressed: bool = False
    uncounted: bool = False


def _pieces(file: CorpusFile, arrays: Arrays) -> _Pieces:
    starts: list[int | None] = [*arrays["starts"].tolist(), None]
    is_lines, n_pieces = "compressed" in arrays, len(starts) - 1
    rows_before = [0] * n_pieces if is_lines else arrays["rows_before"].tolist()
    shards = [
        Shard(file, start or 0, end, rows, file.size // n_pieces)
        for (start, end), rows in zip(pairwise(starts), rows_before, strict=True)
    ]
    compressed = is_lines and bool(arrays["compressed"])
    return _Pieces(shards, compressed, is_lines and (n_pieces > 1 or not compressed))
