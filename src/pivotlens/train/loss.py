"""The loss of a causal language model on packed sequences, a part of the vocabulary's logits at a time."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from pivotlens.models.checks import output_head

# Logits held at once, in fp32 numbers: 128 MB.
_LOGITS = 1 << 25
# How far the loss by parts may be from the model's own, in nats.
_TOLERANCE = 1e-4


class NextTokenLoss(nn.Module):
    """Mean negative log-probability of every token of a sequence but its first, in nats.

    Where the model's head is a plain matrix over its decoder's states, logits are made and differentiated some
    positions at a time: those of a large vocabulary would take more memory than all else.

    Args:
        model: The model; on its device.
        bfloat16: Whether matrix products run in bfloat16.
    """

    def __init__(self, model: PreTrainedModel, *, bfloat16: bool) -> None:
        super().__init__()
        self.model = model
        self._bfloat16 = bfloat16
        self.by_parts = False
        self.by_parts = self._parts_are_exact()

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Return the loss of sequences, int64, shape ``(sequences, length)``."""
        with torch.autocast(ids.device.type, torch.bfloat16, enabled=self._bfloat16):
            if self.by_parts:
                decoder: Any = self.model.get_decoder()  # type: ignore[no-untyped-call]
                states = decoder(input_ids=ids, use_cache=False).last_hidden_state[:, :-1]
                weight: torch.Tensor = output_head(self.model).weight  # type: ignore[assignment]
                dtype = torch.bfloat16 if self._bfloat16 else weight.dtype
                flat = states.reshape(-1, states.shape[-1]).to(dtype)
                loss: torch.Tensor = _LinearCrossEntropy.apply(flat, weight.to(dtype), ids[:, 1:].reshape(-1))
                return loss
            logits: torch.Tensor = self.model(input_ids=ids, use_cache=False).logits[:, :-1].float()
        return nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), ids[:, 1:].reshape(-1))

    def _parts_are_exact(self) -> bool:
        """Tell whether the head is a plain matrix, and its loss by parts is the model's own on some tokens."""
        head, before = output_head(self.model), self.model.training
        if type(head) is not nn.Linear or head.bias is not None:
            return False
        vocabulary, device = head.weight.shape[0], head.weight.device
        ids = (torch.arange(1, 17, device=device) * 7919 % vocabulary).reshape(2, 8)
        precision, self._bfloat16 = self._bfloat16, False
        self.model.train(False)
        with torch.no_grad():
            own = self(ids)
            self.by_parts = True
            try:
                found = self(ids)
            except (AttributeError, TypeError, RuntimeError):
                found = torch.full_like(own, torch.inf)
        self._bfloat16 = precision
        self.model.train(before)
        return bool((own - found).abs() <= _TOLERANCE)


class _LinearCrossEntropy(torch.autograd.Function):
    """Mean cross-entropy of ``states @ weight.T``; the gradient is taken while the logits are there."""

    @staticmethod
    def forward(ctx: Any, states: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        count, most = len(states), max(1, _LOGITS // len(weight))
        total = states.new_zeros((), dtype=torch.float32)
        by_states, by_weight = torch.empty_like(states), torch.zeros_like(weight, dtype=torch.float32)
        for start in range(0, count, most):
            rows, wanted = states[start : start + most], targets[start : start + most, None]
            logits = torch.mm(rows, weight.T).float()
            normaliser = logits.logsumexp(dim=-1, keepdim=True)
            total += (normaliser - logits.gather(1, wanted)).sum()
            # softmax minus one where the target is, over the mean's count
            gradient = logits.sub_(normaliser).exp_().scatter_add_(1, wanted, logits.new_full(wanted.shape, -1.0))
            gradient = gradient.mul_(1 / count).to(states.dtype)
            torch.mm(gradient, weight, out=by_states[start : start + most])
            by_weight += torch.mm(gradient.T, rows)
        ctx.save_for_backward(by_states, by_weight)
        return total / count

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None]:  # type: ignore[override]
        by_states, by_weight = ctx.saved_tensors
        return by_states * gradient.to(by_states.dtype), by_weight * gradient, None
