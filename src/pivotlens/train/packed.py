"""Documents packed into sequences of equal length, as token ids on the disk, and the order they are read in."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pivotlens.arrays import Integers
from pivotlens.artifacts import atomic_path
from pivotlens.corpus import BadRow, BadRows, Columns, PartStore, Shard, read_documents
from pivotlens.corpus.packing import read_arrays, write_arrays
from pivotlens.corpus.problems import KEPT, check_not_hopeless
from pivotlens.models.tokenizer import TextTokenizer, load_tokenizer

# Text that is cut into tokens at once; bounds what a worker holds.
_BATCH_CHARACTERS = 1 << 20


@dataclass(frozen=True)
class Frame:
    """Token ids around every document.

    Attributes:
        before: What the tokenizer begins a text with by default; often nothing.
        end: The token that ends it.
    """

    before: tuple[int, ...]
    end: int


@dataclass(frozen=True)
class PackPass:
    """Cuts a shard's documents into tokens; its part is their number with the bad rows, the ids lie beside it.

    Attributes:
        columns: Where text and language stand.
        tokenizer: Folder of the tokenizer.
        frame: Tokens around every document.
        dtype: Of the ids: ``uint16`` or ``uint32``.
        limit_documents: Most documents read a file; None reads all.
        max_bad_share: Share of unreadable rows that is borne.
    """

    columns: Columns
    tokenizer: str
    frame: Frame
    dtype: str
    limit_documents: int | None
    max_bad_share: float

    def __call__(self, shard: Shard, part: Path) -> None:
        """Write the part of a shard."""
        tokenizer, bad = load_tokenizer(self.tokenizer), BadRows()
        texts: list[str] = []
        tokens = characters = largest = 0
        with atomic_path(ids_path(part)) as temporary, temporary.open("wb") as file:
            for document in read_documents(shard, self.columns):
                if isinstance(document, BadRow):
                    bad.add(document, named=bad.count < KEPT)
                    if shard.start == 0:
                        check_not_hopeless(bad, self.max_bad_share, shard.file)
                    continue
                bad.documents += 1
                texts.append(document.text)
                characters += len(document.text)
                if characters >= _BATCH_CHARACTERS:
                    ids = self._ids(tokenizer, texts)
                    file.write(ids.tobytes())
                    tokens, largest = tokens + len(ids), max(largest, int(ids.max(initial=0)))
                    texts, characters = [], 0
                if bad.documents == self.limit_documents:
                    break
            ids = self._ids(tokenizer, texts)
            file.write(ids.tobytes())
            tokens, largest = tokens + len(ids), max(largest, int(ids.max(initial=0)))
        write_arrays(part, {"tokens": np.array(tokens), "largest": np.array(largest)} | bad.to_arrays())

    def _ids(self, tokenizer: TextTokenizer, texts: Sequence[str]) -> npt.NDArray[np.integer]:
        before, end = np.array(self.frame.before, dtype=np.int64), np.array([self.frame.end], dtype=np.int64)
        framed = [one for ids in tokenizer.encode_batch(texts) if len(ids) for one in (before, ids, end)]
        return np.concatenate([np.zeros(0, dtype=np.int64), *framed]).astype(f"<{np.dtype(self.dtype).str[1:]}")


def ids_path(part: Path) -> Path:
    """Return where the token ids of a shard lie beside its part."""
    return part.with_suffix(".ids")


def ids_dtype(vocabulary: int) -> str:
    """Return the smallest type that holds every id of a vocabulary.

    >>> ids_dtype(49_152), ids_dtype(262_144)
    ('uint16', 'uint32')
    """
    return "uint16" if vocabulary <= 1 << 16 else "uint32"


@dataclass(frozen=True)
class Packed:
    """An arm's documents one after another, cut into sequences; the rest at the end is left out.

    Attributes:
        path: The ids, little-endian.
        dtype: Of the ids.
        length: Tokens of a sequence.
        sequences: How many there are.
        documents: Documents they were made of.
        tokens: All tokens, those that are left out among them.
        largest: The largest id.
    """

    path: Path
    dtype: str
    length: int
    sequences: int
    documents: int
    tokens: int
    largest: int

    def rows(self, numbers: Integers) -> Integers:
        """Return sequences by number, shape ``(n, length)``."""
        shape = (self.sequences, self.length)
        whole = np.memmap(self.path, dtype=np.dtype(self.dtype).newbyteorder("<"), mode="r", shape=shape)
        return whole[numbers].astype(np.int64)


def put_together(
    path: Path, shards: Sequence[Shard], parts: PartStore, documents: int, packing: PackPass, length: int
) -> Packed:
    """Write the ids of all shards into one file, in the order of the corpus, unless it is there."""
    counts = [read_arrays(parts.path(shard), ("tokens", "largest")) for shard in shards]
    tokens = sum(int(one["tokens"]) for one in counts)
    if not path.exists():
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            for shard in shards:
                with ids_path(parts.path(shard)).open("rb") as ids:
                    shutil.copyfileobj(ids, file, 1 << 20)
    largest = max(int(one["largest"]) for one in counts)
    return Packed(path, packing.dtype, length, tokens // length, documents, tokens, largest)


@dataclass(frozen=True)
class Order:
    """The order in which an arm's sequences are read: all once, then all again in another order.

    Attributes:
        sequences: How many the arm has.
        used: How many of them are read at all; the same ones with every seed.
        seed: Of the order.
    """

    sequences: int
    used: int
    seed: int

    def numbers(self, first: int, count: int) -> Integers:
        """Return which sequences are read at places ``first`` and after, counted from 0 over all passes."""
        places = np.arange(first, first + count)
        return np.array([self._pass(int(place) // self.used)[int(place) % self.used] for place in places])

    def _pass(self, number: int) -> Integers:
        return _permuted(self.sequences, self.used, self.seed, number)


@functools.lru_cache(maxsize=2)  # a step may end one pass and begin the next
def _permuted(sequences: int, used: int, seed: int, number: int) -> Integers:
    chosen = np.random.default_rng(0).permutation(sequences)[:used]
    return np.random.default_rng([seed, number]).permutation(np.sort(chosen))
