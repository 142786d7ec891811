"""Sharing what prompts begin with: the common prefix is encoded once, its key-value cache serves all."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers.cache_utils import DynamicCache, DynamicLayer, DynamicSlidingWindowLayer

from pivotlens.models.encoding import Ids
from pivotlens.models.load import LoadedModel


@dataclass(frozen=True)
class ContextBatch:
    """Contexts of one length that run in one forward pass, without padding.

    Attributes:
        rows: Which contexts, as indices into the list given.
        input_ids: What is left of them after the prefix, int64, shape ``(rows, length)``.
        cache: The prefix's cache for each row, or None where caches cannot be shared.
        past: Tokens in the cache.
    """

    rows: list[int]
    input_ids: torch.Tensor
    cache: DynamicCache | None
    past: int

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the model's forward pass."""
        rows, length = self.input_ids.shape
        mask = torch.ones(rows, self.past + length, dtype=torch.long, device=self.input_ids.device)
        arguments: dict[str, Any] = {"input_ids": self.input_ids, "attention_mask": mask}
        if self.cache is not None:
            arguments |= {"past_key_values": self.cache, "use_cache": True}
        return arguments


def common_prefix(contexts: Sequence[Ids]) -> Ids:
    """Return the longest common prefix that leaves every context at least one token."""
    first, last = min(contexts), max(contexts)
    limit = min(len(context) for context in contexts) - 1
    length = 0
    while length < limit and first[length] == last[length]:
        length += 1
    return first[:length]


def select_rows(cache: DynamicCache, rows: torch.Tensor) -> DynamicCache:
    """Return a cache of the given rows of another one, which stays as it is."""
    chosen = copy.copy(cache)
    chosen.layers = [copy.copy(layer) for layer in cache.layers]
    for layer in chosen.layers:
        layer.batch_select_indices(rows)  # type: ignore[union-attr]
    return chosen


def is_shareable(cache: object) -> bool:
    """Tell whether every layer keeps plain keys and values, so that copies do not disturb each other."""
    return isinstance(cache, DynamicCache) and all(
        type(layer) in (DynamicLayer, DynamicSlidingWindowLayer) for layer in cache.layers
    )


@dataclass
class SharedPrefix:
    """Contexts that begin alike, cut into batches that share the cache of their beginning.

    Args:
        loaded: The model.
        contexts: Token ids; equal ones should be given once.
        batch_tokens: Most tokens held in the cache at once.
        share: False runs every context in full.
    """

    loaded: LoadedModel
    contexts: Sequence[Ids]
    batch_tokens: int
    share: bool = True
    prefix: Ids = field(init=False, default=())
    _cache: DynamicCache | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if not self.share:
            return
        self.prefix = common_prefix(self.contexts)
        if not self.prefix:
            return
        ids = torch.tensor([self.prefix], device=self.loaded.device)
        with torch.inference_mode():
            cache = self.loaded.model(input_ids=ids, use_cache=True, logits_to_keep=1).past_key_values
        if is_shareable(cache):
            self._cache = cache
        else:
            self.prefix = ()

    def fits_window(self, length: int) -> bool:
        """Tell whether sequences of a length lie within every layer's window, so that all of them is always seen."""
        config = self.loaded.model.config.get_text_config()
        limits = [getattr(config, name, None) for name in ("sliding_window", "attention_chunk_size")]
        return all(limit is None or length <= limit for limit in limits)

    def cache_rows(self, rows: int) -> DynamicCache | None:
        """Return the prefix's cache for so many rows, or None where there is no prefix."""
        if self._cache is None:
            return None
        return select_rows(self._cache, torch.zeros(rows, dtype=torch.long, device=self.loaded.device))

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
                yield ContextBatch(chosen, ids, self.cache_rows(len(chosen)), past)
