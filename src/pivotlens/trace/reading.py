"""Reading all layers of a direction's items, reduced at once to what is kept (docs/method.md#logit-lens)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch

from pivotlens.arrays import Floats, Integers
from pivotlens.models.encoding import Ids
from pivotlens.models.head_slices import WIDTH, HeadSlices, Logits
from pivotlens.models.lens import LogitLens
from pivotlens.models.memory import Memory
from pivotlens.models.prefix import SharedPrefix
from pivotlens.trace.distributions import Distributions, States, read_distributions
from pivotlens.trace.token_sets import TokenSets

if TYPE_CHECKING:
    from pivotlens.models.tuned_lens import TunedLens


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
    lens: LogitLens, items: Sequence[ReadItem], top_k: int, batch_tokens: int, *, share_cache: bool
) -> LayerReadings:
    """Read every layer at the last position of each item.

    Args:
        lens: Of the model.
        items: The items of one direction and shot set.
        top_k: Tokens kept a layer.
        batch_tokens: Most tokens held in the cache at once.
        share_cache: Whether the prompts' common beginning is encoded once.

    Raises:
        ModelError: A layer gives NaN.
    """
    states = read_states(lens, [item.context for item in items], SharedReading(batch_tokens, share_cache))
    return reduce_states(HeadSlices(lens.head), LensStates(lens, states), items, top_k)


@dataclass(frozen=True)
class SharedReading:
    """How contexts run.

    Attributes:
        batch_tokens: Most tokens held in the cache at once.
        share_cache: Whether their common beginning is encoded once.
        memory: Runs the batches, in halves where they do not fit.
    """

    batch_tokens: int
    share_cache: bool
    memory: Memory = field(default_factory=Memory, compare=False)


@dataclass(frozen=True)
class LayerStates:
    """Every layer at the last position of each context.

    Attributes:
        blocks: Raw outputs of the embeddings and each block, shape ``(contexts, layers, hidden)``.
        answer: What the head really gets, shape ``(contexts, hidden)``.
    """

    blocks: torch.Tensor
    answer: torch.Tensor


def read_states(lens: LogitLens, contexts: Sequence[Ids], reading: SharedReading) -> LayerStates:
    """Run contexts, each distinct one once, and keep every layer at their last position."""
    distinct = {context: row for row, context in enumerate(dict.fromkeys(contexts))}
    blocks, answer = torch.empty(0), torch.empty(0)
    with torch.inference_mode():
        for batch in SharedPrefix(
            lens.loaded, [*distinct], reading.batch_tokens, share_cache=reading.share_cache
        ).batches():
            for part, (kept, real) in reading.memory.run(batch, lambda rows: lens.layers(**rows.arguments())):
                if not len(blocks):
                    blocks, answer = (one.new_empty(len(distinct), *one.shape[1:]) for one in (kept, real))
                blocks[list(part.rows)], answer[list(part.rows)] = kept, real
        if len(distinct) == len(contexts):
            return LayerStates(blocks, answer)
        rows = [distinct[context] for context in contexts]
        return LayerStates(blocks[rows], answer[rows])


@dataclass(frozen=True)
class LensStates:
    """What the head gets under a lens, made for the contexts asked for: all at once would take twice the memory.

    Attributes:
        lens: Of the model.
        states: Of contexts.
        tuned: Maps each layer's output before the final norm; the raw lens when None.
    """

    lens: LogitLens
    states: LayerStates
    tuned: TunedLens | None = None

    @property
    def shape(self) -> torch.Size:
        """Contexts, layers, hidden."""
        return self.states.blocks.shape

    def __getitem__(self, contexts: slice | Integers) -> torch.Tensor:
        """Return what the head gets, shape ``(contexts, layers, hidden)``."""
        blocks, answer = self.states.blocks[contexts], self.states.answer[contexts]
        with torch.inference_mode():
            normed = [
                self.lens.normed(
                    blocks[:, layer] if self.tuned is None else self.tuned.translate(blocks[:, layer], layer)
                )
                for layer in range(self.lens.n_layers - 1)
            ]
            # The last layer is what the head really gets; some families cast it.
            return torch.stack([*(state.to(answer) for state in normed), answer], dim=1)


def read_words(
    lens: LogitLens, head: HeadSlices, contexts: Sequence[Ids], words: Sequence[Ids], reading: SharedReading
) -> Floats:
    """Return each layer's log-probability of whole words, their tokens teacher-forced.

    Args:
        lens: Of the model.
        head: Of the model.
        contexts: What stands before each word.
        words: Their tokens.
        reading: How contexts run.

    Returns:
        Sums over the word's tokens of natural-log probabilities, shape ``(words, layers)``.
    """
    places = [(number, place) for number, word in enumerate(words) for place in range(len(word))]
    before = [contexts[number] + words[number][:place] for number, place in places]
    tokens = [words[number][place] for number, place in places]
    states = LensStates(lens, read_states(lens, before, reading))
    found = read_distributions(head, states, tokens, [[token] for token in tokens], top_k=1)
    sums = np.zeros((len(words), lens.n_layers))
    np.add.at(sums, [number for number, _ in places], np.stack([own[:, 0] for own in found.wanted]))
    return sums


def reduce_states(head: HeadSlices, states: States, items: Sequence[ReadItem], top_k: int) -> LayerReadings:
    """Reduce states to what is kept of their distributions.

    Args:
        head: Of the model.
        states: What the head gets, shape ``(items, layers, hidden)``.
        items: The items.
        top_k: Tokens kept a layer.

    Raises:
        ModelError: A layer gives NaN.
    """
    sets = [[sorted(getattr(item.sets, name)) for name in MASSES] for item in items]
    wanted = [
        [item.target, *(token for tokens in own for token in tokens)] for item, own in zip(items, sets, strict=True)
    ]
    found = read_distributions(head, states, [item.target for item in items], wanted, top_k)
    masses = np.full((*found.entropy.shape, len(MASSES)), np.nan)
    for number, own in enumerate(sets):
        ends = np.cumsum([1, *(len(tokens) for tokens in own)])
        for index, tokens in enumerate(own):
            if tokens:
                masses[number, :, index] = np.exp(found.wanted[number][:, ends[index] : ends[index + 1]]).sum(axis=-1)
    calibrating = np.flatnonzero([item.calibration for item in items])
    baseline = np.full(found.probs.shape, np.nan)
    if len(calibrating) > 1 or len(calibrating) < len(items):
        baseline = _baseline(head, states[calibrating], found.log_normaliser[calibrating], items, found)
    return LayerReadings(
        token_ids=found.token_ids,
        probs=found.probs,
        entropy=found.entropy,
        kl_to_final=found.kl_to_final,
        target_rank=found.target_rank,
        target_prob=np.exp(np.stack([own[:, 0] for own in found.wanted])),
        masses=masses,
        baseline=baseline,
    )


def _baseline(
    head: HeadSlices, states: torch.Tensor, log_normaliser: Floats, items: Sequence[ReadItem], found: Distributions
) -> Floats:
    """Return the mean of each kept token over the calibration items, leaving the item itself out."""
    baseline = np.full(found.probs.shape, np.nan)
    own = np.array([item.calibration for item in items])
    others = len(states) - own
    with head.open() as logits_of:
        for layer in range(states.shape[1]):
            tokens, places = np.unique(found.token_ids[:, layer], return_inverse=True)
            sums = _sums(logits_of, head.rows, states[:, layer], log_normaliser[:, layer], tokens)
            rest = sums[places.reshape(len(items), -1)] - np.where(own[:, None], found.probs[:, layer], 0.0)
            known = others > 0
            baseline[known, layer] = np.maximum(rest, 0.0)[known] / others[known, None]
    return baseline


def _sums(logits_of: Logits, at_once: int, states: torch.Tensor, log_normaliser: Floats, tokens: Integers) -> Floats:
    """Return the probability of each token, summed over states."""
    sums = np.zeros(len(tokens))
    for begin in range(0, len(states), at_once):
        rows = states[begin : begin + at_once]
        log_z = log_normaliser[begin : begin + at_once, None]
        for first in range(0, len(tokens), WIDTH):
            part = slice(first, first + WIDTH)
            logits = logits_of(rows, torch.from_numpy(tokens[part]).to(rows.device))
            sums[part] += np.exp(logits.cpu().numpy().astype(np.float64) - log_z).sum(axis=0)
    return sums
