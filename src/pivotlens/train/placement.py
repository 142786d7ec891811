"""Where a training runs: in this process with plain torch, or in those that ``accelerate launch`` started."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from pivotlens.errors import ConfigError
from pivotlens.models.load import pick_device
from pivotlens.train.sharded import whole

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
            ConfigError: accelerate is configured for something else than DDP or FSDP version 2.
        """
        if processes() == 1:
            return cls(pick_device(device))
        from accelerate import (
            Accelerator,
            DistributedType,
            FullyShardedDataParallelPlugin,
            InitProcessGroupKwargs,
            PartialState,
        )

        sharded = os.environ.get("ACCELERATE_USE_FSDP", "").lower() == "true"
        # Each process tries on its own copy of the model whether faster ways give its loss, so each loads it.
        plugin = FullyShardedDataParallelPlugin(cpu_ram_efficient_loading=False) if sharded else None
        if plugin is not None and plugin.fsdp_version != 2:
            raise ConfigError(
                f"accelerate is configured for FSDP version {plugin.fsdp_version}",
                "Configure version 2: fsdp_version: 2 in its file, or --fsdp_version 2.",
            )
        accelerator = Accelerator(
            cpu=device == "cpu", fsdp_plugin=plugin, mixed_precision="no",  # that of our own settings
            kwargs_handlers=[InitProcessGroupKwargs(timeout=_PATIENCE)],
        )  # fmt: skip
        accelerator.gradient_accumulation_steps = 1  # our parts of a step are weighted already
        if sharded and accelerator.distributed_type is DistributedType.MULTI_CPU:
            # accelerate shards on accelerators alone and would leave it out without a word; torch does on a CPU too.
            accelerator.state.fsdp_plugin = plugin
            accelerator.state.distributed_type = PartialState().distributed_type = DistributedType.FSDP
        kind = accelerator.distributed_type
        if not (kind.value.startswith("MULTI_") or kind is DistributedType.FSDP):
            raise ConfigError(
                f"accelerate is configured for {kind.value}, which was never tried here",
                "Configure it for data parallelism (DDP), or for FSDP version 2.",
            )
        return cls(accelerator.device, accelerator)

    @property
    def rank(self) -> int:
        """Number of this process."""
        return 0 if self.accelerator is None else int(self.accelerator.process_index)

    @property
    def sharded(self) -> bool:
        """Whether each process has but a part of every weight."""
        return self.accelerator is not None and self.accelerator.distributed_type.value == "FSDP"

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
            norm = nn.utils.get_total_norm([one.grad for one in loss.parameters() if one.grad is not None])
            if norm > most:  # a product with 1 would take as long
                nn.utils.clip_grads_with_norm_(loss.parameters(), most, norm)
            return float(norm)
        norm = self.accelerator.clip_grad_norm_(loss.parameters(), most)
        return float(whole({"norm": norm}, keep=True)["norm"])

    def mean(self, value: torch.Tensor) -> float:
        """Return the mean of a number over the processes."""
        return float(value if self.accelerator is None else self.accelerator.reduce(value, "mean"))

    def agreed(self, *, mine: bool) -> bool:
        """Return what the first process says, as far as it concerns this one: all, where each has but a part."""
        if not self.sharded:
            return mine and self.rank == 0
        said = torch.tensor(float(mine and self.rank == 0), device=self.device)
        return float(self.accelerator.reduce(said, "sum")) > 0

    def weights(self, model: PreTrainedModel) -> dict[str, torch.Tensor] | None:
        """Return the weights of a model that is in parts, whole, to the first process; None of any other model."""
        return whole(model.state_dict(keep_vars=True), keep=self.rank == 0) if self.sharded else None

    def wait(self) -> None:
        """Wait for the other processes."""
        if self.accelerator is not None:
            self.accelerator.wait_for_everyone()
