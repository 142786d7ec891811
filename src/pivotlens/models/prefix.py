"""Sharing what prompts begin with: the common prefix is encoded once, its key-value cache serves all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers.cache_utils import DynamicCache

from pivotlens.models.encoding import Ids
from pivotlens.models.library_internals import is_shareable, select_rows
from pivotlens.models.load import LoadedModel
from pivotlens.models.memory import one_row


@dataclass(frozen=True)
class ContextBatch:
    """Contexts of one length that run in one forward pass, without padding.

    Attributes:
        rows: Which contexts, as indices into the list given.
        input_ids: What is left of them after what is cached, int64, shape ``(rows, length)``.
        cache: What the rows continue, or None where caches cannot be shared; it stays as it is.
        past: Tokens in the cache.
        cache_rows: Which row of the cache each row continues; None for the first one.
    """

    rows: list[int]
    input_ids: torch.Tensor
    cache: DynamicCache | None
    past: int
    cache_rows: torch.Tensor | None = None

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.input_ids)

    def rows_between(self, start: int, stop: int) -> ContextBatch:
        """Return some of the rows."""
        cache_rows = None if self.cache_rows is None else self.cache_rows[start:stop]
        return ContextBatch(self.rows[start:stop], self.input_ids[start:stop], self.cache, self.past, cache_rows)

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the model's forward pass, with a copy of the cache."""
        rows, length = self.input_ids.shape
        mask = torch.ones(rows, self.past + length, dtype=torch.long, device=self.input_ids.device)
        arguments: dict[str, Any] = {"input_ids": self.input_ids, "attention_mask": mask, "use_cache": False}
        if self.cache is not None:
            chosen = torch.zeros(rows, dtype=torch.long) if self.cache_rows is None else self.cache_rows
            arguments |= {"past_key_values": select_rows(self.cache, chosen), "use_cache": True}
        return arguments


def common_prefix(contexts: Sequence[Ids]) -> Ids:
    """Return the longest common prefix that leaves every context at least one token."""
    first, last = min(contexts), max(contexts)
    longest = min(len(context) for context in contexts) - 1
    length = 0
    while length < longest and first[length] == last[length]:
        length += 1
    return first[:length]


def fits_window(loaded: LoadedModel, length: int) -> bool:
    """Tell whether sequences of a length lie within the windows that a model's config names as most families do."""
    config = loaded.model.config.get_text_config()
    windows = [getattr(config, name, None) for name in ("sliding_window", "attention_chunk_size")]
    return all(window is None or length <= window for window in windows)


@dataclass
class SharedPrefix:
    """Contexts that begin alike, cut into batches that share the cache of their beginning.

    Args:
        loaded: The model.
        contexts: Token ids; equal ones should be given once.
        batch_tokens: Most tokens held in the cache at once.
        share_cache: False runs every context in full.

    Attributes:
        prefix: What they begin with; empty where caches cannot be shared.
        cache: Its cache, of one row; None where there is no prefix.
    """

    loaded: LoadedModel
    contexts: Sequence[Ids]
    batch_tokens: int
    share_cache: bool = True
    prefix: Ids = field(init=False, default=())
    cache: DynamicCache | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if not self.share_cache:
            return
        self.prefix = common_prefix(self.contexts)
        if not self.prefix:
            return
        ids = torch.tensor([self.prefix], device=self.loaded.device)
        with torch.inference_mode(), one_row():
            cache = self.loaded.model(input_ids=ids, use_cache=True, **self.loaded.last_only).get("past_key_values")
        if is_shareable(cache):
            self.cache = cache
        else:
            self.prefix = ()

    def fits_window(self, length: int) -> bool:
        """Tell whether sequences of a length lie within every layer's window, so that all of them is always seen."""
        return fits_window(self.loaded, length)

    def batches(self) -> Iterator[ContextBatch]:
        """Yield the batches; which contexts run together follows from the contexts and the budget alone."""
        past = len(self.prefix)
        by_length: dict[int, list[int]] = {}
        for row, context in enumerate(self.contexts):
            by_length.setdefault(len(context), []).append(row)
        for length, rows in sorted(by_length.items()):
            size = max(1, self.batch_tokens // length)
            for start in range(0, len(rows), size):
                chosen = rows[start : start + size]
                ids = torch.tensor([self.contexts[row][past:] for row in chosen], device=self.loaded.device)
                yield ContextBatch(chosen, ids, self.cache, past)
