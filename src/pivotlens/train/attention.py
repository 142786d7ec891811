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

from pivotlens.models.library_internals import attention_kind

_NAME, _PLAIN = "pivotlens_blocks", "sdpa"
# Queries of a block; its scores stay in a processor's cache.
_BLOCK = 64
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
    return by_blocks((query * scaling).to(dtype), key.to(dtype), value).transpose(1, 2).contiguous(), None


def by_blocks(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Return softmax(query @ key.T) @ value, every token over itself and those before it; shapes as `attention`."""
    rows, heads, length, size = query.shape
    groups = rows * key.shape[1]
    # Heads that share a key are rows of one product.
    queries = query.reshape(groups, -1, length, size)
    keys, values = key.reshape(groups, length, size).transpose(1, 2), value.reshape(groups, length, size)
    later = query.new_full((_BLOCK, _BLOCK), -torch.inf).triu(1)
    states = []
    for start, block in zip(range(0, length, _BLOCK), torch.split(queries, _BLOCK, 2), strict=True):
        count, stop = block.shape[2], start + block.shape[2]
        scores = torch.bmm(block.reshape(groups, -1, size), keys[..., :stop])
        scores.view(groups, -1, count, stop)[..., start:].add_(later[:count, :count])
        found = torch.bmm(torch.softmax(scores, -1), values[:, :stop])
        states.append(found.view(groups, -1, count, size))
    return torch.cat(states, 2).view(rows, heads, length, size)
