"""Shards, the pieces that the work on a corpus is dealt out in, and where the part of each is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import orjson

from pivotlens.artifacts.files import write_bytes
from pivotlens.corpus.files import CorpusFile
from pivotlens.errors import DataError


@dataclass(frozen=True)
class Shard:
    """A file of a corpus, or a part of a large one.

    Attributes:
        file: The file.
        start: Where it begins: a byte at which a line begins, or a row group of a Parquet file.
        end: Where the next one begins; None at the end of the file.
        rows_before: Lines or rows of the file before it.
        size: Bytes, about: by them the work is dealt out.
        skip: Bytes of its text, decompressed, that belong to the shard before: the end of a line.
        spill: Bytes of the text after its end, decompressed, that belong to it.
    """

    file: CorpusFile
    start: int = 0
    end: int | None = None
    rows_before: int = 0
    size: int = 0
    skip: int = 0
    spill: int = 0

    @classmethod
    def whole(cls, file: CorpusFile) -> Shard:
        """Return a file as one shard."""
        return cls(file, size=file.size)

    @property
    def key(self) -> str:
        """Its name as a file: by the corpus file and the range alone, so that order and workers do not matter."""
        named = f"{self.file.name}\0{self.start}\0{self.end}".encode("utf-8", "surrogateescape")
        return hashlib.blake2b(named, digest_size=16).hexdigest()

    @property
    def shown(self) -> str:
        """The file and, where there are several shards of it, the range, for a message."""
        if self.start == 0 and self.end is None:
            return self.file.shown
        return f"{self.file.shown} from {self.start:,} to {'its end' if self.end is None else format(self.end, ',')}"


class Task(Protocol):
    """Work on one shard; it can be pickled and knows nothing of who runs it."""

    def __call__(self, shard: Shard, part: Path, /) -> None:
        """Do the work and keep its outcome at ``part``, whole and on the disk before it has that name.

        What else it writes beside that begins with the same name and is finished before.
        """


@dataclass(frozen=True)
class PartStore:
    """The parts of one task: a shard is done exactly if its part is there.

    Attributes:
        folder: Holds the parts; it belongs to one fingerprint (of a stage: `Workspace.parts_folder`).
    """

    folder: Path

    def path(self, shard: Shard) -> Path:
        """Return where the part of a shard is kept."""
        return self.folder / f"{shard.key}.part"

    def missing(self, shards: Iterable[Shard]) -> list[Shard]:
        """Return the shards that are still to be done."""
        there = {path.name for path in self.folder.iterdir()}
        return [shard for shard in shards if self.path(shard).name not in there]

    def keep_failure(self, shard: Shard, error: DataError) -> None:
        """Keep why there is no part of a shard: its next try replaces or removes that."""
        self._write_failure(shard, error, told=False)

    def forget_failure(self, shard: Shard) -> None:
        """Remove what an earlier try left."""
        self._failure(shard).unlink(missing_ok=True)

    def untold_failures(self, shards: Iterable[Shard]) -> dict[Shard, DataError]:
        """Return why there is no part of those of some shards that were tried in vain since `mark_told`."""
        there = {path.name for path in self.folder.glob("*.failed")}
        failed = [shard for shard in shards if self._failure(shard).name in there]
        kept = {shard: orjson.loads(self._failure(shard).read_bytes()) for shard in failed}
        return {shard: DataError(of["message"], of["hint"]) for shard, of in kept.items() if not of["told"]}

    def mark_told(self, failed: Mapping[Shard, DataError]) -> None:
        """Note that somebody was told of failures: whoever goes on after that wants another try."""
        for shard, error in failed.items():
            self._write_failure(shard, error, told=True)

    def _write_failure(self, shard: Shard, error: DataError, *, told: bool) -> None:
        kept = {"message": error.message, "hint": error.hint, "told": told}
        write_bytes(self._failure(shard), orjson.dumps(kept))

    def _failure(self, shard: Shard) -> Path:
        return self.folder / f"{shard.key}.failed"
