"""What every model must show before it is read: an output head, numbers, and no sight of what comes later."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from pivotlens.errors import ModelError
from pivotlens.models.memory import one_row

# Largest differences, relative to the largest number, that rounding alone explains.
_RELATIVE_TOLERANCE = {torch.bfloat16: 1e-2, torch.float16: 2e-3}
# Any tokens will do, they only have to run through the model.
_PROBE_LENGTH = 4


def relative_tolerance(dtype: torch.dtype) -> float:
    """Return how far two ways to the same number may lie apart, relative to the largest one."""
    return _RELATIVE_TOLERANCE.get(dtype, 1e-4)


def relative_difference(value: torch.Tensor, reference: torch.Tensor) -> float:
    """Return the largest difference, relative to the largest number of the reference."""
    reference = reference.to(value.device)
    scale = reference.abs().max().clamp_min(1e-12)
    return float(((value - reference).abs().max() / scale).item())


def output_head(model: PreTrainedModel) -> nn.Module:
    """Return a model's output head.

    Raises:
        ModelError: It has none.
    """
    try:
        head = model.get_output_embeddings()  # type: ignore[no-untyped-call]
    except (AttributeError, NotImplementedError):
        head = None
    if not isinstance(head, nn.Module):
        raise ModelError(
            f"{type(model).__name__} has no output head",
            "pivotlens reads causal language models; load it with AutoModelForCausalLM.",
        )
    return head


def embedded_tokens(model: PreTrainedModel) -> int:
    """Return how many tokens a model embeds: its ids must be below that."""
    embeddings: Any = model.get_input_embeddings()
    return int(embeddings.weight.shape[0])


def probe_ids(model: PreTrainedModel, device: torch.device) -> torch.Tensor:
    """Return token ids to try a model on, int64, shape ``(1, 4)``."""
    vocabulary: int = model.config.get_text_config().vocab_size
    return torch.arange(3, 3 + _PROBE_LENGTH, device=device)[None] % vocabulary


def probe_logits(model: nn.Module, ids: torch.Tensor, name: str) -> torch.Tensor:
    """Return the logits of a plain forward pass in fp32, shape ``(rows, length, vocabulary)``.

    Raises:
        ModelError: The model cannot run, or gives NaN.
    """
    try:
        with torch.inference_mode(), one_row():
            logits: torch.Tensor = model(
                input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False
            ).logits.float()
    except ModelError:
        raise
    except Exception as error:  # whatever a family raises when it needs more than token ids
        raise ModelError(
            f"{name} cannot run on token ids alone: {type(error).__name__}: {error}",
            "pivotlens reads causal language models whose forward pass takes `input_ids` and `attention_mask`.",
        ) from error
    if torch.isnan(logits).any():
        raise ModelError(f"{name} gives NaN logits", "Try dtype = 'float32'; if it stays, the weights are damaged.")
    return logits


def _is_decoder_half(model: PreTrainedModel) -> bool:
    config = model.config
    return bool(getattr(config, "add_cross_attention", False)) or any(
        hasattr(config, key) for key in ("decoder_layers", "num_decoder_layers")
    )


def check_decoder(model: PreTrainedModel, device: torch.device, name: str) -> None:
    """Check that a model has a head, gives numbers, and reads from left to right by itself.

    Args:
        model: In evaluation mode.
        device: Where its inputs go.
        name: Of the model, for messages.

    Raises:
        ModelError: One of them is not so.
    """
    if getattr(model.config, "is_encoder_decoder", False):
        raise ModelError(
            f"{name} is an encoder-decoder model ({model.config.model_type})",
            "pivotlens reads decoder-only language models.",
        )
    if _is_decoder_half(model):
        raise ModelError(
            f"{name} ({type(model).__name__}) is the decoder half of an encoder-decoder model "
            f"({model.config.model_type}): its blocks were trained to attend to an encoder that is not there",
            "pivotlens reads decoder-only language models.",
        )
    output_head(model)
    ids = probe_ids(model, device)
    other = ids.clone()
    other[0, -1] = (other[0, -1] + 1) % model.config.get_text_config().vocab_size
    logits = probe_logits(model, torch.cat([ids, other]), name)
    difference = relative_difference(logits[1, :-1], logits[0, :-1])
    if not difference <= relative_tolerance(model.dtype):
        raise ModelError(
            f"{name} ({type(model).__name__}) lets a token see those after it: its last token changes what it says "
            f"before (relative difference {difference:.2g})",
            "It is an encoder or a masked model; pivotlens reads decoder-only language models.",
        )
