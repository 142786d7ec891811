"""Log-probabilities of answers, with every context encoded once (docs/method.md#shared-computation)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from transformers.cache_utils import DynamicCache

from pivotlens.arrays import Floats
from pivotlens.models.encoding import Ids
from pivotlens.models.late_head import LateHead, Wanted, nan_error, without_beginnings
from pivotlens.models.library_internals import is_shareable
from pivotlens.models.load import LoadedModel
from pivotlens.models.memory import Memory, one_row
from pivotlens.models.packing import ROW, longest_sequence, packed_batches
from pivotlens.models.prefix import ContextBatch, SharedPrefix, common_prefix

# Largest difference, in nats, between the shared and the plain path that rounding alone explains.
_TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 0.5, torch.float16: 0.1}


Sharing = Literal["packed", "copied", "nothing"]
# What libraries raise where a model cannot take what it is given.
_FAILURES = (TypeError, ValueError, RuntimeError, AttributeError, IndexError, NotImplementedError)
# Positions a pass may run in vain so that answers of several lengths share it: less than reading the weights again.
_PADDING = 64
# What a path gives the model, and which log-probabilities it is held against, for messages.
_PATHS = {"copied": ("a copied cache", "shared and plain"), "packed": ("packed rows", "packed and copied")}
# Any tokens will do to see what kind of cache a model keeps.
_CACHED = 4
# Of the contexts that a check runs, one in so many with answers that branch; the head takes most of its time.
_BRANCHING = 5


def _equally_long(keys: Sequence[tuple[int, Ids]], past: int, batch_tokens: int) -> Iterator[list[tuple[int, Ids]]]:
    """Cut answers, longest first, into batches within the token budget that waste few positions on padding."""
    batch: list[tuple[int, Ids]] = []
    wasted = 0
    for key in keys:
        width = len((batch or [key])[0][1])
        padding = width - len(key[1])
        if batch and (wasted + padding > _PADDING or (len(batch) + 1) * (past + width) > batch_tokens):
            yield batch
            batch, wasted, padding = [], 0, 0
        batch.append(key)
        wasted += padding
    if batch:
        yield batch


@dataclass(frozen=True)
class AnswerScorer:
    """Scores answers after contexts, sharing what can be shared.

    Args:
        loaded: The model.
        batch_tokens: Most tokens held in the cache at once.
        sharing: How much is shared: contexts with all their answers ``packed`` into rows behind one cache of what they
            begin with, caches ``copied`` for each answer, or ``nothing``; `check_sharing` tells what is exact.
        memory: Runs the batches, in halves where they do not fit.
    """

    loaded: LoadedModel
    batch_tokens: int = 8192
    sharing: Sharing = "packed"
    memory: Memory = field(default_factory=Memory, compare=False)

    @property
    def share_cache(self) -> bool:
        """Whether caches are shared at all."""
        return self.sharing != "nothing"

    def score(self, contexts: Sequence[Ids], answers: Sequence[Sequence[Ids]]) -> list[list[Floats]]:
        """Return the log-probability of every token of every answer.

        Args:
            contexts: Distinct contexts.
            answers: For each context the answers that may follow it.

        Returns:
            For each context and answer the natural-log probabilities of its tokens, shape ``(tokens,)``, computed
            in fp32 from the model's logits.

        Raises:
            ModelError: The model gives NaN, or memory does not suffice for a single row.
        """
        if not contexts:
            return []
        with torch.inference_mode():
            if not self.share_cache:
                return [
                    [plain_log_probabilities(self.loaded, context, answer) for answer in rows]
                    for context, rows in zip(contexts, answers, strict=True)
                ]
            late = LateHead(self.loaded, self.memory)
            shared = SharedPrefix(self.loaded, contexts, self.batch_tokens)
            if self.sharing == "packed" and shared.fits_window(longest_sequence(contexts, answers)):
                for packed in packed_batches(shared, answers):
                    for part, (states, _) in self.memory.run(packed, lambda rows: late.run(rows.arguments())):
                        late.add(states.flatten(0, 1), part.wanted)
            else:
                last = {"use_cache": True, **self.loaded.last_only}
                for batch in shared.batches():
                    for some, (states, cache) in self.memory.run(batch, lambda rows: late.run(rows.arguments() | last)):
                        self._extend(some, states, cache, answers, late)
            return late.scores(answers)

    def _extend(
        self,
        batch: ContextBatch,
        states: torch.Tensor,
        cache: DynamicCache,
        answers: Sequence[Sequence[Ids]],
        late: LateHead,
    ) -> None:
        keys = [
            (position, answer) for position, row in enumerate(batch.rows) for answer in without_beginnings(answers[row])
        ]
        late.add(states[:, -1], [Wanted(position, batch.rows[position], answer, 0) for position, answer in keys])
        total = batch.past + batch.input_ids.shape[1]
        device = batch.input_ids.device
        longer = sorted((key for key in keys if len(key[1]) > 1), key=lambda key: -len(key[1]))
        for chosen in _equally_long(longer, total, self.batch_tokens):
            width = len(chosen[0][1]) - 1
            # What stands after an answer's last token but one is padding: nothing before it sees it.
            ids = [answer[:-1] + answer[-1:] * (width + 1 - len(answer)) for _, answer in chosen]
            rows = torch.tensor([position for position, _ in chosen])
            extension = ContextBatch(list(range(len(ids))), torch.tensor(ids, device=device), cache, total, rows)
            for part, (found, _) in self.memory.run(extension, lambda rows: late.run(rows.arguments())):
                wanted = [
                    Wanted(index * width + place - 1, batch.rows[chosen[number][0]], chosen[number][1], place)
                    for index, number in enumerate(part.rows)
                    for place in range(1, len(chosen[number][1]))
                ]
                late.add(found.flatten(0, 1), wanted)

    def generate(self, contexts: Sequence[Ids], max_tokens: int, stop: Callable[[int], bool]) -> list[Ids]:
        """Continue each context greedily until a token that ``stop`` accepts, or ``max_tokens``.

        Returns:
            The tokens before the stop, one tuple a context.
        """
        generated: list[Ids] = [()] * len(contexts)
        with torch.inference_mode():
            for batch in SharedPrefix(self.loaded, contexts, self.batch_tokens, share_cache=self.share_cache).batches():
                for part, found in self.memory.run(batch, lambda rows: self._continue(rows, max_tokens, stop)):
                    for row, tokens in zip(part.rows, found, strict=True):
                        generated[row] = tokens
        return generated

    def _continue(self, batch: ContextBatch, max_tokens: int, stop: Callable[[int], bool]) -> list[Ids]:
        generated: list[list[int]] = [[] for _ in batch.rows]
        running, past, device = list(range(len(batch))), batch.past + batch.input_ids.shape[1], batch.input_ids.device
        inputs = batch.input_ids
        output = self.loaded.model(**(batch.arguments() | {"use_cache": self.share_cache}), **self.loaded.last_only)
        for step in range(max_tokens):
            best = output.logits[:, -1].float().argmax(dim=-1).to(device)
            kept = [i for i, token in enumerate(best.tolist()) if not stop(token)]
            for i in kept:
                generated[running[i]].append(int(best[i]))
            running = [running[i] for i in kept]
            if not running or step == max_tokens - 1:
                break
            rows = torch.tensor(kept, device=device)
            new = best[rows][:, None]
            if self.share_cache:
                batch = ContextBatch(running, new, output.past_key_values, past, rows)
            else:
                inputs = torch.cat([inputs[rows], new], dim=1)
                batch = ContextBatch(running, inputs, None, 0)
            past += 1
            output = self.loaded.model(**batch.arguments(), **self.loaded.last_only)
        return [tuple(tokens) for tokens in generated]


def plain_log_probabilities(loaded: LoadedModel, context: Ids, answer: Ids) -> Floats:
    """Return the log-probability of each answer token by one uncached pass: the slow, obvious twin.

    Returns:
        Natural-log probabilities, shape ``(len(answer),)``.

    Raises:
        ModelError: The model gives NaN, or memory does not suffice.
    """
    ids = torch.tensor([context + answer], device=loaded.device)
    with torch.inference_mode(), one_row():
        keep = {name: len(answer) + 1 for name in loaded.last_only}  # logits over the whole prompt take longest
        logits = loaded.model(input_ids=ids, use_cache=False, **keep).logits
    values = torch.log_softmax(logits[0, -len(answer) - 1 : -1].float(), dim=-1)
    if torch.isnan(values).any():
        raise nan_error(loaded)
    picked = values.gather(-1, ids[0, len(context) :, None]).squeeze(-1)
    return picked.cpu().double().numpy()


def check_sharing(
    loaded: LoadedModel, contexts: Sequence[Ids], answer: Ids, batch_tokens: int = 8192, *, packed: bool = True
) -> tuple[Sharing, str | None]:
    """Try the shared paths on contexts that run together, as a stage runs them.

    Layers may count positions by row, by cache or by the longest sequence of a batch, which shows only at the lengths
    and in the packings that are used. So copied caches must give what the plain path gives for the longest and the
    shortest context, and packed rows what copied caches give for each.

    Args:
        loaded: The model.
        contexts: Contexts that begin alike, the longest and the shortest that will be run among them.
        answer: The longest answer.
        batch_tokens: Most tokens held in the cache at once.
        packed: Whether packing is tried; a stage that only reads and generates does not pack.

    Returns:
        The fastest path that gives what the plain one gives, and why no faster one does; None where it is the fastest
        that was tried.
    """
    sample = list(dict.fromkeys(contexts))
    ends = [max(sample, key=len), min(sample, key=len)]
    sample = _filling_a_row(sample) if packed else list(dict.fromkeys(ends))
    try:
        with torch.inference_mode(), one_row():
            ids = torch.tensor([sample[0][:_CACHED]], device=loaded.device)
            cache = loaded.model(input_ids=ids, use_cache=True, **loaded.last_only).past_key_values
        if not is_shareable(cache):
            return "nothing", f"{type(cache).__name__} holds more than keys and values"
    except _FAILURES as error:
        return "nothing", f"the model does not take a copied cache ({error})"
    # Answers that branch after their first token, which is what the packed path has to keep apart.
    branches = [(answer * 3)[: max(3, len(answer) + 1)], (answer[0], sample[0][-1], answer[-1])]
    answers = [
        branches if context in ends or row % _BRANCHING == 0 else [answer[:1]] for row, context in enumerate(sample)
    ]
    expected = {
        (sample.index(end), one): plain_log_probabilities(loaded, end, one)
        for end, one in zip(ends, branches, strict=True)
    }
    exact: Sharing = "nothing"
    reason = None
    # The lens and generation copy caches in any case: what cannot be copied is not packed either.
    paths: tuple[Sharing, ...] = ("copied", "packed") if packed else ("copied",)
    for sharing in paths:
        try:
            scored = AnswerScorer(loaded, batch_tokens, sharing).score(sample, answers)
        except _FAILURES as error:
            reason = f"the model does not take {_PATHS[sharing][0]} ({error})"
            break
        found = {
            (row, one): own for row, values in enumerate(scored) for one, own in zip(answers[row], values, strict=True)
        }
        worst = max(float(np.abs(found[key] - values).max()) for key, values in expected.items())
        if not worst <= _TOLERANCE[loaded.dtype]:
            reason = f"{_PATHS[sharing][1]} log-probabilities differ by {worst:.2g} nats"
            break
        exact, expected = sharing, found | expected
    return exact, reason


def _filling_a_row(contexts: Sequence[Ids]) -> list[Ids]:
    """Return contexts with as many more like the longest as a packed row needs to be as long as rows become."""
    longest, past = max(contexts, key=len), len(common_prefix(contexts))
    filled = list(contexts)
    missing = ROW - sum(len(context) - past for context in contexts)
    for token in sorted({token for context in contexts for token in context}):
        if missing <= 0:
            break
        if (other := (*longest[:-1], token)) not in contexts:
            filled.append(other)
            missing -= len(longest) - past
    return filled
