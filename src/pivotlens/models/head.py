"""The model's own output head, run apart from the blocks: late, in large batches, and only where it is needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from pivotlens.errors import ModelError
from pivotlens.models.checks import output_head
from pivotlens.models.load import LoadedModel


class OutputHead:
    """Takes the states that reach a model's head, and turns states into logits.

    The head is never imitated: states are swapped in for its input during a forward pass of the model, so that the
    model's own soft-capping and scaling apply.

    Args:
        loaded: A causal language model.

    Attributes:
        module: The head.
        one_by_one: Whether each state is decoded alone, for heads whose rows are not independent.
    """

    def __init__(self, loaded: LoadedModel) -> None:
        self.loaded = loaded
        self.module: nn.Module = output_head(loaded.model)
        self.one_by_one = False

    @contextmanager
    def held_back(self) -> Iterator[list[torch.Tensor]]:
        """Keep the head from running: forward passes inside append its input to the list and give no logits."""
        kept: list[torch.Tensor] = []

        def hold(module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
            kept.append(inputs[0])
            return (inputs[0][:, :0], *inputs[1:])

        handle = self.module.register_forward_pre_hook(hold)
        try:
            yield kept
        finally:
            handle.remove()

    def decode(self, states: torch.Tensor) -> torch.Tensor:
        """Return the logits that the model's own head gives to states.

        Args:
            states: What the head gets, shape ``(n, hidden)``.

        Returns:
            Logits in fp32, shape ``(n, vocabulary)``.

        Raises:
            ModelError: The model does more with its head's output than pass it through position by position.
        """
        if self.one_by_one and len(states) > 1:
            return torch.cat([self.decode(state[None]) for state in states])
        probe = torch.zeros(1, 1, dtype=torch.long, device=self.loaded.device)

        def swap(module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
            return (states[None].to(inputs[0]), *inputs[1:])

        handle = self.module.register_forward_pre_hook(swap)
        try:
            with torch.inference_mode():
                output = self.loaded.model(input_ids=probe, use_cache=False, **self.loaded.last_only)
        finally:
            handle.remove()
        logits: torch.Tensor = output.logits[0]
        if logits.shape[0] != states.shape[0]:
            raise ModelError(
                f"{type(self.loaded.model).__name__} does not pass its head's output through",
                "This family cannot be read by swapping the head's input.",
            )
        return logits.float()
