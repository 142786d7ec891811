"""Contexts with all their answers packed into rows: one pass, no padding to speak of, one copy of the prefix a row.

What follows the common prefix of a context is laid out as a tree: the rest of the context, then every beginning of an
answer once. Trees stand side by side in a row; a mask lets a token see the prefix, its context and its own beginning.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from transformers.cache_utils import DynamicCache

from pivotlens.models.encoding import Ids
from pivotlens.models.late_head import Wanted, without_beginnings
from pivotlens.models.library_internals import select_rows
from pivotlens.models.prefix import SharedPrefix

# Tokens of a row: longer ones waste work on keys that are masked, shorter ones copy the prefix more often.
ROW = 192


@dataclass(frozen=True)
class _Tree:
    """A context's tokens after the prefix and the beginnings of its answers.

    Attributes:
        row: Which context.
        ids: Its tokens; the rest of the context first.
        parents: The token before each, as an index into ``ids``; -1 for the first.
        wanted: Where each answer's tokens are read: answer, place, index into ``ids``.
    """

    row: int
    ids: list[int]
    parents: list[int]
    wanted: list[tuple[Ids, int, int]]


@dataclass
class PackedBatch:
    """Rows of trees that run in one forward pass.

    Attributes:
        ids: Token ids, int64, shape ``(rows, length)``.
        positions: Place of each token in its own sequence, same shape.
        seen: Which keys each token attends to, bool, shape ``(rows, length, past + length)``.
        cache: The prefix's cache, of one row, or None where there is no prefix; it stays as it is.
        wanted: The answers' tokens, by index into the flattened positions.
        device: Where it runs.
        dtype: Of the model.
    """

    ids: np.ndarray[Any, np.dtype[np.int64]]
    positions: np.ndarray[Any, np.dtype[np.int64]]
    seen: np.ndarray[Any, np.dtype[np.bool_]]
    cache: DynamicCache | None
    device: torch.device
    dtype: torch.dtype
    wanted: list[Wanted] = field(default_factory=list)

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.ids)

    def rows_between(self, start: int, stop: int) -> PackedBatch:
        """Return some of the rows."""
        first, last = start * self.ids.shape[1], stop * self.ids.shape[1]
        wanted = [replace(one, state=one.state - first) for one in self.wanted if first <= one.state < last]
        return replace(
            self,
            ids=self.ids[start:stop],
            positions=self.positions[start:stop],
            seen=self.seen[start:stop],
            wanted=wanted,
        )

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the model's forward pass, with a copy of the cache."""
        seen = torch.from_numpy(self.seen).to(self.device)[:, None]
        mask = torch.zeros(seen.shape, dtype=self.dtype, device=self.device)
        arguments: dict[str, Any] = {
            "input_ids": torch.from_numpy(self.ids).to(self.device),
            "position_ids": torch.from_numpy(self.positions).to(self.device),
            "attention_mask": mask.masked_fill_(~seen, torch.finfo(self.dtype).min),
            "use_cache": self.cache is not None,
        }
        if self.cache is not None:
            arguments["past_key_values"] = select_rows(self.cache, torch.zeros(len(self), dtype=torch.long))
        return arguments


def longest_sequence(contexts: Sequence[Ids], answers: Sequence[Sequence[Ids]]) -> int:
    """Return the length of the longest context with its longest answer."""
    return max(
        len(context) + max((len(answer) for answer in row), default=0)
        for context, row in zip(contexts, answers, strict=True)
    )


def packed_batches(shared: SharedPrefix, answers: Sequence[Sequence[Ids]]) -> Iterator[PackedBatch]:
    """Yield batches of packed rows within the token budget; which they are follows from contexts and answers alone."""
    past = len(shared.prefix)
    trees = [
        tree
        for row, context in enumerate(shared.contexts)
        if answers[row]
        for tree in _trees(row, context[past:], answers[row])
    ]
    # Long trees first: the short ones fill the rows' ends.
    trees.sort(key=lambda tree: -len(tree.ids))
    length = max([ROW, *(len(tree.ids) for tree in trees)])
    rows = _filled(trees, length)
    size = max(1, shared.batch_tokens // (past + length))
    for start in range(0, len(rows), size):
        yield _batch(shared, rows[start : start + size], past)


def _trees(row: int, rest: Ids, answers: Sequence[Ids]) -> list[_Tree]:
    """Return a context's tree, or several where it has more answers than a row holds."""
    tree = _tree(row, rest, answers)
    if len(tree.ids) <= ROW or len(answers) == 1:
        return [tree]
    alike, half = sorted(answers), len(answers) // 2
    return _trees(row, rest, alike[:half]) + _trees(row, rest, alike[half:])


def _tree(row: int, rest: Ids, answers: Sequence[Ids]) -> _Tree:
    ids, parents = list(rest), list(range(-1, len(rest) - 1))
    wanted: list[tuple[Ids, int, int]] = []
    nodes: dict[Ids, int] = {(): len(rest) - 1}
    for answer in without_beginnings(answers):
        for place in range(len(answer)):
            beginning = answer[:place]
            if beginning not in nodes:
                nodes[beginning] = len(ids)
                ids.append(beginning[-1])
                parents.append(nodes[beginning[:-1]])
            wanted.append((answer, place, nodes[beginning]))
    return _Tree(row, ids, parents, wanted)


def _filled(trees: Sequence[_Tree], length: int) -> list[list[_Tree]]:
    """Put each tree into the first row that has room for it."""
    rows: list[list[_Tree]] = []
    room: list[int] = []
    first = 0
    for tree in trees:
        while first < len(room) and room[first] < len(trees[-1].ids):
            first += 1  # full rows are not tried again
        for index in range(first, len(rows)):
            if room[index] >= len(tree.ids):
                break
        else:
            index = len(rows)
            rows.append([])
            room.append(length)
        rows[index].append(tree)
        room[index] -= len(tree.ids)
    return rows


def _batch(shared: SharedPrefix, rows: Sequence[Sequence[_Tree]], past: int) -> PackedBatch:
    length = max(sum(len(tree.ids) for tree in row) for row in rows)
    shape = (len(rows), length)
    batch = PackedBatch(
        ids=np.zeros(shape, np.int64),
        positions=np.zeros(shape, np.int64),
        seen=np.zeros((*shape, past + length), bool),
        cache=shared.cache,
        device=shared.loaded.device,
        dtype=shared.loaded.dtype,
    )
    batch.seen[:, :, :past] = True
    batch.seen[:, range(length), range(past, past + length)] = True  # padding sees itself: no row of nothing
    for number, row in enumerate(rows):
        begin = 0
        for tree in row:
            end = begin + len(tree.ids)
            batch.ids[number, begin:end] = tree.ids
            seen = batch.seen[number, begin:end, past + begin : past + end]
            depth = np.zeros(len(tree.ids), np.int64)
            for index, parent in enumerate(tree.parents):
                if parent >= 0:
                    seen[index] |= seen[parent]
                    depth[index] = depth[parent] + 1
            batch.positions[number, begin:end] = past + depth
            batch.wanted += [
                Wanted(number * length + begin + index, tree.row, answer, place) for answer, place, index in tree.wanted
            ]
            begin = end
    return batch
