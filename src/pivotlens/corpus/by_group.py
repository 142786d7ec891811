"""A corpus in parts that share no group: the translations of a document stay together."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import orjson
import zstandard

from pivotlens.corpus.columns import BadRow, Columns
from pivotlens.corpus.documents import read_documents
from pivotlens.corpus.files import CorpusFile
from pivotlens.corpus.shards import Shard
from pivotlens.errors import ConfigError

_COLUMNS = ("text", "language", "group", "source")


def part_by_share(shares: Mapping[str, float], seed: int) -> Callable[[bytes], str]:
    """Return what tells the part of a group by its hash: each part gets about its share of the groups.

    Args:
        shares: By part, adding up to 1.
        seed: Of the hash.

    >>> part_of = part_by_share({"train": 0.9, "held_out": 0.1}, seed=0)
    >>> [part_of(b"a"), part_of(b"b")] == [part_of(b"a"), part_of(b"b")]
    True
    """

    def part_of(group: bytes) -> str:
        digest = hashlib.blake2b(group, digest_size=8, key=f"parts {seed}".encode()).digest()
        place, below = int.from_bytes(digest) / 2**64, 0.0
        for part, share in shares.items():
            below += share
            if place < below:
                return part
        return [*shares][-1]

    return part_of


def write_parts(
    files: Sequence[CorpusFile],
    to: Path,
    parts: Sequence[str],
    part_of: Callable[[bytes], str],
    languages: Collection[str] = (),
) -> dict[str, int]:
    """Write a corpus as several, each in the folder of its name; a document is dealt out by its group.

    One without a group is dealt out by its text. What cannot be read is left out.

    Args:
        files: The corpus.
        to: Where the folders are made.
        parts: Their names.
        part_of: Tells the part of a group.
        languages: Languages that are kept; all when empty.

    Returns:
        How many documents each holds.

    Raises:
        DataError: A file is damaged.
        ConfigError: A part got no document.
    """
    counts = dict.fromkeys(parts, 0)
    for part in parts:
        (to / part).mkdir(parents=True, exist_ok=True)
    for file in files:
        with ExitStack() as stack:
            writers = {}
            for part in parts:
                raw = stack.enter_context((to / part / f"{file.name.replace('/', '_')}.jsonl.zst").open("wb"))
                writers[part] = stack.enter_context(zstandard.ZstdCompressor(level=3).stream_writer(raw))
            for document in read_documents(Shard.whole(file), Columns()):
                if isinstance(document, BadRow) or (languages and document.language not in languages):
                    continue
                part = part_of((document.group or document.text).encode("utf-8", "surrogatepass"))
                row = {name: getattr(document, name) for name in _COLUMNS}
                writers[part].write(orjson.dumps(row) + b"\n")
                counts[part] += 1
    for part, count in counts.items():
        if not count:
            raise ConfigError(
                f"part {part!r} of the corpus got no document", "Raise its share, or give more documents."
            )
    return counts
