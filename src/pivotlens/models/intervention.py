"""Changing a model's states while it runs: plain forward hooks on the outputs of its blocks (docs/method.md#ablation).

Only what a block hands on at one position is changed. The input embeddings are never touched; with tied embeddings a
token's vector is that of its embedding as well, but nothing that the model reads is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from pivotlens.errors import ConfigError, ModelError

Intervention = Callable[[torch.Tensor], torch.Tensor]
"""Takes the states at the position, shape ``(batch, hidden)``, and returns what takes their place."""

Interventions = Mapping[int, Intervention | Sequence[Intervention]]


@dataclass(frozen=True)
class Project:
    """Takes a vector out of the states: ``h − dose · ((h − origin)·v̂) v̂``, with v̂ the vector at unit length.

    At dose 1 the component along the vector becomes that of the origin; at dose 0 nothing is done at all.

    Attributes:
        vector: Shape ``(hidden,)``, or ``(batch, hidden)`` with one for each row; of any length but 0.
        dose: How much of the component is taken out.
        origin: Where the component is counted from, same shapes; zero when None.
    """

    vector: torch.Tensor
    dose: float = 1.0
    origin: torch.Tensor | None = None

    def __call__(self, states: torch.Tensor) -> torch.Tensor:
        """Return the states without the component; computed in fp32, returned in the dtype of the states."""
        if self.dose == 0:
            return states
        unit = unit_length(_fitting(self.vector, states))
        away = states.float() if self.origin is None else states.float() - _fitting(self.origin, states)
        taken = self.dose * (away * unit).sum(-1, keepdim=True) * unit
        return (states.float() - taken).to(states.dtype)


@dataclass(frozen=True)
class Add:
    """Adds a vector to the states.

    Attributes:
        vector: Shape ``(hidden,)``, or ``(batch, hidden)`` with one for each row.
    """

    vector: torch.Tensor

    def __call__(self, states: torch.Tensor) -> torch.Tensor:
        """Return the moved states, in their dtype."""
        return (states.float() + _fitting(self.vector, states)).to(states.dtype)


def _fitting(vector: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
    if vector.shape not in (states.shape, states.shape[-1:]):
        raise ConfigError(
            f"a vector of shape {tuple(vector.shape)} does not fit states of shape {tuple(states.shape)}",
            "Give one vector for all rows, or one for each row of the batch.",
        )
    return vector.float().to(states.device)


def unit_length(vectors: torch.Tensor) -> torch.Tensor:
    """Return vectors, shape ``(..., hidden)``, at unit length.

    Raises:
        ConfigError: One of them is zero or not finite: it points nowhere.
    """
    lengths = vectors.norm(dim=-1, keepdim=True)
    if not bool((torch.isfinite(lengths) & (lengths > 0)).all()):
        raise ConfigError("a vector of length 0 or NaN cannot be taken out", "Give vectors that are not zero.")
    units: torch.Tensor = vectors / lengths
    return units


def orthogonal_to(vectors: torch.Tensor, others: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return unit vectors along the part of each vector that is orthogonal to all others.

    Args:
        vectors: Shape ``(..., hidden)``.
        others: Vectors of that shape, taken out one after another (Gram–Schmidt, in fp64); zero ones change nothing.

    Raises:
        ConfigError: Nothing is left of a vector: it lies in the span of the others.
    """
    basis: list[torch.Tensor] = []
    left = vectors.cpu().double()
    for other in [*(one.cpu().double() for one in others), left]:
        rest = other
        for _ in range(2):  # a second round takes out what rounding left
            for known in basis:
                rest = rest - (rest * known).sum(-1, keepdim=True) * known
        length = rest.norm(dim=-1, keepdim=True)
        small = length <= 1e-6 * other.norm(dim=-1, keepdim=True)
        if other is left:
            if bool(small.any()):
                raise ConfigError(
                    "a vector lies in the span of those it is to be orthogonal to",
                    "Leave the item out: its pivot cannot be told from its source or target.",
                )
            left = rest / length
        else:
            basis.append(torch.where(small, torch.zeros_like(rest), rest / length.clamp_min(1e-300)))
    return left.float().to(vectors.device)


def token_vectors(
    norm: Callable[[torch.Tensor], torch.Tensor], head: nn.Module, states: torch.Tensor, token_ids: torch.Tensor
) -> torch.Tensor:
    """Return the unit gradients of tokens' lens logits with respect to raw block outputs.

    The gradient runs through the model's own final norm and its head's own matrix, of which only the tokens' rows are
    multiplied. What a model does to its head's output (soft-capping, scaling) rises with each logit by itself and so
    changes the gradient's length alone: the unit vector is exact. A head that is more than a matrix is run whole.

    Args:
        norm: What the model runs between its last block and its head.
        head: The model's output head.
        states: Raw block outputs, shape ``(n, hidden)``.
        token_ids: A token for each, int64, shape ``(n,)``.

    Returns:
        fp32, shape ``(n, hidden)``.
    """
    with torch.inference_mode(mode=False), torch.enable_grad():
        raw = states.detach().clone().requires_grad_()
        normed = norm(raw)
        if type(head) is nn.Linear and head.weight.is_floating_point():
            rows = head.weight[token_ids.to(head.weight.device)].float()
            logits = normed.float() * rows.to(normed.device)
        else:
            logits = head(normed).float().gather(-1, token_ids.to(normed.device)[:, None])
        (gradient,) = torch.autograd.grad(logits.sum(), raw)
    return unit_length(gradient.float())


@contextmanager
def intervening(blocks: nn.ModuleList, interventions: Interventions, position: int) -> Iterator[None]:
    """Change the outputs of blocks at a position in every forward pass inside; see `LogitLens.intervene`."""
    for layer in interventions:
        if not 1 <= layer <= len(blocks):
            raise ConfigError(
                f"layer {layer} has no block output to intervene on",
                f"Layers are 1 to {len(blocks)}; layer 0 is the embeddings.",
            )
    handles = []
    try:
        for layer, given in interventions.items():
            chain = [given] if callable(given) else list(given) if isinstance(given, Sequence) else [given]
            if not all(callable(one) for one in chain):
                raise ConfigError(
                    f"the intervention at layer {layer} is {given!r}, which cannot be called",
                    "Give a function of the states, `Project`, `Add`, or a list of them.",
                )
            handles.append(blocks[layer - 1].register_forward_hook(_hook(chain, layer, position)))
        yield
    finally:
        for handle in handles:
            handle.remove()


def _hook(chain: Sequence[Intervention], layer: int, position: int) -> Callable[[nn.Module, Any, Any], Any]:
    def change(module: nn.Module, inputs: Any, output: Any) -> Any:
        hidden = output[0] if isinstance(output, tuple) else output
        if not isinstance(hidden, torch.Tensor):
            raise ModelError(
                f"a block returns {type(output).__name__}, not hidden states", "This family cannot be changed."
            )
        if not -hidden.shape[1] <= position < hidden.shape[1]:
            raise ConfigError(
                f"position {position} is not among the {hidden.shape[1]} positions of this forward pass",
                "Positions count within the tokens that are run, not those in the cache.",
            )
        before = hidden[:, position]
        after = before
        for intervention in chain:
            after = intervention(after)
        if after is before:
            return output
        if not isinstance(after, torch.Tensor):
            raise ConfigError(
                f"an intervention at layer {layer} returned {type(after).__name__}, not states",
                f"It must return a tensor of shape {tuple(before.shape)}.",
            )
        if after.shape != before.shape:
            raise ConfigError(
                f"an intervention at layer {layer} made states of shape {tuple(before.shape)} into "
                f"{tuple(after.shape)}",
                "A function must keep the shape; a vector is one for all rows, or one for each row of the batch.",
            )
        changed = hidden.clone()
        changed[:, position] = after.to(hidden.dtype)
        return (changed, *output[1:]) if isinstance(output, tuple) else changed

    return change
