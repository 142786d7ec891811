"""Writing the documents of the arms: which file each goes to, and the pass over a shard that writes them there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from pivotlens.arrays import Booleans, Integers
from pivotlens.artifacts.files import write_bytes
from pivotlens.corpus import PartStore, Shard, UnitPlan, unit_batches
from pivotlens.corpus.packing import read_arrays
from pivotlens.corpus.writing import ArmFile, FileFilling, FragmentWriter, WritingPlan, writing_fragment
from pivotlens.errors import DataError
from pivotlens.models.tokenizer import load_tokenizer
from pivotlens.select.scoring import Mode, pivot_share
from pivotlens.statistics.proportion import wilson_lower

DOCUMENT_COLUMNS = pa.schema(
    [
        ("id", pa.string()),
        ("text", pa.string()),
        ("language", pa.string()),
        ("group", pa.string()),
        ("file", pa.string()),
        ("row", pa.int64()),
        ("unit", pa.int64()),
        ("n_tokens", pa.int64()),
        ("n_pivots", pa.int64()),
        ("pivot_share", pa.float64()),
        ("pivot_share_low", pa.float64()),
    ]
)
"""Columns of a document of an arm."""


@dataclass
class ArmFiles:
    """Which files the arms have; units come in the order of the corpus.

    Attributes:
        arms: The arms.
        file_tokens: As `FileFilling`.
        fragments: The parts of `WritePass`.
    """

    arms: tuple[Mode, ...]
    file_tokens: int
    fragments: PartStore
    _filling: dict[Mode, FileFilling] = field(init=False)
    _tokens: dict[Mode, list[int]] = field(init=False)
    _bases: dict[tuple[Mode, int], list[Path]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._filling = {arm: FileFilling(self.file_tokens) for arm in self.arms}
        self._tokens = {arm: [] for arm in self.arms}

    def place(self, shard: Shard, n_tokens: Integers, taken: Booleans) -> Integers:
        """Return the number of the file of each arm that the next units go to, −1 for none, shape ``(arms, units)``.

        Args:
            shard: Where they are.
            n_tokens: Their tokens, shape ``(units,)``.
            taken: Which of them are in each arm, shape ``(arms, units)``.
        """
        numbers = np.full(taken.shape, -1, dtype=np.int64)
        for arm, of_arm, here in zip(self.arms, taken, numbers, strict=True):
            lengths = n_tokens[of_arm] + 1
            here[of_arm] = self._filling[arm].numbers(lengths)
            for number in np.unique(here[of_arm]).tolist():
                self._bases.setdefault((arm, number), []).append(_base(self.fragments.path(shard), arm, number))
                if number == len(self._tokens[arm]):
                    self._tokens[arm].append(0)
                self._tokens[arm][number] += int(lengths[here[of_arm] == number].sum())
        return numbers

    def tokens(self, arm: Mode) -> Integers:
        """Return the tokens of each file of an arm with the end-of-document tokens, shape ``(files,)``."""
        return np.array(self._tokens[arm], dtype=np.int64)

    def files(self) -> list[ArmFile]:
        """Return the files of the arms, of an arm that holds nothing one without documents."""
        return [
            ArmFile(arm, number, tuple(self._bases.get((arm, number), ())))
            for arm in self.arms
            for number in range(max(1, len(self._tokens[arm])))
        ]


def _base(part: Path, arm: Mode, number: int) -> Path:
    """Return what the names of the files begin with that hold what one shard gives to one file of an arm."""
    return part.with_suffix(f".{arm}-{number:05d}")


def ended_within(part: Path) -> int:
    """Return how many documents hold the end-of-document token in their text, as a part of `WritePass` tells."""
    return int(orjson.loads(part.read_bytes()))


@dataclass(frozen=True)
class WritePass:
    """Writes the chosen units of a shard as fragments of the files of each arm.

    Its part tells how many of them hold the end-of-document token in their text.

    Attributes:
        plan: How the corpus is read.
        writing: What the arms are written as.
        tokenizer: Folder of the tokenizer.
        arms: The arms.
        placed: For each shard what `ArmFiles.place` returns.
        scores: The parts of `ScorePass`.
    """

    plan: UnitPlan
    writing: WritingPlan
    tokenizer: str
    arms: tuple[Mode, ...]
    placed: PartStore
    scores: PartStore

    def __call__(self, shard: Shard, part: Path) -> None:
        """Write the fragments of a shard, and its part when they are there."""
        numbers = read_arrays(self.placed.path(shard))["numbers"].astype(np.int64)
        ended_within = 0
        with ExitStack() as stack:
            stacks = [stack.enter_context(ExitStack()) for _ in self.arms]
            open_now: dict[int, tuple[int, FragmentWriter]] = {}
            for unit, document, ids in self._documents(shard, np.logical_or.reduce(numbers >= 0, axis=0)):
                encoded = self.writing.encoded(document, ids)
                ended_within += self.writing.coding is not None and bool((ids == self.writing.coding.end).any())
                for arm in np.flatnonzero(numbers[:, unit] >= 0).tolist():
                    number = int(numbers[arm, unit])
                    if arm not in open_now or open_now[arm][0] != number:
                        stacks[arm].close()
                        fragment = writing_fragment(_base(part, self.arms[arm], number), self.writing)
                        open_now[arm] = (number, stacks[arm].enter_context(fragment))
                    open_now[arm][1].add(encoded)
        write_bytes(part, orjson.dumps(ended_within))

    def _documents(self, shard: Shard, wanted: Booleans) -> Iterator[tuple[int, dict[str, Any], Integers]]:
        """Yield the number of each wanted unit in the shard, its columns, and its tokens where they are written."""
        scores = read_arrays(self.scores.path(shard), ("n_tokens", "n_pivots"))
        n_tokens, n_pivots = scores["n_tokens"].astype(np.int64), scores["n_pivots"].astype(np.int64)
        share, pivot_share_low = pivot_share(n_tokens, n_pivots), wilson_lower(n_pivots, n_tokens)
        first, name = 0, shard.file.name
        for batch in unit_batches(shard, self.plan):
            offsets = np.flatnonzero(wanted[first : first + len(batch.texts)]).tolist()
            tokens = self._tokens([batch.texts[offset] for offset in offsets])
            for offset, ids in zip(offsets, tokens, strict=True):
                unit = first + offset
                row, unit_number = int(batch.rows[offset]), int(batch.units[offset])
                document = {
                    "id": f"{name}:{row}:{unit_number}",
                    "text": batch.texts[offset],
                    "language": batch.languages[offset],
                    "group": batch.groups[offset],
                    "file": name,
                    "row": row,
                    "unit": unit_number,
                    "n_tokens": int(n_tokens[unit]),
                    "n_pivots": int(n_pivots[unit]),
                    "pivot_share": float(share[unit]),
                    "pivot_share_low": float(pivot_share_low[unit]),
                }
                if self.writing.tokens and ids.size != n_tokens[unit]:
                    raise DataError(
                        f"{document['id']} was cut into {n_tokens[unit]:,} tokens when it was scored, and into "
                        f"{ids.size:,} now",
                        "Remove the folder .work of the run, and let the installed packages be while it runs.",
                    )
                yield unit, document, ids
            first += len(batch.texts)
            if not wanted[first:].any():
                return

    def _tokens(self, texts: Sequence[str]) -> Sequence[Integers]:
        if not self.writing.tokens:
            return [np.zeros(0, dtype=np.int64)] * len(texts)
        return load_tokenizer(self.tokenizer).encode_batch(texts)
