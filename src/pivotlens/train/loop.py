"""The loop: steps of AdamW over an arm's sequences, kept so that a kill loses nothing (docs/method.md#training)."""

from __future__ import annotations

import ctypes
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import PreTrainedModel

from pivotlens.errors import ModelError
from pivotlens.progress import track
from pivotlens.train.kept import History, KeptWork
from pivotlens.train.log import StepLog
from pivotlens.train.loss import NextTokenLoss
from pivotlens.train.packed import Order, Packed
from pivotlens.train.placement import Placement
from pivotlens.train.schedule import Schedule

_BETA1, _EPSILON = 0.9, 1e-8
# Of malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3


@dataclass(frozen=True)
class Recipe:
    """How a model is trained.

    Attributes:
        schedule: Learning rate by step.
        batch_sequences: Sequences of a step, over all processes.
        accumulation: Parts that they are run in.
        weight_decay: AdamW's, of matrices.
        beta2: AdamW's.
        gradient_clip: Largest norm of the gradient.
        bfloat16: Whether matrix products run in bfloat16.
    """

    schedule: Schedule
    batch_sequences: int
    accumulation: int
    weight_decay: float
    beta2: float
    gradient_clip: float
    bfloat16: bool


@dataclass(frozen=True)
class Reading:
    """What a model reads, and in which order.

    Attributes:
        packed: The sequences.
        order: Which come when.
    """

    packed: Packed
    order: Order

    def part(self, step: int, recipe: Recipe, number: int, placement: Placement) -> torch.Tensor:
        """Return the sequences of a part of a step that this process runs, int64, shape ``(n, length)``.

        Args:
            step: From 1.
            recipe: How many there are.
            number: Of the part, from 0.
            placement: Which process this is.
        """
        each = recipe.batch_sequences // recipe.accumulation
        own = each // placement.processes
        first = (step - 1) * recipe.batch_sequences + number * each + placement.rank * own
        return torch.from_numpy(self.packed.rows(self.order.numbers(first, own))).to(placement.device)


@dataclass
class Loop:
    """A training under way.

    Attributes:
        name: Of the training, for messages.
        model: The model.
        reading: What it reads.
        recipe: How it is trained.
        placement: Where.
        kept: What outlives a kill.
        seed: Of whatever is drawn at a step, such as dropout.
    """

    name: str
    model: PreTrainedModel
    reading: Reading
    recipe: Recipe
    placement: Placement
    kept: KeptWork
    seed: int

    def run(self, at: dict[int, Callable[[History], None]], log: StepLog, keep_seconds: float) -> History:
        """Go on to the last step from where the kept work has come to.

        Args:
            at: What is done after a step, such as writing a checkpoint; 0 is before the first.
            log: Told of every step.
            keep_seconds: Seconds after which the work is kept.

        Returns:
            What was found at every step.

        Raises:
            ModelError: A loss or a gradient is not a number.
            ArtifactError: The disk is full, or the kept work is that of another training.
        """
        hold_memory()
        optimiser = adamw(self.model, self.recipe)
        loss, stepped = self.placement.prepared(NextTokenLoss(self.model, bfloat16=self.recipe.bfloat16), optimiser)
        history = self.kept.load(self.model, optimiser)
        begun, saved = len(history), time.monotonic()
        if begun == 0 and 0 in at:
            at[0](history)
        steps = self.recipe.schedule.steps
        for step in track(range(begun + 1, steps + 1), f"train {self.name}", steps - begun):
            log.step(step, *self._step(step, loss, stepped, history))
            if step in at:
                at[step](history)
            if self.placement.agreed(mine=step in at or time.monotonic() - saved >= keep_seconds):
                self.kept.save(self.model, optimiser, history, writes=self.placement.rank == 0)
                saved = time.monotonic()
        return history

    def _step(self, step: int, loss: nn.Module, optimiser: Any, history: History) -> tuple[float, float, float]:
        """Do one step; return its loss, learning rate and norm of the gradient."""
        recipe, placement = self.recipe, self.placement
        draw = np.random.SeedSequence([self.seed, step, placement.rank]).generate_state(1)
        torch.manual_seed(int(draw[0]))  # not the state of a generator: a step draws the same whatever came before
        rate = recipe.schedule.rate(step)
        for group in optimiser.param_groups:
            group["lr"] = rate
        total = torch.zeros((), device=placement.device)
        for number in range(recipe.accumulation):
            ids = self.reading.part(step, recipe, number, placement)
            with placement.together(loss, last=number + 1 == recipe.accumulation):
                found = loss(ids) / recipe.accumulation
                placement.backward(found)
            total += found.detach()
        value, norm = placement.mean(total), placement.clip(loss, recipe.gradient_clip)
        if not (math.isfinite(value) and math.isfinite(norm)):
            if placement.agreed(mine=True):
                self.kept.save(self.model, optimiser, history, writes=placement.rank == 0)
            raise ModelError(
                f"training {self.name}: at step {step} the loss is {value} and the norm of its gradient {norm}",
                f"The work as it was before is kept. Give a lower learning_rate (now {recipe.schedule.highest:g}), a "
                "longer warmup, or precision = 'float32'.",
            )
        optimiser.step()
        optimiser.zero_grad()
        history.add(value, rate, norm)
        return value, rate, norm


def adamw(model: PreTrainedModel, recipe: Recipe) -> torch.optim.AdamW:
    """Return the optimiser: matrices decay, biases and norms do not."""
    matrices = [weight for weight in model.parameters() if weight.dim() > 1]
    others = [weight for weight in model.parameters() if weight.dim() <= 1]
    groups = [{"params": matrices, "weight_decay": recipe.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(
        [group for group in groups if group["params"]],
        lr=recipe.schedule.highest, betas=(_BETA1, recipe.beta2), eps=_EPSILON, fused=model.device.type != "mps",
    )  # fmt: skip


def hold_memory() -> None:
    """Let glibc keep memory that is freed: handing it back and taking it again each step is work of the kernel."""
    allocator = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if allocator is not None:
        allocator(_TRIM_THRESHOLD, 1 << 30)
        allocator(_MMAP_THRESHOLD, 32 << 20)  # the most that it takes


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let torch work with so many threads, and draw random numbers of its own, within the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        with torch.random.fork_rng():
            yield
    finally:
        torch.set_num_threads(before)
