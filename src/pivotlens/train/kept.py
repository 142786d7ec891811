"""What of a training outlives a kill: weights, optimiser, and the losses so far, in one file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from pivotlens.artifacts import atomic_path
from pivotlens.errors import ArtifactError
from pivotlens.train.sharded import fill, whole

_OS_ERROR = re.compile(r"os error (\d+)")
_MOMENTS = ("exp_avg", "exp_avg_sq")


@dataclass
class History:
    """What was found at every step so far, in order.

    Attributes:
        losses: In nats.
        rates: Learning rates.
        norms: Of the gradient.
    """

    losses: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    norms: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.losses)

    def add(self, loss: float, rate: float, norm: float) -> None:
        """Add a step."""
        self.losses.append(loss)
        self.rates.append(rate)
        self.norms.append(norm)


@dataclass(frozen=True)
class KeptWork:
    """The file that holds a training as far as it has come.

    Attributes:
        path: The file.
        identity: What it is a training of; work of another is refused.
    """

    path: Path
    identity: Mapping[str, str]

    def save(self, model: nn.Module, optimiser: torch.optim.Optimizer, history: History, *, writes: bool) -> None:
        """Keep the work in place of what was kept before.

        Args:
            model: Its weights.
            optimiser: Its moments.
            history: The losses so far.
            writes: Whether this process writes; otherwise it but gives its part of what is sharded.

        Raises:
            ArtifactError: The disk is full; what was kept before stays.
        """
        found = {f"weight.{name}": weight.detach() for name, weight in model.named_parameters()}
        for name, weight in model.named_parameters():
            state = optimiser.state[weight]
            found |= {f"{moment}.{name}": state[moment] for moment in _MOMENTS if moment in state}
        tensors = {name: tensor.contiguous() for name, tensor in whole(found, keep=writes).items()}
        if not writes:
            return
        columns = [history.losses, history.rates, history.norms]
        tensors["history"] = torch.from_numpy(np.array(columns, dtype=np.float64).reshape(3, -1))
        with atomic_path(self.path) as temporary, told_as_system_error():
            save_file(tensors, temporary, {"format": "pt", **self.identity})

    def load(self, model: nn.Module, optimiser: torch.optim.Optimizer) -> History:
        """Put the kept work into a model and its optimiser; return the losses so far, none where nothing is kept.

        Raises:
            ArtifactError: The file is damaged, or holds another training.
        """
        if not self.path.exists():
            return History()
        hint = f"Remove {self.path} and run the same command again: that training then begins anew."
        fused = bool(optimiser.defaults.get("fused"))
        try:
            with safe_open(self.path, "pt") as file:
                self._check(file, model, hint)
                history = History(*file.get_tensor("history").tolist())
                for name, weight in model.named_parameters():
                    fill(weight, file.get_tensor(f"weight.{name}"))
                    if not len(history):
                        continue
                    # The fused optimiser counts where the weights are.
                    count = torch.tensor(float(len(history)), device=weight.device if fused else "cpu")
                    moments = {moment: torch.zeros_like(weight) for moment in _MOMENTS}
                    for moment, tensor in moments.items():
                        fill(tensor, file.get_tensor(f"{moment}.{name}"))
                    optimiser.state[weight] = {"step": count, **moments}
        except (OSError, SafetensorError) as error:
            raise ArtifactError(f"{self.path} is damaged: {error}", hint) from error
        return history

    def _check(self, file: Any, model: nn.Module, hint: str) -> None:
        found, wanted = dict(file.metadata() or {}), dict(self.identity)
        differing = [f"{key} {found.get(key)!r}, not {value!r}" for key, value in wanted.items()
                     if found.get(key) != value]  # fmt: skip
        names = set(file.keys())
        for name, weight in model.named_parameters():
            key = f"weight.{name}"
            shape = tuple(file.get_slice(key).get_shape()) if key in names else None
            if shape != tuple(weight.shape):
                differing.append(f"{name} of shape {shape}, not {tuple(weight.shape)}")
        if differing:
            raise ArtifactError(f"{self.path} is kept work of another training: {'; '.join(differing[:3])}", hint)


@contextmanager
def told_as_system_error() -> Iterator[None]:
    """Raise what safetensors says of the operating system, such as a full disk, as the error that it was."""
    try:
        yield
    except SafetensorError as error:
        number = _OS_ERROR.search(str(error))
        if number is None:
            raise
        raise OSError(int(number[1]), str(error)) from error
