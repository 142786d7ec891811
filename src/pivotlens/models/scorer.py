"""Log-probabilities of answers, with every context encoded once (METHOD §1, *Speed*)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from pivotlens.errors import ModelError
from pivotlens.models.encoding import Ids
from pivotlens.models.head import OutputHead
from pivotlens.models.load import LoadedModel
from pivotlens.models.prefix import ContextBatch, SharedPrefix, is_shareable, select_rows

Floats = npt.NDArray[np.float64]

# Largest difference, in nats, between the shared and the plain path that rounding alone explains.
_TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 0.5, torch.float16: 0.1}


# Positions a pass may run in vain so that answers of several lengths share it: less than reading the weights again.
_PADDING = 64
# Logits held at once, in fp32 numbers: half a gigabyte.
_LOGITS = 1 << 27


@dataclass(frozen=True)
class _Wanted:
    """A token whose log-probability is read from a state: the ``place``-th of an answer after context ``row``."""

    state: int
    row: int
    answer: Ids
    place: int


class _LateHead:
    """Collects states and runs the head over many of them at once."""

    def __init__(self, loaded: LoadedModel) -> None:
        self.head = OutputHead(loaded)
        vocabulary: int = loaded.model.config.get_text_config().vocab_size
        self._most = max(1, _LOGITS // vocabulary)
        self._states: torch.Tensor | None = None
        self._wanted: list[_Wanted] = []
        self._found: dict[tuple[int, Ids], list[float]] = {}

    def add(self, states: torch.Tensor, wanted: Sequence[_Wanted]) -> None:
        """Keep the states that are wanted, of shape ``(n, hidden)``; decode as soon as enough have come together."""
        used = sorted({one.state for one in wanted})
        if not used:
            return
        before = 0 if self._states is None else len(self._states)
        new = states[torch.tensor(used, device=states.device)]
        self._states = new if self._states is None else torch.cat([self._states, new])
        number = {state: before + index for index, state in enumerate(used)}
        self._wanted += [replace(one, state=number[one.state]) for one in wanted]
        while len(self._states) >= self._most:
            self._decode(self._most)

    def _decode(self, count: int) -> None:
        assert self._states is not None
        chosen = [one for one in self._wanted if one.state < count]
        logits = self.head.decode(self._states[:count])
        states = torch.tensor([one.state for one in chosen], device=logits.device)
        tokens = torch.tensor([one.answer[one.place] for one in chosen], device=logits.device)
        picked = logits[states, tokens]
        # In place: a log-softmax would write the whole vocabulary twice more.
        top = logits.amax(dim=-1)
        normaliser = logits.sub_(top[:, None]).exp_().sum(dim=-1).log_().add_(top)
        if torch.isnan(normaliser).any():
            raise _nan_error(self.head.loaded)
        for one, value in zip(chosen, (picked - normaliser[states]).tolist(), strict=True):
            self._found.setdefault((one.row, one.answer), [math.nan] * len(one.answer))[one.place] = value
        self._states = self._states[count:].clone()
        self._wanted = [replace(one, state=one.state - count) for one in self._wanted if one.state >= count]

    def scores(self, answers: Sequence[Sequence[Ids]]) -> list[list[Floats]]:
        """Decode what is left and return the log-probabilities of each context's answers."""
        if self._states is not None and len(self._states):
            self._decode(len(self._states))
        result = []
        for row, wanted in enumerate(answers):
            kept = _without_beginnings(wanted)
            longer = [next(one for one in kept if one[: len(answer)] == answer) for answer in wanted]
            result.append(
                [
                    np.asarray(self._found[row, one][: len(answer)], dtype=np.float64)
                    for one, answer in zip(longer, wanted, strict=True)
                ]
            )
        return result


def _without_beginnings(answers: Sequence[Ids]) -> list[Ids]:
    """Leave out answers that another one begins with: with and without the closing newline is one run."""
    kept: list[Ids] = []
    for answer in sorted(answers, key=len, reverse=True):
        if not any(longer[: len(answer)] == answer for longer in kept):
            kept.append(answer)
    return kept


def _packed(keys: Sequence[tuple[int, Ids]], past: int, batch_tokens: int) -> Iterator[list[tuple[int, Ids]]]:
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
        share: Whether caches are shared; `check_sharing` tells whether they can be.
    """

    loaded: LoadedModel
    batch_tokens: int = 8192
    share: bool = True

    def score(self, contexts: Sequence[Ids], answers: Sequence[Sequence[Ids]]) -> list[list[Floats]]:
        """Return the log-probability of every token of every answer.

        Args:
            contexts: Distinct contexts.
            answers: For each context the answers that may follow it.

        Returns:
            For each context and answer the natural-log probabilities of its tokens, shape ``(tokens,)``, computed
            in fp32 from the model's logits.

        Raises:
            ModelError: The model gives NaN.
        """
        if not contexts:
            return []
        with torch.inference_mode():
            if not self.share:
                return [
                    [plain_log_probabilities(self.loaded, context, answer) for answer in rows]
                    for context, rows in zip(contexts, answers, strict=True)
                ]
            late = _LateHead(self.loaded)
            for batch in SharedPrefix(self.loaded, contexts, self.batch_tokens).batches():
                self._run_batch(batch, answers, late)
            return late.scores(answers)

    def _run_batch(self, batch: ContextBatch, answers: Sequence[Sequence[Ids]], late: _LateHead) -> None:
        with late.head.held_back() as held:
            cache = self.loaded.model(**(batch.arguments() | {"use_cache": True}), logits_to_keep=1).past_key_values
        keys = [
            (position, answer)
            for position, row in enumerate(batch.rows)
            for answer in _without_beginnings(answers[row])
        ]
        late.add(held[0][:, -1], [_Wanted(position, batch.rows[position], answer, 0) for position, answer in keys])
        total = batch.past + batch.input_ids.shape[1]
        device = batch.input_ids.device
        longer = sorted((key for key in keys if len(key[1]) > 1), key=lambda key: -len(key[1]))
        for chosen in _packed(longer, total, self.batch_tokens):
            width = len(chosen[0][1]) - 1
            # What stands after an answer's last token but one is padding: nothing before it sees it.
            ids = [answer[:-1] + answer[-1:] * (width + 1 - len(answer)) for _, answer in chosen]
            rows = torch.tensor([position for position, _ in chosen], device=device)
            extension = ContextBatch([], torch.tensor(ids, device=device), select_rows(cache, rows), total)
            with late.head.held_back() as held:
                self.loaded.model(**extension.arguments())
            late.add(
                held[0].flatten(0, 1),
                [
                    _Wanted(index * width + place - 1, batch.rows[position], answer, place)
                    for index, (position, answer) in enumerate(chosen)
                    for place in range(1, len(answer))
                ],
            )

    def generate(self, contexts: Sequence[Ids], max_tokens: int, stop: Callable[[int], bool]) -> list[Ids]:
        """Continue each context greedily until a token that ``stop`` accepts, or ``max_tokens``.

        Returns:
            The tokens before the stop, one tuple a context.
        """
        generated: list[list[int]] = [[] for _ in contexts]
        with torch.inference_mode():
            for batch in SharedPrefix(self.loaded, contexts, self.batch_tokens, share=self.share).batches():
                output = self.loaded.model(**(batch.arguments() | {"use_cache": self.share}), logits_to_keep=1)
                running, past = list(batch.rows), batch.past + batch.input_ids.shape[1]
                inputs = batch.input_ids
                for step in range(max_tokens):
                    best = output.logits[:, -1].float().argmax(dim=-1)
                    kept = [i for i, token in enumerate(best.tolist()) if not stop(token)]
                    for i in kept:
                        generated[running[i]].append(int(best[i]))
                    running = [running[i] for i in kept]
                    if not running or step == max_tokens - 1:
                        break
                    rows = torch.tensor(kept, device=best.device)
                    new = best[rows][:, None]
                    if self.share:
                        cache = select_rows(output.past_key_values, rows)
                        batch = ContextBatch(running, new, cache, past)
                    else:
                        inputs = torch.cat([inputs[rows], new], dim=1)
                        batch = ContextBatch(running, inputs, None, 0)
                    past += 1
                    output = self.loaded.model(**batch.arguments(), logits_to_keep=1)
        return [tuple(tokens) for tokens in generated]


def plain_log_probabilities(loaded: LoadedModel, context: Ids, answer: Ids) -> Floats:
    """Return the log-probability of each answer token by one uncached pass: the slow, obvious twin.

    Returns:
        Natural-log probabilities, shape ``(len(answer),)``.

    Raises:
        ModelError: The model gives NaN.
    """
    ids = torch.tensor([context + answer], device=loaded.device)
    with torch.inference_mode():
        logits = loaded.model(input_ids=ids, use_cache=False).logits
    values = torch.log_softmax(logits[0, len(context) - 1 : -1].float(), dim=-1)
    if torch.isnan(values).any():
        raise _nan_error(loaded)
    picked = values.gather(-1, ids[0, len(context) :, None]).squeeze(-1)
    return picked.cpu().double().numpy()


def _nan_error(loaded: LoadedModel) -> ModelError:
    return ModelError(
        f"{loaded.resolved.spec} gives NaN logits in {loaded.dtype}",
        "Try dtype = 'float32'; if it stays, the weights are damaged.",
    )


def check_sharing(loaded: LoadedModel, contexts: Sequence[Ids], answer: Ids) -> str | None:
    """Try the shared path against the plain one on two contexts.

    Returns:
        None where they agree; otherwise why caches cannot be shared.
    """
    sample = list(dict.fromkeys(contexts))[:2]
    scorer = AnswerScorer(loaded)
    try:
        with torch.inference_mode():
            ids = torch.tensor([sample[0]], device=loaded.device)
            cache = loaded.model(input_ids=ids, use_cache=True, logits_to_keep=1).past_key_values
        if not is_shareable(cache):
            return f"{type(cache).__name__} holds more than keys and values"
        shared = scorer.score(sample, [[answer]] * len(sample))
    except (TypeError, ValueError, RuntimeError, AttributeError, IndexError) as error:
        return f"the model does not take a copied cache ({error})"
    worst = max(
        float(np.abs(values[0] - plain_log_probabilities(loaded, context, answer)).max())
        for context, values in zip(sample, shared, strict=True)
    )
    limit = _TOLERANCE[loaded.dtype]
    return None if worst <= limit else f"shared and plain log-probabilities differ by {worst:.2g} nats"
