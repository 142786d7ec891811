"""Causal self-attention on a CPU by blocks of queries: matrix products that stop where the later tokens begin.

torch's fused kernel takes two to three times as long on a CPU in bfloat16, most of it for the gradient. On a GPU it is
used as it is.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from pivotlens.models.library_internals import attention_kind, softmax_gradient

_NAME, _PLAIN = "pivotlens_blocks", "sdpa"
# Queries of a block; its scores stay in a processor's cache.
_BLOCK = 128
# Longer sequences are left to torch: what is kept for the gradient grows with the square.
_LONGEST = 2048
# What a family may hand over beside queries, keys and values without asking for something else.
_HARMLESS = {"scaling", "dropout", "is_causal", "position_ids", "sliding_window", "output_attentions", "use_cache"}


def attend_by_blocks(model: PreTrainedModel) -> bool:
    """Let a model on a CPU attend by blocks; tell whether it does."""
    if model.device.type != "cpu" or attention_kind(model) != _PLAIN:
        return False
    AttentionInterface.register(_NAME, attention)
    AttentionMaskInterface.register(_NAME, sdpa_mask)
    model.set_attn_implementation(_NAME)
    return attention_kind(model) == _NAME


def attend_plainly(model: PreTrainedModel) -> None:
    """Let a model attend as transformers has it."""
    model.set_attn_implementation(_PLAIN)


def attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **more: Any,
) -> tuple[torch.Tensor, None]:
    """Attend, as transformers calls an attention function; whatever is not plainly causal is left to torch.

    Args:
        module: Of the model.
        query: Shape ``(rows, heads, length, size)``.
        key: Shape ``(rows, key heads, length, size)``; ``heads`` is a multiple of ``key heads``.
        value: As ``key``.
        attention_mask: None where every token sees itself and those before it.
        **more: Scaling, dropout, and what the family adds.

    Returns:
        The states, shape ``(rows, length, heads, size)``.
    """
    length = query.shape[2]
    plain = (
        attention_mask is None
        and not more.get("dropout")
        and more.get("is_causal") is not False
        and getattr(module, "is_causal", True)
        and {name for name, given in more.items() if given is not None} <= _HARMLESS
        and (more.get("sliding_window") or length) >= length
        and length == key.shape[2] <= _LONGEST
    )
    if not plain:
        found: tuple[torch.Tensor, None] = sdpa_attention_forward(module, query, key, value, attention_mask, **more)
        return found
    scaling, dtype = more.get("scaling") or query.shape[-1] ** -0.5, value.dtype
    # Rotary positions leave queries and keys in float32 under autocast, which would cast every block anew.
    return by_blocks((query * scaling).to(dtype), key.to(dtype), value), None


def by_blocks(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Return softmax(query @ key.T) @ value, every token over itself and those before it.

    Shapes as `attention`, the result ``(rows, length, heads, size)``.
    """
    rows, length, size = len(query), *query.shape[2:]
    groups = rows * key.shape[1]
    # Heads that share a key are rows of one product.
    queries = query.reshape(groups, -1, length, size)
    states: torch.Tensor = _Blocks.apply(  # type: ignore[no-untyped-call]
        queries, key.reshape(groups, length, size), value.reshape(groups, length, size), rows
    )
    return states


class _Blocks(torch.autograd.Function):
    """Attention of `by_blocks`; its gradient adds up in place, where torch would fill a tensor of zeros a block."""

    @staticmethod
    def forward(ctx: Any, queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, rows: int) -> torch.Tensor:
        groups, repeats, length, size = queries.shape
        later = queries.new_full((_BLOCK, _BLOCK), -torch.inf).triu(1)
        states = queries.new_empty(rows, length, groups // rows, repeats, size)
        shares = []
        for start, stop in _blocks(length):
            count = stop - start
            scores = torch.bmm(_rows(queries, start, stop), keys[:, :stop].transpose(1, 2))
            scores.view(groups, repeats, count, stop)[..., start:].add_(later[:count, :count])
            shares.append(torch.softmax(scores, -1, out=scores))
            found = torch.bmm(scores, values[:, :stop]).view(rows, -1, repeats, count, size)
            states[:, start:stop] = found.permute(0, 3, 1, 2, 4)
        ctx.save_for_backward(queries, keys, values, *shares)
        return states.view(rows, length, -1, size)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, None]:
        queries, keys, values, *shares = ctx.saved_tensors
        groups, repeats, length, size = queries.shape
        by_states = gradients[0].view(len(gradients[0]), length, -1, repeats, size).permute(0, 2, 3, 1, 4)
        by_states = by_states.reshape(groups, repeats, length, size)
        by_queries, by_keys, by_values = (torch.empty_like(one) for one in (queries, keys, values))
        # From the last block, which sees all keys.
        for (start, stop), share in zip(reversed(_blocks(length)), reversed(shares), strict=True):
            given = _rows(by_states, start, stop)
            by_share = torch.bmm(given, values[:, :stop].transpose(1, 2))
            by_scores = softmax_gradient(by_share, share)
            found = torch.bmm(by_scores, keys[:, :stop])
            by_queries[:, :, start:stop] = found.view(groups, repeats, stop - start, size)
            for by, left, right in ((by_keys, by_scores, _rows(queries, start, stop)), (by_values, share, given)):
                product = torch.bmm(left.transpose(1, 2), right)
                by.copy_(product) if stop == length else by[:, :stop].add_(product)
        return by_queries, by_keys, by_values, None


def _blocks(length: int) -> list[tuple[int, int]]:
    return [(start, min(length, start + _BLOCK)) for start in range(0, length, _BLOCK)]


def _rows(heads: torch.Tensor, start: int, stop: int) -> torch.Tensor:
    """Return some tokens of heads that share a key, one head after another."""
    return heads[:, :, start:stop].reshape(len(heads), -1, heads.shape[-1])
