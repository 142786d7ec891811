"""Every place where the models room leans on what torch, transformers or accelerate do not promise to keep.

No other file of the product touches such names; a test holds each against the installed libraries and names what is
gone.

Two functions here change a live model for the length of a ``with``: what a module runs, and which blocks it holds.
``torch.func.functional_call`` can do neither, as it swaps parameters and buffers alone; nor can hooks, which run beside
a module's work, and that work is what is to be spared. Both give back what was there, errors included; another thread
that runs the same model meanwhile would see the change.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from transformers import PretrainedConfig, PreTrainedModel
from transformers.cache_utils import DynamicCache, DynamicLayer, DynamicSlidingWindowLayer
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

# -- transformers: caches of keys and values


def select_rows(cache: DynamicCache, rows: torch.Tensor) -> DynamicCache:
    """Return a cache of the given rows of another one, which stays as it is.

    A cache changes its rows in place; the shallow copies share the tensors that are not changed.
    """
    chosen = copy.copy(cache)
    chosen.layers = [copy.copy(layer) for layer in cache.layers]
    for layer in chosen.layers:
        layer.batch_select_indices(rows.to(layer.keys.device))  # type: ignore[union-attr]
    return chosen


def is_shareable(cache: object) -> bool:
    """Tell whether every layer keeps plain keys and values, so that copies do not disturb each other."""
    return type(cache) is DynamicCache and all(
        type(layer) in (DynamicLayer, DynamicSlidingWindowLayer) for layer in cache.layers
    )


# -- transformers: models and their configs


def classes_with_head() -> set[str]:
    """Return the names of transformers' causal language models: no public list of them says which have a head."""
    return {str(name) for name in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.values()}


def forget_quantisation(model: PreTrainedModel) -> None:
    """Let a model whose weights were unpacked on loading be saved as the plain one that it is.

    ``model.dequantize()`` is for weights that are packed still, and leaves the mark in the config.
    """
    model.hf_quantizer = None  # type: ignore[assignment]
    for owner in (model.config, model.config.get_text_config()):
        if hasattr(owner, "quantization_config"):
            del owner.quantization_config


def forget_lengths(model: PreTrainedModel) -> None:
    """Let rotary positions that are scaled by length depend on the pass alone, not on longer ones before it.

    The modules keep the longest length that they have seen, and nothing public takes it back.
    """

    def forget(module: Any, inputs: Any) -> None:
        kinds = module.rope_type
        for prefix in [""] if isinstance(kinds, str) else [f"{kind}_" for kind in kinds]:
            trained = getattr(module, f"{prefix}original_inv_freq")
            module.register_buffer(f"{prefix}inv_freq", trained.to(inputs[0].device), persistent=False)
            setattr(module, f"{prefix}max_seq_len_cached", module.original_max_seq_len)

    for module in model.modules():
        if "dynamic" in str(getattr(module, "rope_type", "")):
            module.register_forward_pre_hook(forget)


def attention_kind(model: PreTrainedModel) -> str | None:
    """Return how a model attends, such as ``sdpa``: it can be set by a public name, and be read by none."""
    kind: str | None = model.config._attn_implementation
    return kind


def undivided_modules(model: PreTrainedModel) -> list[str]:
    """Return the classes of a model that stay in one piece where it is split, its blocks: no public name has them."""
    return sorted(model._no_split_modules or ())


def let_warnings_repeat() -> None:
    """Let transformers say of every model what it would say once a process: it keeps no other record of that."""
    logging.Logger.warning_once.cache_clear()  # type: ignore[attr-defined]


# -- accelerate: weights that are kept elsewhere


def is_offloaded(module: nn.Module) -> bool:
    """Tell whether accelerate brings a module's weights only as it runs; its hook is the only sign of that."""
    return hasattr(module, "_hf_hook")


def execution_device(module: nn.Module) -> torch.device | None:
    """Return where accelerate lets a module run, which its weights do not tell; None where it leaves it alone."""
    hook = getattr(module, "_hf_hook", None)
    for one in (hook, *getattr(hook, "hooks", ())):
        if (device := getattr(one, "execution_device", None)) is not None:
            return torch.device(device)
    return None


# -- torch


def softmax_gradient(by_shares: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    """Return the gradient by what a softmax over the last axis was taken of: the kernel is one pass over both."""
    return torch._softmax_backward_data(by_shares, shares, -1, shares.dtype)


def compiled_module(model: nn.Module) -> nn.Module | None:
    """Return the module that ``torch.compile`` wraps, for which it has no getter; None where it is not compiled."""
    return getattr(model, "_orig_mod", None)


@contextmanager
def running_instead(module: nn.Module, forward: Callable[..., Any]) -> Iterator[None]:
    """Let a module run another function; hooks of the module run as ever."""
    before = vars(module).get("forward")  # accelerate puts one of its own here
    module.forward = forward
    try:
        yield
    finally:
        if before is None:
            del module.forward
        else:
            module.forward = before


@contextmanager
def cut_off(
    owner: nn.Module, name: str, depth: int, config: PretrainedConfig, *, config_too: bool = True
) -> Iterator[None]:
    """Let a model consist of its first blocks.

    Args:
        owner: The module that holds the list of blocks.
        name: Of the list there.
        depth: Blocks that are left.
        config: Of the text decoder.
        config_too: Whether the config names that number as well; some families count blocks by it.
    """
    blocks, full = getattr(owner, name), config.num_hidden_layers
    setattr(owner, name, nn.ModuleList(list(blocks)[:depth]))
    if config_too:
        config.num_hidden_layers = depth
    try:
        yield
    finally:
        setattr(owner, name, blocks)
        config.num_hidden_layers = full
