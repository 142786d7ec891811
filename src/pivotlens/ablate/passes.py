"""Forward passes with interventions that cost little: only the last tokens of each item are run."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from transformers.cache_utils import DynamicCache

from pivotlens.models.encoding import Ids
from pivotlens.models.intervention import Interventions
from pivotlens.models.late_head import nan_error
from pivotlens.models.lens import LogitLens
from pivotlens.models.prefix import ContextBatch, SharedPrefix

Floats = npt.NDArray[np.float64]

# Positions decoded at once; the vocabulary is wide, so this bounds memory.
_CHUNK = 64


class Outcome(NamedTuple):
    """What a pass says of ``n`` items.

    Attributes:
        logprob: Natural log-probability of each whole answer, shape ``(n,)``.
        log_q: Of every token at the position that is read, fp32, shape ``(n, vocabulary)``.
    """

    logprob: Floats
    log_q: torch.Tensor


def divergence(clean: Outcome, other: Outcome) -> Floats:
    """Return KL(clean ‖ other) of the token that is read, in nats, shape ``(n,)``."""
    found = (clean.log_q.exp() * (clean.log_q - other.log_q)).nan_to_num().sum(-1)
    return found.cpu().double().numpy()


@dataclass(frozen=True)
class Passes:
    """Contexts of one length, encoded once up to the token before the last, whose position is read and changed.

    Attributes:
        lens: Of the model.
        rows: Which contexts, as indices into the list given.
        contexts: Their token ids.
        cache: Keys and values of all but the last token; None where every pass runs in full.
        cache_rows: Which row of the cache each context continues.
    """

    lens: LogitLens
    rows: list[int]
    contexts: list[Ids]
    cache: DynamicCache | None
    cache_rows: torch.Tensor

    def measure(self, answers: Sequence[Ids], interventions: Interventions) -> Outcome:
        """Run the contexts with their answers, teacher-forced, under interventions at the position that is read.

        Args:
            answers: Token ids that follow each context.
            interventions: By layer; see `LogitLens.intervene`.

        Raises:
            ModelError: The model gives NaN.
        """
        width = max(len(answer) for answer in answers)
        # What stands after an answer's last token but one is padding: nothing before it sees it.
        states = self._run([answer[:-1] + answer[-1:] * (width - len(answer)) for answer in answers], interventions)
        with torch.inference_mode():
            # The first place of every answer comes first: its whole distribution is kept.
            wanted = [(row, 0) for row in range(len(answers))]
            wanted += [(row, place) for row, answer in enumerate(answers) for place in range(1, len(answer))]
            logprob, kept = np.zeros(len(answers)), []
            for start in range(0, len(wanted), _CHUNK):
                chosen = wanted[start : start + _CHUNK]
                rows, places = (torch.tensor(index, device=states.device) for index in zip(*chosen, strict=True))
                found = torch.log_softmax(self.lens.decode(states[rows, places]), dim=-1)
                if torch.isnan(found).any():
                    raise nan_error(self.lens.loaded)
                tokens = torch.tensor([answers[row][place] for row, place in chosen], device=found.device)
                values = found.gather(-1, tokens[:, None])[:, 0]
                np.add.at(logprob, [row for row, _ in chosen], values.cpu().double().numpy())
                kept.append(found[: max(0, len(answers) - start)])
            log_q = torch.cat(kept)
        return Outcome(logprob, log_q)

    def states(self, layers: Sequence[int]) -> dict[int, torch.Tensor]:
        """Return what the blocks hand on at the position that is read, fp32, ``(n, hidden)`` on the CPU."""
        kept: dict[int, torch.Tensor] = {}

        def keep(layer: int, state: torch.Tensor) -> torch.Tensor:
            kept[layer] = state.float().cpu()
            return state

        self._run([()] * len(self.contexts), {layer: functools.partial(keep, layer) for layer in layers})
        return kept

    def repeated(self, times: int) -> Passes:
        """Return the first context so many times, without encoding it again."""
        return Passes(
            self.lens, self.rows[:1] * times, self.contexts[:1] * times, self.cache, self.cache_rows[:1].repeat(times)
        )

    def _run(self, following: Sequence[Ids], interventions: Interventions) -> torch.Tensor:
        """Run each context's last token and what follows it; return the head's input, ``(n, 1 + width, hidden)``."""
        loaded = self.lens.loaded
        past = 0 if self.cache is None else len(self.contexts[0]) - 1
        rows = [context[past:] + after for context, after in zip(self.contexts, following, strict=True)]
        ids = torch.tensor(rows, device=loaded.device)
        position = len(self.contexts[0]) - 1 - past
        with (
            torch.inference_mode(),
            self.lens.head.held_back() as held,
            self.lens.intervene(interventions, position),
        ):
            loaded.model(**ContextBatch(self.rows, ids, self.cache, past, self.cache_rows).arguments())
        return held[0][:, position:]


def passes(lens: LogitLens, contexts: Sequence[Ids], batch_tokens: int, *, share: bool) -> Iterator[Passes]:
    """Encode contexts and yield them by length; which come together follows from them and the budget alone.

    Args:
        lens: Of the model.
        contexts: Token ids up to the position that is read, two or more each.
        batch_tokens: Most tokens held in the cache at once.
        share: Whether caches can be shared; without, every pass runs in full.
    """
    trimmed = [context[:-1] for context in contexts]
    for batch in SharedPrefix(lens.loaded, trimmed, batch_tokens, share=share).batches():
        cache = None
        if share:
            with torch.inference_mode(), lens.head.held_back():
                cache = lens.loaded.model(**(batch.arguments() | {"use_cache": True})).past_key_values
        yield Passes(lens, batch.rows, [contexts[row] for row in batch.rows], cache, torch.arange(len(batch.rows)))
