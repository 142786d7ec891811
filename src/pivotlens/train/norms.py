"""Root mean square norms on a CPU in few passes: half of what transformers takes, most of it for the gradient.

Ahead of matrix products in bfloat16 the result is in bfloat16 at once, where every one of them would cast it anew.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

# How far a norm may be from the module's own, relative to its largest number.
_TOLERANCE = 1e-5


def norm_in_few_passes(model: PreTrainedModel) -> bool:
    """Let the root mean square norms of a model on a CPU run here; tell whether it has any that give the same."""
    if model.device.type != "cpu":
        return False
    found = [module for module in model.modules() if not _runs_here(module) and _is_such(module)]
    for module in found:
        module.forward = partial(_forward, module, module.forward)
    return bool(found)


def norm_plainly(model: PreTrainedModel) -> None:
    """Let a model norm as transformers has it."""
    for module in filter(_runs_here, model.modules()):
        del module.forward


def _runs_here(module: nn.Module) -> bool:
    return getattr(vars(module).get("forward"), "func", None) is _forward


def _is_such(module: nn.Module) -> bool:
    """Tell whether a module is a root mean square norm, by what it makes of some numbers."""
    weight, epsilon = getattr(module, "weight", None), getattr(module, "variance_epsilon", None)
    if not isinstance(weight, torch.Tensor) or weight.dim() != 1 or not isinstance(epsilon, float):
        return False
    rows = torch.arange(1, 3 * len(weight) + 1, dtype=torch.float32).sin().reshape(3, -1)
    with torch.no_grad():
        own, ours = module(rows), root_mean_square_norm(rows, weight, epsilon)
    return own.shape == ours.shape and bool((own - ours).abs().max() <= _TOLERANCE * own.abs().max())


def _forward(module: nn.Module, own: Any, states: torch.Tensor) -> torch.Tensor:
    if states.dtype != torch.float32:  # of queries and keys, which no matrix product takes at once
        return own(states)  # type: ignore[no-any-return]
    return root_mean_square_norm(states, module.weight, module.variance_epsilon)  # type: ignore[arg-type]


def root_mean_square_norm(states: torch.Tensor, weight: torch.Tensor, epsilon: float) -> torch.Tensor:
    """Return ``weight * states / sqrt(mean(states ** 2) + epsilon)`` over the last axis.

    In the type that autocast has matrix products run in, in float32 without it.
    """
    dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else torch.float32
    result: torch.Tensor = _Norm.apply(states, weight, epsilon, dtype)  # type: ignore[no-untyped-call]
    return result


class _Norm(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, states: torch.Tensor, weight: torch.Tensor, epsilon: float, dtype: torch.dtype
    ) -> torch.Tensor:
        length = torch.linalg.vector_norm(states, dim=-1, keepdim=True)
        scale = (length.square_().div_(states.shape[-1]) + epsilon).rsqrt_()
        plain = states * scale
        ctx.save_for_backward(plain, scale, weight)
        return torch.mul(plain, weight, out=torch.empty_like(plain, dtype=dtype))

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None, None]:
        plain, scale, weight = ctx.saved_tensors
        by_product = gradients[0] * plain
        by_weight = by_product.flatten(0, -2).sum(0)
        along = (by_product @ weight).unsqueeze(-1).div_(len(weight))
        by_states = (gradients[0] * weight).addcmul_(plain, along, value=-1).mul_(scale)
        return by_states, by_weight, None, None
