"""Shards of JSON lines, and the folder that holds them."""

import hashlib
import shutil
from pathlib import Path
from typing import Self

import zstandard

from open_desktop_corpus.documents import Document

MANIFEST = "manifest.json"


class ShardWriter:
    """Writes documents to `PREFIX-00000.jsonl.zst` and onward.

    Args:
        folder: Where the shards go.
        prefix: Start of the file names.
        maximum_bytes: A shard is closed once it holds this much, uncompressed.
        level: zstd compression level.
    """

    def __init__(self, folder: Path, prefix: str, maximum_bytes: int, level: int) -> None:
        self._folder = folder
        self._prefix = prefix
        self._maximum_bytes = maximum_bytes
        self._level = level
        self._lines: list[bytes] = []
        self._held = 0
        self.shards: list[dict[str, str | int]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._flush()

    def write(self, document: Document) -> None:
        """Add a document."""
        line = document.to_line()
        self._lines.append(line)
        self._held += len(line)
        if self._held >= self._maximum_bytes:
            self._flush()

    def _flush(self) -> None:
        if not self._lines:
            return
        name = f"{self._prefix}-{len(self.shards):05d}.jsonl.zst"
        raw = b"".join(self._lines)
        packed = zstandard.ZstdCompressor(level=self._level, write_checksum=True).compress(raw)
        (self._folder / name).write_bytes(packed)
        self.shards.append(
            {
                "file": name,
                "documents": len(self._lines),
                "bytes": len(raw),
                "compressed_bytes": len(packed),
                "sha256": hashlib.sha256(packed).hexdigest(),
            }
        )
        self._lines, self._held = [], 0


def begin_folder(out: Path) -> Path:
    """Return an empty working folder beside the one to be made.

    Raises:
        FileExistsError: If `out` holds something that is not a corpus.
    """
    if out.exists() and any(out.iterdir()) and not (out / MANIFEST).exists():
        raise FileExistsError(f"{out} is not empty and holds no {MANIFEST}: choose another folder")
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    return partial


def finish_folder(partial: Path, out: Path) -> None:
    """Put a finished folder in its place, and the old one away, each by one rename."""
    old = out.with_name(f".{out.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        out.replace(old)
    partial.replace(out)
    shutil.rmtree(old, ignore_errors=True)
