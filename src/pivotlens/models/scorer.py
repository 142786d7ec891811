"""Log-probabilities of answers, with every context encoded once (METHOD §1, *Speed*)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

from pivotlens.models.encoding import Ids
from pivotlens.models.late_head import LateHead, Wanted, nan_error, without_beginnings
from pivotlens.models.load import LoadedModel
from pivotlens.models.packing import longest_sequence, packed_batches
from pivotlens.models.prefix import ContextBatch, SharedPrefix, is_shareable, select_rows

Floats = npt.NDArray[np.float64]

# Largest difference, in nats, between the shared and the plain path that rounding alone explains.
_TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 0.5, torch.float16: 0.1}


Sharing = Literal["packed", "copied", "nothing"]
# What libraries raise where a model cannot take what it is given.
_FAILURES = (TypeError, ValueError, RuntimeError, AttributeError, IndexError, NotImplementedError)
# Positions a pass may run in vain so that answers of several lengths share it: less than reading the weights again.
_PADDING = 64


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
    """

    loaded: LoadedModel
    batch_tokens: int = 8192
    sharing: Sharing = "packed"

    @property
    def share(self) -> bool:
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
            late = LateHead(self.loaded)
            shared = SharedPrefix(self.loaded, contexts, self.batch_tokens)
            if self.sharing == "packed" and shared.fits_window(longest_sequence(contexts, answers)):
                for packed in packed_batches(shared, answers):
                    with late.head.held_back() as held:
                        self.loaded.model(**packed.arguments())
                    late.add(held[0].flatten(0, 1), packed.wanted)
            else:
                for batch in shared.batches():
                    self._run_batch(batch, answers, late)
            return late.scores(answers)

    def _run_batch(self, batch: ContextBatch, answers: Sequence[Sequence[Ids]], late: LateHead) -> None:
        with late.head.held_back() as held:
            cache = self.loaded.model(**(batch.arguments() | {"use_cache": True}), logits_to_keep=1).past_key_values
        keys = [
            (position, answer) for position, row in enumerate(batch.rows) for answer in without_beginnings(answers[row])
        ]
        late.add(held[0][:, -1], [Wanted(position, batch.rows[position], answer, 0) for position, answer in keys])
        total = batch.past + batch.input_ids.shape[1]
        device = batch.input_ids.device
        longer = sorted((key for key in keys if len(key[1]) > 1), key=lambda key: -len(key[1]))
        for chosen in _equally_long(longer, total, self.batch_tokens):
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
                    Wanted(index * width + place - 1, batch.rows[position], answer, place)
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
        raise nan_error(loaded)
    picked = values.gather(-1, ids[0, len(context) :, None]).squeeze(-1)
    return picked.cpu().double().numpy()


def check_sharing(loaded: LoadedModel, contexts: Sequence[Ids], answer: Ids) -> tuple[Sharing, str | None]:
    """Try the shared paths, the fastest first, against the plain one on two contexts.

    Args:
        loaded: The model.
        contexts: Contexts that begin alike.
        answer: An answer to one of them.

    Returns:
        The fastest path that gives what the plain one gives, and why nothing can be shared, None where something can.
    """
    sample = list(dict.fromkeys(contexts))[:2]
    # Answers that branch after their first token, which is what the packed path has to keep apart.
    answers = [[answer * 3, (answer[0], sample[0][-1], answer[-1])]] * len(sample)
    try:
        with torch.inference_mode():
            ids = torch.tensor([sample[0]], device=loaded.device)
            cache = loaded.model(input_ids=ids, use_cache=True, logits_to_keep=1).past_key_values
        if not is_shareable(cache):
            return "nothing", f"{type(cache).__name__} holds more than keys and values"
    except _FAILURES as error:
        return "nothing", f"the model does not take a copied cache ({error})"
    plain = [
        plain_log_probabilities(loaded, context, one)
        for context, row in zip(sample, answers, strict=True)
        for one in row
    ]
    limit = _TOLERANCE[loaded.dtype]
    reason = ""
    for sharing in ("packed", "copied"):
        try:
            found = AnswerScorer(loaded, sharing=sharing).score(sample, answers)
        except _FAILURES as error:
            reason = f"the model does not take a copied cache ({error})"
            continue
        values = [value for row in found for value in row]
        worst = max(float(np.abs(one - other).max()) for one, other in zip(values, plain, strict=True))
        if worst <= limit:
            return sharing, None
        reason = f"shared and plain log-probabilities differ by {worst:.2g} nats"
    return "nothing", reason
