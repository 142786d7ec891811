"""Where a training runs: in this process with plain torch, or in those that ``accelerate launch`` started."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from torch import nn

from pivotlens.errors import ConfigError
from pivotlens.models.load import pick_device

# How long processes wait for the first one while it cuts text, or scores a checkpoint.
_PATIENCE = timedelta(days=1)


def processes() -> int:
    """Return in how many processes at once this program was started by a launcher."""
    return int(os.environ.get("WORLD_SIZE") or 1)


@dataclass(frozen=True)
class Placement:
    """The devices and processes of a training.

    Attributes:
        device: Where this process works.
        accelerator: accelerate's, where there are several processes; how they share the model is its configuration.
    """

    device: torch.device
    accelerator: Any = None

    @classmethod
    def of(cls, device: str) -> Placement:
        """Return where this process trains: ``device``, or what its launcher gave it where there are several.

        Raises:
            ConfigError: accelerate is configured to shard the model.
        """
        if processes() == 1:
            return cls(pick_device(device))
        from accelerate import Accelerator, InitProcessGroupKwargs

        accelerator = Accelerator(cpu=device == "cpu", kwargs_handlers=[InitProcessGroupKwargs(timeout=_PATIENCE)])
        if not accelerator.distributed_type.value.startswith("MULTI_"):
            raise ConfigError(
                f"accelerate is configured for {accelerator.distributed_type.value}, under which no process has the "
                "whole model that a checkpoint is written of",
                "Configure it for data parallelism (DDP): every process then holds the model.",
            )
        return cls(accelerator.device, accelerator)

    @property
    def rank(self) -> int:
        """Number of this process."""
        return 0 if self.accelerator is None else int(self.accelerator.process_index)

    @property
    def processes(self) -> int:
        """How many there are."""
        return 1 if self.accelerator is None else int(self.accelerator.num_processes)

    def prepared(self, loss: nn.Module, optimiser: torch.optim.Optimizer) -> tuple[nn.Module, Any]:
        """Return both as they are stepped here."""
        if self.accelerator is None:
            return loss, optimiser
        wrapped, wrapped_optimiser = self.accelerator.prepare(loss, optimiser)
        return wrapped, wrapped_optimiser

    def together(self, loss: nn.Module, *, last: bool) -> AbstractContextManager[None]:
        """Return a block in which gradients stay with their process, but for the last part of a step."""
        if self.accelerator is None or last:
            return nullcontext()
        return self.accelerator.no_sync(loss)  # type: ignore[no-any-return]

    def backward(self, loss: torch.Tensor) -> None:
        """Add the gradient of a part's loss."""
        if self.accelerator is None:
            torch.autograd.backward(loss)
        else:
            self.accelerator.backward(loss)

    def clip(self, loss: nn.Module, most: float) -> float:
        """Scale the gradient down to a norm; return what it was."""
        if self.accelerator is None:
            return float(nn.utils.clip_grad_norm_(loss.parameters(), most))
        return float(self.accelerator.clip_grad_norm_(loss.parameters(), most))

    def mean(self, value: torch.Tensor) -> float:
        """Return the mean of a number over the processes."""
        return float(value if self.accelerator is None else self.accelerator.reduce(value, "mean"))

    def wait(self) -> None:
        """Wait for the other processes."""
        if self.accelerator is not None:
            self.accelerator.wait_for_everyone()
