"""Training the translators: the recipe of Belrose et al. 2023 (arXiv 2303.08112), over sampled tokens.

Each layer begins with the identity and minimises ``KL(p || q)``, ``p`` the last layer's distribution and ``q`` the
lens's, with a learning rate that falls linearly. Three things are ours, and all leave the minimum where it is.

The optimiser is Adam (Kingma and Ba 2015) instead of gradient descent with momentum, which overshoots where the raw
lens is far off and the steps are few.

Distributions are taken over candidates: the tokens that are probable anywhere, and a sample of the rest drawn anew at
each step, whose probabilities count for all that were not drawn.

Few steps must do, so steps are taken in units of each layer: ``h + r (W' (h - m) / s + b')``, with the mean ``m`` and
the spread ``s`` of each coordinate and the root mean square ``r`` of the layer. Without that the few coordinates which
are hundreds of times larger than the others would decide alone.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import torch
from safetensors.torch import load_file, save

from pivotlens.artifacts.files import write_bytes
from pivotlens.errors import ModelError
from pivotlens.models.lens import LogitLens
from pivotlens.models.load import LoadedModel
from pivotlens.models.tuned_lens import TunedLens

# How much a step keeps of the running mean of the gradient, and of that of its square.
BETAS = (0.9, 0.99)
# Positions decoded at once where the whole vocabulary is needed.
_CHUNK = 64

Decode = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class CandidateTokens:
    """Tokens that a step's distributions are taken over.

    Attributes:
        probable: Always taken, int64, shape ``(probable,)``.
        others: All other tokens.
        drawn: How many of them a step draws.
        seed: Of the draws.
    """

    probable: torch.Tensor
    others: torch.Tensor
    drawn: int
    seed: int

    @classmethod
    def of(cls, mass: torch.Tensor, n: int, seed: int) -> Self:
        """Take the half of the candidates that is most probable.

        Args:
            mass: Probability of each token, shape ``(vocabulary,)``.
            n: Candidates of a step; 0, or as many as there are tokens, takes all.
            seed: Of the draws.
        """
        vocabulary = len(mass)
        order = torch.sort(mass, descending=True, stable=True).indices
        kept = vocabulary if n == 0 or n >= vocabulary else n // 2
        return cls(order[:kept].sort().values, order[kept:].sort().values, n - kept if kept < vocabulary else 0, seed)

    def draw(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the tokens of a step and the log of how many tokens each stands for, both of shape ``(n,)``."""
        if self.drawn == 0:
            return self.probable, torch.zeros(len(self.probable))
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + step)
        drawn = self.others[torch.randperm(len(self.others), generator=generator)[: self.drawn]]
        each = math.log(len(self.others) / self.drawn)
        weights = torch.cat([torch.zeros(len(self.probable)), torch.full((self.drawn,), each)])
        return torch.cat([self.probable, drawn]), weights


def token_mass(lens: LogitLens, states: torch.Tensor) -> torch.Tensor:
    """Return how probable each token is over positions and layers, the last layer counting as much as all others.

    Args:
        lens: Of the model.
        states: Raw outputs, fp32, shape ``(positions, layers, hidden)``.
    """
    layers = states.shape[1]
    mass = torch.zeros(0)
    with torch.inference_mode():
        for layer in range(layers):
            for chunk in torch.split(states[:, layer], _CHUNK):
                q = torch.softmax(lens.decode(lens.normed(chunk.to(lens.loaded.dtype))), dim=-1).double().sum(0).cpu()
                mass = (mass if len(mass) else torch.zeros_like(q)) + (layers - 1 if layer == layers - 1 else 1) * q
    return mass.clone()


@dataclass
class Training:
    """The translators of all layers while they are trained; all tensors are fp32.

    Attributes:
        mean: Of each coordinate, shape ``(layers - 1, hidden)``.
        spread: Its standard deviation, same shape.
        size: Root mean square of each layer, shape ``(layers - 1,)``.
        weights: ``W'``, shape ``(layers - 1, hidden, hidden)``.
        biases: ``b'``, shape ``(layers - 1, hidden)``.
        step: Steps done, int64, shape ``(1,)``.
        parameters: Weight and bias of each layer, one layer after another; views of ``weights`` and ``biases``.
        optimiser: Of the parameters. Those without a gradient stay as they are, so that layers move one at a time.
    """

    mean: torch.Tensor
    spread: torch.Tensor
    size: torch.Tensor
    weights: torch.Tensor
    biases: torch.Tensor
    step: torch.Tensor
    parameters: list[torch.nn.Parameter] = field(init=False, repr=False)
    optimiser: torch.optim.Adam = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.parameters = [
            torch.nn.Parameter(part) for pair in zip(self.weights, self.biases, strict=True) for part in pair
        ]
        self.optimiser = torch.optim.Adam(self.parameters, betas=BETAS)

    @classmethod
    def begin(cls, states: torch.Tensor) -> Self:
        """Begin with the identity.

        Args:
            states: Raw outputs that give each layer's units, fp32, shape ``(positions, layers, hidden)``.
        """
        before = states[:, :-1]
        layers, hidden = before.shape[1:]
        size = before.square().mean(dim=(0, 2)).sqrt().clamp_min(1e-12)
        spread = before.std(dim=0)
        return cls(
            mean=before.mean(dim=0),
            spread=torch.maximum(spread, 1e-3 * size[:, None]),  # a coordinate that never moves divides by little
            size=size,
            weights=torch.zeros(layers, hidden, hidden),
            biases=torch.zeros(layers, hidden),
            step=torch.zeros(1, dtype=torch.int64),
        )

    def train_step(
        self,
        lens: LogitLens,
        decode: Decode,
        states: torch.Tensor,
        candidates: tuple[torch.Tensor, torch.Tensor],
        rate: float,
    ) -> list[float]:
        """Do one step on every layer.

        Args:
            lens: Of the model.
            decode: From normed states and tokens to logits; gradients pass through it (`HeadSlices.open`).
            states: Raw outputs, fp32, shape ``(positions, layers, hidden)``.
            candidates: As `CandidateTokens.draw` gives them.
            rate: Learning rate of this step.

        Returns:
            The loss of each layer before the step, in nats.

        Raises:
            ModelError: A loss is not a number.
        """
        tokens, each = candidates[0].to(states.device), candidates[1].to(states.device)
        dtype = lens.loaded.dtype
        with torch.no_grad():
            log_p = torch.log_softmax(decode(lens.normed(states[:, -1].to(dtype)), tokens) + each, dim=-1)
            p = log_p.exp()
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        losses = []
        for layer in range(len(self.weights)):
            own_parameters = self.parameters[2 * layer : 2 * layer + 2]
            with torch.enable_grad():
                weight, bias = (parameter.to(states.device) for parameter in own_parameters)
                own = states[:, layer]
                inward = (own - self.mean[layer].to(own.device)) / self.spread[layer].to(own.device)
                moved = own + float(self.size[layer]) * torch.nn.functional.linear(inward, weight, bias)
                log_q = torch.log_softmax(decode(lens.normed(moved.to(dtype)), tokens) + each, dim=-1)
                loss = (p * (log_p - log_q)).nan_to_num(posinf=0.0, neginf=0.0).sum(-1).mean()
                torch.autograd.backward(loss, inputs=own_parameters)
            losses.append(float(loss.detach()))
            if not math.isfinite(losses[-1]):
                raise ModelError(
                    f"the lens of layer {layer} has a loss of {losses[-1]} at step {int(self.step) + 1}",
                    "Give a lower learning_rate, or dtype = 'float32'.",
                )
            self.optimiser.step()
            self.optimiser.zero_grad()
        self.step += 1
        return losses

    def lens(self, loaded: LoadedModel) -> TunedLens:
        """Return the translators in the model's own units."""
        scaled = self.size[:, None, None] * self.weights / self.spread[:, None, :]
        biases = self.size[:, None] * self.biases - torch.einsum("loi,li->lo", scaled, self.mean)
        return TunedLens(scaled, biases, loaded.resolved.spec, loaded.resolved.fingerprint)

    def save(self, folder: Path) -> None:
        """Keep the work in a folder, in place of what was kept before."""
        tensors = {name: value.contiguous() for name, value in vars(self).items() if isinstance(value, torch.Tensor)}
        for number, state in self.optimiser.state_dict()["state"].items():
            tensors |= {f"{number}.{name}": value for name, value in state.items()}
        write_bytes(folder / f"step-{int(self.step):08d}.safetensors", save(tensors))
        for older in kept(folder)[:-1]:
            older.unlink()

    @classmethod
    def load(cls, path: Path) -> Self:
        """Take up the work where it was kept."""
        own: dict[str, torch.Tensor] = {}
        states: dict[int, dict[str, torch.Tensor]] = defaultdict(dict)
        for key, value in load_file(path).items():
            number, of_optimiser, name = key.partition(".")
            if of_optimiser:
                states[int(number)][name] = value
            else:
                own[key] = value
        training = cls(**own)
        training.optimiser.load_state_dict(training.optimiser.state_dict() | {"state": states})
        return training


def kept(folder: Path) -> Sequence[Path]:
    """Return the kept steps in a folder, the last one last."""
    return sorted(folder.glob("step-*.safetensors"))
