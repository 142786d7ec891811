"""What is kept of the distributions of many layers, without ever holding one of them in full.

The vocabulary passes by in slices; sums that make up the normaliser, the entropy and the divergence are carried along
and rescaled as larger logits turn up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch

from pivotlens.arrays import Floats, Integers
from pivotlens.errors import ModelError
from pivotlens.models.head_slices import HeadSlices, Logits


class States(Protocol):
    """States of items, shape ``(items, layers, hidden)``, given for some items at a time; a tensor is one."""

    @property
    def shape(self) -> torch.Size:
        """Items, layers, hidden."""
        ...

    def __getitem__(self, items: Any, /) -> torch.Tensor:
        """Return the states of some items."""
        ...


@dataclass(frozen=True)
class Distributions:
    """Of ``items`` items at ``layers`` layers, what is kept of softmax(logits); natural logarithms.

    Attributes:
        token_ids: Most probable tokens, int64, shape ``(items, layers, top_k)``; equal ones by lower id.
        probs: Their probabilities, same shape.
        entropy: In nats, shape ``(items, layers)``.
        kl_to_final: KL divergence from the last layer's distribution, in nats, same shape.
        target_rank: Place of the item's target, 1 is first, same shape.
        log_normaliser: Of the logits, same shape.
        wanted: Log-probabilities of the tokens asked for, for each item shape ``(layers, tokens)``.
    """

    token_ids: Integers
    probs: Floats
    entropy: Floats
    kl_to_final: Floats
    target_rank: Integers
    log_normaliser: Floats
    wanted: list[Floats]


def read_distributions(
    head: HeadSlices,
    states: States,
    targets: Sequence[int],
    wanted: Sequence[Sequence[int]],
    top_k: int,
) -> Distributions:
    """Read the distributions that the head makes of states.

    Args:
        head: Of the model.
        states: What the head gets, shape ``(items, layers, hidden)``; the last layer is the model's answer.
        targets: Each item's target token.
        wanted: Each item's tokens whose log-probabilities are returned.
        top_k: Tokens kept a layer.

    Raises:
        ModelError: The head gives NaN.
    """
    items, layers, _ = states.shape
    size = max(1, head.rows // layers)
    parts = []
    with head.open() as logits_of:
        for begin in range(0, items, size):
            chosen = slice(begin, min(items, begin + size))
            group = _Group(states[chosen], targets[chosen], wanted[chosen], min(top_k, head.vocabulary), logits_of)
            for tokens in head.slices():
                group.add(tokens)
            parts.append(group.result(head.head.loaded.resolved.spec))
    names = ("token_ids", "probs", "entropy", "kl_to_final", "target_rank", "log_normaliser")
    joined: dict[str, npt.NDArray[Any]] = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in names
    }
    return Distributions(**joined, wanted=[one for part in parts for one in part.wanted])


class _Group:
    """The running sums of some items."""

    def __init__(
        self,
        states: torch.Tensor,
        targets: Sequence[int],
        wanted: Sequence[Sequence[int]],
        top_k: int,
        logits_of: Logits,
    ) -> None:
        self._items, self._layers, _ = states.shape
        self._states = states.flatten(0, 1)
        self._logits_of = logits_of
        device, rows = states.device, self._items * self._layers
        exact = torch.float32 if device.type == "mps" else torch.float64  # Apple's GPUs have no float64
        self._top = torch.full((rows, 1), -torch.inf, device=device)
        self._sums = torch.zeros(3, rows, dtype=exact, device=device)
        self._best = torch.full((rows, top_k), -torch.inf, device=device)
        self._ids = torch.zeros((rows, top_k), dtype=torch.long, device=device)
        self._above = torch.zeros(rows, dtype=torch.long, device=device)
        self._target_ids = torch.tensor(list(targets), device=device)
        distinct, place = torch.unique(self._target_ids, return_inverse=True)
        by_target = logits_of(self._states, distinct).view(self._items, self._layers, -1)
        self._target = by_target.gather(2, place[:, None, None].expand(-1, self._layers, 1)).reshape(rows, 1)
        self._lengths = [len(tokens) for tokens in wanted]
        flat = [(token, item) for item, tokens in enumerate(wanted) for token in tokens]
        order = sorted(range(len(flat)), key=lambda index: flat[index])
        self._order = np.argsort(order) if order else np.zeros(0, np.int64)
        self._wanted_ids = np.array([flat[index][0] for index in order], dtype=np.int64)
        self._wanted_items = torch.tensor([flat[index][1] for index in order], dtype=torch.long, device=device)
        # What is kept is written in place: pieces that stay between large ones that go would scatter the heap.
        self._wanted = torch.empty((len(flat), self._layers), device=device)

    def add(self, tokens: slice) -> None:
        """Take the next slice of the vocabulary."""
        logits = self._logits_of(self._states, tokens)
        largest = logits.amax(dim=1, keepdim=True)
        self._keep_best(logits, largest[:, 0], tokens.start)
        self._count_above(logits, tokens)
        self._keep_wanted(logits, tokens)
        top = torch.maximum(self._top, largest)
        self._sums *= (self._top - top).exp()[:, 0].nan_to_num(0.0)
        self._top.copy_(top)
        weights = (logits - top).exp_()
        by_item = logits.view(self._items, self._layers, -1)
        final = by_item[:, -1:].transpose(1, 2)
        self._sums[0] += weights.sum(dim=1)
        self._sums[1] += torch.bmm(weights[:, None], logits[:, :, None]).flatten()
        self._sums[2] += torch.bmm(weights.view_as(by_item), final).flatten()

    def _keep_best(self, logits: torch.Tensor, largest: torch.Tensor, first: int) -> None:
        # Most slices hold nothing that reaches the kept ones.
        rows = (largest > self._best[:, -1]).nonzero()[:, 0]
        if not len(rows):
            return
        found, places = logits[rows].topk(min(self._best.shape[1], logits.shape[1]), dim=1)
        values = torch.cat([self._best[rows], found], dim=1)
        ids = torch.cat([self._ids[rows], places + first], dim=1)
        self._best[rows], kept = values.topk(self._best.shape[1], dim=1)
        self._ids[rows] = ids.gather(1, kept)

    def _count_above(self, logits: torch.Tensor, tokens: slice) -> None:
        above = logits > self._target
        inside = ((self._target_ids >= tokens.start) & (self._target_ids < tokens.stop)).nonzero()[:, 0]
        if len(inside):  # the target is not above itself, whatever its last bit
            above.view(self._items, self._layers, -1)[inside, :, self._target_ids[inside] - tokens.start] = False
        self._above += above.sum(dim=1)

    def _keep_wanted(self, logits: torch.Tensor, tokens: slice) -> None:
        begin, end = np.searchsorted(self._wanted_ids, [tokens.start, tokens.stop])
        places = torch.from_numpy(self._wanted_ids[begin:end] - tokens.start).to(logits.device)
        by_item = logits.view(self._items, self._layers, -1)
        self._wanted[begin:end] = by_item[self._wanted_items[begin:end], :, places]

    def result(self, spec: str) -> Distributions:
        """Return what is kept, once the whole vocabulary has passed.

        Raises:
            ModelError: A logit is NaN.
        """
        total, own, final = self._sums
        normaliser = total.log() + self._top[:, 0]
        if not torch.isfinite(self._sums).all():
            raise ModelError(
                f"{spec} gives NaN or infinite logits at a layer",
                "Try dtype = 'float32'; if it stays, the weights are damaged.",
            )
        shape = (self._items, self._layers)
        log_z = normaliser.view(shape)
        mean, cross = (own / total).view(shape), (final / total).view(shape)
        divergence = mean - cross - log_z + log_z[:, -1:]
        divergence[:, -1] = 0.0
        probs = (self._best - normaliser[:, None]).exp()
        ids, values = _numpy(self._ids), _numpy(probs).astype(np.float64)
        order = np.lexsort((ids, -values), axis=-1)  # topk leaves the order of equal ones open
        wanted = self._wanted.to(normaliser.dtype) - log_z[self._wanted_items]
        kept = _numpy(wanted)[self._order]
        bounds = np.cumsum(self._lengths)[:-1]
        return Distributions(
            token_ids=np.take_along_axis(ids, order, axis=-1).reshape(*shape, -1),
            probs=np.take_along_axis(values, order, axis=-1).reshape(*shape, -1),
            entropy=_numpy(log_z - mean).clip(min=0.0),
            kl_to_final=_numpy(divergence).clip(min=0.0),
            target_rank=_numpy(self._above).reshape(shape) + 1,
            log_normaliser=_numpy(log_z),
            wanted=[part.T for part in np.split(kept, bounds)],
        )


def _numpy(values: torch.Tensor) -> npt.NDArray[Any]:
    found: npt.NDArray[Any] = values.cpu().numpy()
    return found
