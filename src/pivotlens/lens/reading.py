"""Raw states of every layer at every position of sequences, and the exact distance of a lens from the last layer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from pivotlens.arrays import Floats
from pivotlens.models.encoding import Ids
from pivotlens.models.lens import LogitLens, keeping_layers
from pivotlens.models.load import LoadedModel
from pivotlens.models.tuned_lens import TunedLens


def encode(loaded: LoadedModel, texts: Sequence[str], length: int) -> list[Ids]:
    """Return the first ``length`` token ids of each text, special tokens as the tokenizer adds them."""
    return [tuple(ids[:length]) for ids in loaded.tokenizer(list(texts))["input_ids"]] if texts else []


def layer_states(lens: LogitLens, sequences: Sequence[Ids], batch_tokens: int) -> list[torch.Tensor]:
    """Run sequences and return the raw output of every layer.

    The first position is left out: the model's states there are unlike all others, and no reading is taken there.

    Args:
        lens: Of the model.
        sequences: Token ids, at least two each.
        batch_tokens: Most tokens that run at once.

    Returns:
        For each sequence fp32 states, shape ``(tokens - 1, layers, hidden)``.
    """
    longest = max(len(ids) for ids in sequences)
    size = max(1, batch_tokens // longest)
    found: list[torch.Tensor] = []
    for start in range(0, len(sequences), size):
        rows = sequences[start : start + size]
        states = _run(lens, rows)
        found += [states[row, 1 : len(ids)] for row, ids in enumerate(rows)]
    return found


def _run(lens: LogitLens, rows: Sequence[Ids]) -> torch.Tensor:
    loaded = lens.loaded
    longest = max(len(ids) for ids in rows)
    # Padded at the end: what comes after a position does not reach it.
    ids = torch.tensor([[*row, *[row[-1]] * (longest - len(row))] for row in rows], device=loaded.device)
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows], device=loaded.device)
    # No inference mode: its tensors cannot be trained on.
    with torch.no_grad(), keeping_layers(lens.blocks, lambda states: states.to(loaded.device).float().clone()) as kept:
        loaded.model(input_ids=ids, attention_mask=mask, use_cache=False, **loaded.last_only)
    return torch.stack(kept, dim=2)


def spread_positions(n_positions: int, wanted: int) -> list[int]:
    """Return positions spread evenly over a sequence, all of them where it has no more than are wanted."""
    return sorted({round(place) for place in np.linspace(0, n_positions - 1, min(wanted, n_positions)).tolist()})


def distances(lens: LogitLens, tuned: TunedLens, states: torch.Tensor) -> tuple[Floats, Floats]:
    """Return how far the raw and the tuned lens are from the last layer, over the whole vocabulary.

    Args:
        lens: Of the model.
        tuned: Its translators.
        states: Raw outputs, fp32, shape ``(positions, layers, hidden)``.

    Returns:
        KL divergence of the layer's distribution from the last layer's, ``KL(last || layer)`` in nats, and whether the
        most probable token is the last layer's; both of shape ``(positions, layers, 2)``, raw first.
    """
    positions, layers, _ = states.shape
    kl, agrees = np.zeros((positions, layers, 2)), np.zeros((positions, layers, 2))
    with torch.inference_mode():
        last = _log_probs(lens, states[:, -1])
        top, p = last.argmax(-1), last.exp()
        for layer in range(layers - 1):
            for which, translated in enumerate((states[:, layer], tuned.translate(states[:, layer], layer))):
                log_q = _log_probs(lens, translated)
                kl[:, layer, which] = (p * (last - log_q)).sum(-1).double().cpu().numpy()
                agrees[:, layer, which] = (log_q.argmax(-1) == top).cpu().numpy()
    agrees[:, -1] = 1.0
    return kl, agrees


def damping_curve(lens: LogitLens, tuned: TunedLens, states: torch.Tensor, kept_changes: Sequence[float]) -> Floats:
    """Return ``KL(last || layer)`` of the lens with less of its change, shape ``(kept_changes, layers - 1)``, in nats.

    Args:
        lens: Of the model.
        tuned: Its translators.
        states: Raw outputs, fp32, shape ``(positions, layers, hidden)``.
        kept_changes: How much of it is kept, 0–1.
    """
    found = np.zeros((len(kept_changes), tuned.n_layers - 1))
    with torch.inference_mode():
        last = _log_probs(lens, states[:, -1])
        p = last.exp()
        for layer in range(tuned.n_layers - 1):
            raw = states[:, layer]
            change = tuned.translate(raw, layer) - raw
            for row, kept in enumerate(kept_changes):
                log_q = _log_probs(lens, raw + kept * change)
                found[row, layer] = float((p * (last - log_q)).sum(-1).double().mean())
    return found


def _log_probs(lens: LogitLens, states: torch.Tensor) -> torch.Tensor:
    # Masked tokens have -inf in both distributions.
    return torch.log_softmax(lens.decode(lens.normed(states.to(lens.loaded.dtype))), dim=-1).clamp_min(-1e4)
