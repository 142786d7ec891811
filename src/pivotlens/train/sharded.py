"""Tensors of which each process has a part: made whole, and filled from a whole one (docs/method.md#training)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch.distributed.tensor import DTensor, distribute_tensor


def whole(tensors: Mapping[str, torch.Tensor], *, keep: bool) -> dict[str, torch.Tensor]:
    """Return tensors whole; those that were in parts are then on the CPU.

    All processes call it, as each gives its part.

    Args:
        tensors: By name; one that stands under two names is one under both.
        keep: Whether this process needs them; otherwise it gets none.
    """
    made: dict[int, torch.Tensor] = {}
    for tensor in tensors.values():
        if id(tensor) not in made:
            found = (tensor.full_tensor().cpu() if isinstance(tensor, DTensor) else tensor).detach()
            made[id(tensor)] = found if keep else torch.empty(0)
    return {name: made[id(tensor)] for name, tensor in tensors.items()} if keep else {}


def fill(tensor: torch.Tensor, given: torch.Tensor) -> None:
    """Write a whole tensor, which every process has, into one that may be in parts."""
    with torch.no_grad():
        if isinstance(tensor, DTensor):
            part = distribute_tensor(given, tensor.device_mesh, tensor.placements, src_data_rank=None)
            tensor.to_local().copy_(part.to_local())
        else:
            tensor.copy_(given)
