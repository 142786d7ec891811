"""A local index of infini-gram: suffix arrays of tokens on this disk, asked through the package's own engine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pivotlens.arrays import Integers
from pivotlens.artifacts import files_fingerprint
from pivotlens.errors import DataError
from pivotlens.extras import require_extra
from pivotlens.query.asked import Answer, Query

_KINDS = ("tokenized", "table", "offset")
_BROKEN = "Make the index again, or give the folder that holds its tokenized.*, table.* and offset.* files."
_EVERY_FORM = 1 << 20


@dataclass(frozen=True)
class Shard:
    """A shard of an index: the tokens of its documents, their suffix array, and where each document begins."""

    tokens: Path
    table: Path
    offsets: Path

    def width(self) -> int:
        """Return how many bytes a token has, which follows from the sizes of the files alone.

        Raises:
            DataError: They do not fit together.
        """
        bytes_, entries = self.tokens.stat().st_size, self.table.stat().st_size
        pointer = math.ceil(math.log2(bytes_) / 8) if bytes_ > 1 else 1
        count = entries // pointer if entries % pointer == 0 else 0
        width = bytes_ // count if count and bytes_ % count == 0 else 0
        if width not in (2, 4) or self.offsets.stat().st_size % 8:
            raise DataError(
                f"{self.table} does not fit {self.tokens}: {entries:,} bytes are no suffix array of tokens of 2 or 4 "
                f"bytes in {bytes_:,}",
                f"{_BROKEN} Indexes of bytes (token_dtype u8) are not read.",
            )
        return width

    def beginnings(self, documents: int, tokens: int, width: int) -> list[Integers]:
        """Return the first tokens of documents spread over the shard, each shape ``(≤ tokens,)``."""
        content = np.memmap(self.tokens, dtype=f"<u{width}", mode="r")
        offsets = np.memmap(self.offsets, dtype="<u8", mode="r")  # of billions of documents: never read as a whole
        found = []
        for place in np.linspace(0, offsets.size - 1, min(documents, offsets.size)).astype(np.int64).tolist():
            first = int(offsets[place]) // width + 1  # a document begins with its separator
            end = int(offsets[place + 1]) // width if place + 1 < offsets.size else content.size
            found.append(content[first : min(end, first + tokens)].astype(np.int64))
        return found


class LocalIndex:
    """An index in folders of this disk, read as one."""

    provisional = False
    at_once = 1
    most_terms = _EVERY_FORM

    def __init__(self, folders: Sequence[Path], shards: Sequence[Shard], width: int) -> None:
        self.name = ", ".join(map(str, folders))
        self.shards = tuple(shards)
        self.width = width
        self._folders = [str(folder) for folder in folders]
        self._engine: Any = None

    @classmethod
    def open(cls, folders: Sequence[Path]) -> LocalIndex:
        """Find the shards of an index and check that their files fit together; the engine is loaded when asked.

        Raises:
            PrerequisiteError: The engine is not installed.
            DataError: A folder is missing, or holds no index that is whole.
        """
        require_extra("a local index", "infini-gram", ("infini_gram",))
        shards = [shard for folder in folders for shard in _shards(folder)]
        widths = {shard.width() for shard in shards}
        if len(widths) > 1:
            raise DataError(f"{folders[0]} and {folders[1]} hold tokens of different width", "Ask each for itself.")
        return cls(folders, shards, widths.pop())

    @property
    def fingerprint(self) -> str:
        """Of the names, sizes and times of its files, none of which is read."""
        found: dict[str, tuple[int, str]] = {}
        for shard in self.shards:
            for path in (shard.tokens, shard.table, shard.offsets):
                status = path.stat()
                found[f"{self._folders.index(str(path.parent))}/{path.name}"] = status.st_size, str(status.st_mtime_ns)
        return files_fingerprint(found)

    @property
    def documents(self) -> int:
        """Documents of all shards."""
        return sum(shard.offsets.stat().st_size // 8 for shard in self.shards)

    def stop(self) -> None:
        """Do nothing: one query is under way at a time, and ends soon."""

    def ask(self, query: Query) -> Answer:
        """Return the answer to a query.

        Raises:
            DataError: The engine refuses it.
        """
        engine = self._loaded()
        if query.is_pair:
            found = engine.count_cnf(
                query.nested, max_clause_freq=query.max_clause_freq, max_diff_tokens=query.max_diff_tokens
            )
        else:
            found = engine.count(list(query.single))
        if "error" in found:
            raise DataError(f"the engine refuses a query of {self.name}: {found['error']}", _BROKEN)
        return Answer(int(found["count"]), bool(found["approx"]))

    def _loaded(self) -> Any:
        if self._engine is None:
            from infini_gram.engine import InfiniGramEngine

            # What ends a document is told by its separator; the id is for queries that are not made here.
            vocabulary = 2 ** (8 * self.width) - 1
            self._engine = InfiniGramEngine(
                self._folders, eos_token_id=0, vocab_size=vocabulary, token_dtype=f"u{8 * self.width}"
            )
        return self._engine


def _shards(folder: Path) -> list[Shard]:
    if not folder.is_dir():
        raise DataError(f"there is no folder {str(folder)!r} (index)", "Check the path; relative ones start here.")
    by_kind = {kind: sorted(folder.glob(f"{kind}.*")) for kind in _KINDS}
    names = {kind: [path.suffix for path in paths] for kind, paths in by_kind.items()}
    if not names["tokenized"] or any(found != names["tokenized"] for found in names.values()):
        numbers = ", ".join(f"{len(paths)} {kind}.*" for kind, paths in by_kind.items())
        raise DataError(f"{folder} is no whole index of infini-gram: it has {numbers}", _BROKEN)
    return [Shard(*paths) for paths in zip(*by_kind.values(), strict=True)]
