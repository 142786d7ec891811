"""Log-probabilities of answers, with every context encoded once (METHOD §1, *Speed*)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from pivotlens.errors import ModelError
from pivotlens.models.encoding import Ids
from pivotlens.models.load import LoadedModel
from pivotlens.models.prefix import ContextBatch, SharedPrefix, is_shareable, select_rows

Floats = npt.NDArray[np.float64]

# Largest difference, in nats, between the shared and the plain path that rounding alone explains.
_TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 0.5, torch.float16: 0.1}


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
        result: list[list[Floats]] = [[] for _ in contexts]
        if not contexts:
            return result
        with torch.inference_mode():
            shared = SharedPrefix(self.loaded, contexts, self.batch_tokens, share=self.share)
            for batch in shared.batches():
                if self.share:
                    self._score_batch(batch, answers, result)
                else:
                    self._score_plainly(batch, contexts, answers, result)
        return result

    def _score_batch(self, batch: ContextBatch, answers: Sequence[Sequence[Ids]], result: list[list[Floats]]) -> None:
        output = self.loaded.model(**(batch.arguments() | {"use_cache": True}), logits_to_keep=1)
        first = output.logits[:, -1]
        cache = output.past_key_values
        # Answers that begin alike (with and without the closing newline) are run once, the longest of them.
        longest: list[list[Ids]] = []
        for row in batch.rows:
            longest.append([])
            for answer in sorted(answers[row], key=len, reverse=True):
                if not any(longer[: len(answer)] == answer for longer in longest[-1]):
                    longest[-1].append(answer)
        heads = [(position, answer) for position, kept in enumerate(longest) for answer in kept]
        if not heads:
            return
        scored: dict[tuple[int, Ids], list[float]] = {}
        values = self._log_probabilities(
            first,
            torch.tensor([position for position, _ in heads], device=first.device),
            torch.tensor([answer[0] for _, answer in heads], device=first.device),
        ).tolist()
        for key, value in zip(heads, values, strict=True):
            scored[key] = [value]
        total = batch.past + batch.input_ids.shape[1]
        by_length: dict[int, list[tuple[int, Ids]]] = {}
        for key in heads:
            if len(key[1]) > 1:
                by_length.setdefault(len(key[1]), []).append(key)
        for length, keys in sorted(by_length.items()):
            size = max(1, self.batch_tokens // (total + length))
            for start in range(0, len(keys), size):
                chosen = keys[start : start + size]
                rows = torch.tensor([position for position, _ in chosen], device=first.device)
                ids = torch.tensor([answer for _, answer in chosen], device=first.device)
                extension = ContextBatch([], ids[:, :-1], select_rows(cache, rows), total)
                logits = self.loaded.model(**extension.arguments()).logits
                flat = torch.arange(logits.shape[0] * logits.shape[1], device=logits.device)
                rest = self._log_probabilities(logits.flatten(0, 1), flat, ids[:, 1:].flatten())
                for key, more in zip(chosen, rest.view(len(chosen), -1).tolist(), strict=True):
                    scored[key] += more
        for position, row in enumerate(batch.rows):
            for answer in answers[row]:
                longer = next(kept for kept in longest[position] if kept[: len(answer)] == answer)
                result[row].append(np.asarray(scored[position, longer][: len(answer)], dtype=np.float64))

    def _score_plainly(
        self,
        batch: ContextBatch,
        contexts: Sequence[Ids],
        answers: Sequence[Sequence[Ids]],
        result: list[list[Floats]],
    ) -> None:
        for row in batch.rows:
            for answer in answers[row]:
                result[row].append(plain_log_probabilities(self.loaded, contexts[row], answer))

    def _log_probabilities(self, logits: torch.Tensor, rows: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        # The normaliser once a row: a full log-softmax would write the vocabulary a second time.
        logits = logits.float()
        normaliser = torch.logsumexp(logits, dim=-1)
        if torch.isnan(normaliser).any():
            raise _nan_error(self.loaded)
        return logits[rows, tokens] - normaliser[rows]

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
