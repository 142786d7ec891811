"""The loss of a causal language model on packed sequences, a part of the vocabulary's logits at a time."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from pivotlens.models.checks import embedded_tokens, output_head
from pivotlens.models.library_internals import undivided_modules
from pivotlens.models.limits import positions
from pivotlens.train.attention import attend_by_blocks, attend_plainly
from pivotlens.train.norms import norm_in_few_passes, norm_plainly

# Gradients by logits held at once, in numbers: 256 MB of bfloat16.
_GRADIENTS = 1 << 27
# Logits that are made at once: as many as stay in a processor's cache, but some rows at least.
_LOGITS, _ROWS = 1 << 19, 64
# A probability whose logarithm would be rough, as it is near the least that 32 bits can hold.
_SMALL = 1e-30
# How far a faster way to the loss may be from the model's own, in nats.
_TOLERANCE = 1e-4
# Tokens of a sequence that it is tried on: more than a block of attention.
_TRIED = 160


class NextTokenLoss(nn.Module):
    """Mean negative log-probability of every token of a sequence but its first, in nats.

    Where the model's head is a plain matrix over its decoder's states, logits are made and differentiated some
    positions at a time: those of a large vocabulary would take more memory than all else. On a CPU it attends by
    blocks, and takes root mean square norms in few passes. Whether each gives the model's own loss is tried first, and
    otherwise it is not done.

    Args:
        model: The model; on its device.
        bfloat16: Whether matrix products run in bfloat16.
    """

    def __init__(self, model: PreTrainedModel, *, bfloat16: bool) -> None:
        super().__init__()
        self.model = model
        # Where accelerate looks for what it shards block by block.
        self._no_split_modules = undivided_modules(model)
        self._bfloat16 = bfloat16
        self.by_parts = False
        self._scratch = _Scratch()
        own = self._tried()
        if attend_by_blocks(model) and not abs(self._tried() - own) <= _TOLERANCE:
            attend_plainly(model)
        if norm_in_few_passes(model) and not abs(self._tried() - own) <= _TOLERANCE:
            norm_plainly(model)
        head = output_head(model)
        if type(head) is nn.Linear and head.bias is None:
            self.by_parts = True
            self.by_parts = abs(self._tried() - own) <= _TOLERANCE

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Return the loss of sequences, int64, shape ``(sequences, length)``."""
        with torch.autocast(ids.device.type, torch.bfloat16, enabled=self._bfloat16):
            if self.by_parts:
                decoder: Any = self.model.get_decoder()  # type: ignore[no-untyped-call]
                states = decoder(input_ids=ids, use_cache=False).last_hidden_state[:, :-1]
                weight: torch.Tensor = output_head(self.model).weight  # type: ignore[assignment]
                dtype = torch.bfloat16 if self._bfloat16 else weight.dtype
                flat = states.reshape(-1, states.shape[-1]).to(dtype)
                return _by_parts(flat, weight, ids[:, 1:].reshape(-1), self._scratch)
            logits: torch.Tensor = self.model(input_ids=ids, use_cache=False).logits[:, :-1].float()
        return nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), ids[:, 1:].reshape(-1))

    def _tried(self) -> float:
        """Return the loss on some tokens in float32, without dropout; NaN where it cannot be had this way."""
        device, rows = self.model.device, embedded_tokens(self.model)
        length = min(_TRIED, positions(self.model) or _TRIED)
        ids = (torch.arange(1, 2 * length + 1, device=device) * 7919 % rows).reshape(2, length)
        bfloat16, training = self._bfloat16, self.model.training
        self._bfloat16 = False
        self.model.train(False)
        try:
            with torch.no_grad():
                return float(self(ids))
        except (AttributeError, TypeError, RuntimeError):
            return math.nan
        finally:
            self._bfloat16 = bfloat16
            self.model.train(training)


class _Scratch:
    """Memory that every step uses again: fresh pages would take longer than the sums."""

    def __init__(self) -> None:
        self._kept: dict[str, torch.Tensor] = {}

    def take(self, name: str, rows: int, like: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """Return room of a name for some rows as long as a matrix has, with whatever was left there."""
        kept = self._kept.get(name)
        if kept is None or kept.shape[0] < rows or kept.shape[1] != len(like) or kept.dtype != dtype:
            kept = self._kept[name] = torch.empty(rows, len(like), dtype=dtype, device=like.device)
        return kept[:rows]


def _by_parts(states: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor, scratch: _Scratch) -> torch.Tensor:
    loss: torch.Tensor = _LinearCrossEntropy.apply(states, weight, targets, scratch)  # type: ignore[no-untyped-call]
    return loss


class _LinearCrossEntropy(torch.autograd.Function):
    """Mean cross-entropy of ``states @ weight.T``; its gradient is taken while the logits are there."""

    @staticmethod
    def forward(
        ctx: Any, states: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor, scratch: _Scratch
    ) -> torch.Tensor:
        count, most = len(states), max(1, _GRADIENTS // len(weight))
        matrix = weight.to(states.dtype)
        by_states, by_weight = torch.empty_like(states), None
        total = torch.zeros((), device=states.device)
        for start in range(0, count, most):
            rows = states[start : start + most]
            by_logits = scratch.take("gradient", len(rows), matrix, matrix.dtype)
            total += _probabilities(rows, matrix, targets[start : start + most], by_logits, scratch)
            torch.mm(by_logits, matrix, out=by_states[start : start + most])
            product = torch.mm(by_logits.T, rows).float()
            by_weight = product if by_weight is None else by_weight.add_(product)
        ctx.save_for_backward(by_states, by_weight)
        return total / count

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None, None]:
        by_states, by_weight = ctx.saved_tensors
        share = gradients[0] / len(by_states)
        return by_states * share.to(by_states.dtype), by_weight * share, None, None


def _probabilities(
    states: torch.Tensor, matrix: torch.Tensor, targets: torch.Tensor, by_logits: torch.Tensor, scratch: _Scratch
) -> torch.Tensor:
    """Write softmax minus one at the target, the gradient by the logits; return the sum of the losses.

    All is written into room that stays in a processor's cache.
    """
    total, most = torch.zeros((), device=states.device), max(_ROWS, _LOGITS // len(matrix))
    first = min(most, len(states))
    logits = scratch.take("logits", first, matrix, matrix.dtype)
    shares = scratch.take("shares", first, matrix, torch.float32)
    for start in range(0, len(states), most):
        rows, wanted = states[start : start + most], targets[start : start + most, None]
        made, share = logits[: len(rows)], shares[: len(rows)]
        torch.mm(rows, matrix.T, out=made)
        torch.softmax(share.copy_(made), -1, out=share)
        of_targets = share.gather(1, wanted)
        if of_targets.amin() < _SMALL:
            exact = made.float()
            total += (exact.logsumexp(-1, keepdim=True) - exact.gather(1, wanted)).sum()
        else:
            total -= of_targets.log_().sum()
        by_logits[start : start + most] = share.scatter_add_(1, wanted, share.new_full(wanted.shape, -1.0))
    return total
