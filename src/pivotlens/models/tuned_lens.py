"""The tuned lens: an affine map a layer, before the model's own norm and head (Belrose et al. 2023, 2303.08112)."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import orjson
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from pivotlens.artifacts.files import write_bytes
from pivotlens.errors import ArtifactError, ConfigError
from pivotlens.models.load import LoadedModel

_FORMAT = 1
_METADATA = "pivotlens"


@dataclass(frozen=True)
class TunedLens:
    """Translators from each layer's raw output to what the last layer would write there.

    Layer ``l`` becomes ``h + W_l h + b_l``; the last layer stays as it is.

    Attributes:
        weights: ``W``, fp32, shape ``(layers - 1, hidden, hidden)``; layer 0 is the embeddings.
        biases: ``b``, fp32, shape ``(layers - 1, hidden)``.
        model: Spec of the model it was trained on.
        model_fingerprint: Of that model.
    """

    weights: torch.Tensor
    biases: torch.Tensor
    model: str
    model_fingerprint: str

    @classmethod
    def identity(cls, loaded: LoadedModel, n_layers: int, hidden: int) -> Self:
        """Return the lens that changes nothing: the raw one."""
        return cls(
            torch.zeros(n_layers - 1, hidden, hidden),
            torch.zeros(n_layers - 1, hidden),
            loaded.resolved.spec,
            loaded.resolved.fingerprint,
        )

    @property
    def n_layers(self) -> int:
        """Layers of the model, the embeddings and the last one among them."""
        return len(self.weights) + 1

    def damped(self, kept_changes: torch.Tensor) -> Self:
        """Return the lens with so much of each translator's change, shape ``(layers - 1,)``; 0 is the raw lens."""
        return dataclasses.replace(
            self, weights=self.weights * kept_changes[:, None, None], biases=self.biases * kept_changes[:, None]
        )

    def translate(self, states: torch.Tensor, layer: int) -> torch.Tensor:
        """Return what stands for a layer's raw output before the final norm.

        Args:
            states: Raw outputs of the layer, shape ``(…, hidden)``.
            layer: From 0 to ``n_layers - 1``.

        Returns:
            States of the same shape, dtype and device.
        """
        if layer == self.n_layers - 1:
            return states
        weight, bias = self.weights[layer].to(states.device), self.biases[layer].to(states.device)
        return (states.float() + torch.nn.functional.linear(states.float(), weight, bias)).to(states.dtype)

    def save(self, path: Path) -> None:
        """Write the lens as safetensors, atomically; equal lenses give equal bytes.

        Raises:
            ArtifactError: The disk is full or the folder cannot be written.
        """
        # One key: safetensors leaves the order of several open.
        about = {"format": _FORMAT, "model": self.model, "model_fingerprint": self.model_fingerprint}
        tensors = {"weights": self.weights.contiguous(), "biases": self.biases.contiguous()}
        write_bytes(path, save(tensors, {_METADATA: orjson.dumps(about).decode()}))

    @classmethod
    def load(cls, path: Path, loaded: LoadedModel) -> Self:
        """Read a lens for a model.

        Args:
            path: What `save` wrote.
            loaded: The model that it will read.

        Raises:
            ArtifactError: The file is missing, damaged or no lens.
            ConfigError: The lens is of another model; names both.
        """
        try:
            with safe_open(path, "pt") as file:
                about = orjson.loads((file.metadata() or {})[_METADATA])
                weights, biases = file.get_tensor("weights"), file.get_tensor("biases")
                found = cls(weights, biases, about["model"], about["model_fingerprint"])
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise ArtifactError(
                f"{path} is missing, damaged or no lens: {error}", "Run `pivotlens lens` again."
            ) from error
        if found.model_fingerprint != loaded.resolved.fingerprint:
            raise ConfigError(
                f"the lens {path} was trained on {found.model!r}, not on {loaded.resolved.spec!r}",
                "Train one on this model with `pivotlens lens`, or read the model that it belongs to.",
            )
        return found
