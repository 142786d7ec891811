"""A model that is in memory already: of a notebook, with adapters, quantised, offloaded or spread over devices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from pivotlens.errors import ModelError
from pivotlens.models.checks import check_decoder, probe_ids, probe_logits, relative_difference, relative_tolerance
from pivotlens.models.library_internals import compiled_module, execution_device
from pivotlens.models.load import LoadedModel
from pivotlens.models.resolve import ResolvedModel


def loaded_from_memory(model: nn.Module, tokenizer: Any = None) -> LoadedModel:
    """Wrap a transformers model as `load_model` would; the model stays as it is.

    Args:
        model: A causal language model, bare or within PEFT's, torch.compile's or a data-parallel wrapper.
        tokenizer: Its tokenizer, for what needs one.

    Raises:
        ModelError: It is no causal language model, is in training mode, or its wrapper does more than pass inputs on.
    """
    inner = _unwrapped(model)
    name = type(inner).__name__
    if not isinstance(inner, PreTrainedModel):
        raise ModelError(
            f"{name} is no transformers model",
            "Give a model as AutoModelForCausalLM.from_pretrained(…) returns it, or one that PEFT wraps.",
        )
    if inner.training or any(
        isinstance(module, nn.Dropout) and module.training and module.p > 0 for module in inner.modules()
    ):
        raise ModelError(f"{name} is in training mode: dropout would change what it says", "Call model.eval() first.")
    device = _input_device(inner)
    check_decoder(inner, device, name)
    if inner is not model:
        ids = probe_ids(inner, device)
        outer, plain = probe_logits(model, ids, type(model).__name__), probe_logits(inner, ids, name)
        if outer.shape != plain.shape or not relative_difference(outer, plain) <= relative_tolerance(inner.dtype):
            raise ModelError(
                f"{type(model).__name__} answers otherwise than the {name} within it",
                "Adapters that add tokens to the input (prompt or prefix tuning) cannot be read; merge what can be.",
            )
    spec = str(inner.config.name_or_path or name)
    # Which commit it was fetched at, transformers keeps no longer.
    return LoadedModel(inner, tokenizer, ResolvedModel(spec, Path(spec), "", ""), device, inner.dtype)


def _unwrapped(model: Any) -> Any:
    while not isinstance(model, PreTrainedModel):
        if hasattr(model, "get_base_model"):  # PEFT
            model = model.get_base_model()
        elif (compiled := compiled_module(model)) is not None:
            model = compiled
        elif isinstance(model, nn.DataParallel | nn.parallel.DistributedDataParallel):
            model = model.module
        else:
            break
    return model


def _input_device(model: PreTrainedModel) -> torch.device:
    embeddings: nn.Module = model.get_input_embeddings()
    if (device := execution_device(embeddings)) is not None:
        return device
    weights = next(embeddings.parameters(), None)
    return model.device if weights is None else weights.device
