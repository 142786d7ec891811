"""Reading all layers of a direction's items, reduced at once to what is kept (METHOD §2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from pivotlens.errors import ModelError
from pivotlens.models.encoding import Ids
from pivotlens.models.lens import LogitLens
from pivotlens.models.prefix import SharedPrefix
from pivotlens.trace.token_sets import TokenSets

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

# Positions decoded at once; the vocabulary is wide, so this bounds memory (64 × 262k × 4 bytes = 67 MB).
_CHUNK = 64

MASSES = ("source", "target", "english", "pivots", "random")


@dataclass(frozen=True)
class LayerReadings:
    """What is kept of the lens of ``items`` items at ``layers`` layers.

    Attributes:
        token_ids: Most probable tokens, int64, shape ``(items, layers, top_k)``; equal ones by lower id.
        probs: Their probabilities, same shape.
        entropy: In nats, shape ``(items, layers)``.
        kl_to_final: KL divergence of the layer's distribution from the last layer's, in nats, same shape.
        target_rank: Place of the target's first content token, 1 is first, same shape.
        target_prob: Its probability.
        masses: Probability of each token set in `MASSES`, shape ``(items, layers, 5)``; NaN where a set is empty.
        baseline: Mean probability of each kept token at its layer over the calibration items without the item
            itself, shape of ``probs``; NaN where there is no other calibration item.
    """

    token_ids: Integers
    probs: Floats
    entropy: Floats
    kl_to_final: Floats
    target_rank: Integers
    target_prob: Floats
    masses: Floats
    baseline: Floats


@dataclass(frozen=True)
class ReadItem:
    """An item to read.

    Attributes:
        context: Token ids up to the position that predicts the target's first content token.
        target: That token.
        sets: Its token sets.
        calibration: Whether it is in the calibration set.
    """

    context: Ids
    target: int
    sets: TokenSets
    calibration: bool


def read_layers(
    lens: LogitLens, items: Sequence[ReadItem], top_k: int, batch_tokens: int, *, share: bool
) -> LayerReadings:
    """Read every layer at the last position of each item.

    Args:
        lens: Of the model.
        items: The items of one direction and shot set.
        top_k: Tokens kept a layer.
        batch_tokens: Most tokens held in the cache at once.
        share: Whether the prompts' common beginning is encoded once.

    Raises:
        ModelError: A layer gives NaN.
    """
    layers = lens.n_layers
    shape = (len(items), layers)
    token_ids = np.zeros((*shape, top_k), dtype=np.int64)
    probs = np.zeros((*shape, top_k))
    entropy, kl, target_prob = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    target_rank = np.zeros(shape, dtype=np.int64)
    masses = np.full((*shape, len(MASSES)), np.nan)
    total: torch.Tensor | None = None
    contexts = list(dict.fromkeys(item.context for item in items))
    states = torch.empty(0)
    with torch.inference_mode():
        parts = {}
        for batch in SharedPrefix(lens.loaded, contexts, batch_tokens, share=share).batches():
            read = lens.states(**batch.arguments())
            parts.update({contexts[row]: read[place] for place, row in enumerate(batch.rows)})
        states = torch.stack([parts[item.context] for item in items])
        for chosen, log_q in _decoded(lens, states):
            q = log_q.exp()
            if total is None:
                # Apple's GPUs have no float64.
                place_of_sum = "cpu" if q.device.type == "mps" else q.device
                total = torch.zeros(layers, q.shape[-1], dtype=torch.float64, device=place_of_sum)
            entropy[chosen] = -(q * log_q.clamp_min(-1e4)).sum(-1).cpu().double().numpy()
            kl[chosen] = (q * (log_q.clamp_min(-1e4) - log_q[:, -1:].clamp_min(-1e4))).sum(-1).cpu().double().numpy()
            best, ids = q.topk(top_k, dim=-1)
            probs[chosen], token_ids[chosen] = best.cpu().double().numpy(), ids.cpu().numpy()
            for place, number in enumerate(range(chosen.start, chosen.stop)):
                item, own = items[number], q[place]
                at_target = own[:, item.target]
                target_prob[number] = at_target.cpu().double().numpy()
                target_rank[number] = ((own > at_target[:, None]).sum(-1) + 1).cpu().numpy()
                for index, name in enumerate(MASSES):
                    tokens = sorted(getattr(item.sets, name))
                    if tokens:
                        masses[number, :, index] = own[:, tokens].sum(-1).cpu().double().numpy()
                if item.calibration:
                    total += own.to(total.device)
    _lowest_id_first(token_ids, probs)
    baseline = _baseline(items, token_ids, probs, total)
    return LayerReadings(token_ids, probs, entropy, kl, target_rank, target_prob, masses, baseline)


def _decoded(lens: LogitLens, states: torch.Tensor) -> Iterator[tuple[slice, torch.Tensor]]:
    items, layers, width = states.shape
    size = max(1, _CHUNK // layers)
    for start in range(0, items, size):
        chosen = slice(start, min(items, start + size))
        log_q = torch.log_softmax(lens.decode(states[chosen].reshape(-1, width)), dim=-1)
        if torch.isnan(log_q).any():
            raise ModelError(
                f"{lens.loaded.resolved.spec} gives NaN at a layer in {lens.loaded.dtype}",
                "Try dtype = 'float32'; if it stays, the weights are damaged.",
            )
        yield chosen, log_q.view(chosen.stop - chosen.start, layers, -1)


def _lowest_id_first(token_ids: Integers, probs: Floats) -> None:
    # topk leaves the order of equal probabilities open.
    order = np.lexsort((token_ids, -probs), axis=-1)
    token_ids[:] = np.take_along_axis(token_ids, order, axis=-1)
    probs[:] = np.take_along_axis(probs, order, axis=-1)


def _baseline(items: Sequence[ReadItem], token_ids: Integers, probs: Floats, total: torch.Tensor | None) -> Floats:
    baseline = np.full(probs.shape, np.nan)
    calibrating = sum(item.calibration for item in items)
    if total is None:
        return baseline
    sums = total.cpu().numpy()
    layer = np.arange(probs.shape[1])[:, None]
    for number, item in enumerate(items):
        others = calibrating - item.calibration
        if others > 0:
            rest = sums[layer, token_ids[number]] - (probs[number] if item.calibration else 0.0)
            baseline[number] = np.maximum(rest, 0.0) / others
    return baseline
