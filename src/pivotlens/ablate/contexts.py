"""Forward passes with interventions that cost little: only the last tokens of each item are run."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from transformers.cache_utils import DynamicCache

from pivotlens.arrays import Floats
from pivotlens.models.encoding import Ids
from pivotlens.models.intervention import Interventions
from pivotlens.models.late_head import nan_error
from pivotlens.models.lens import LogitLens
from pivotlens.models.library_internals import select_rows
from pivotlens.models.prefix import SharedPrefix

# Positions decoded at once; the vocabulary is wide, so this bounds memory.
_CHUNK = 64
# Tokens that an answer may add to a context: together they must lie within every layer's window.
_ROOM = 64
# Largest difference, in nats, between padded and other passes that rounding alone explains.
_TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 0.5, torch.float16: 0.1}


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
class EncodedContexts:
    """Contexts encoded once up to the token before the last, whose position is read and changed.

    Attributes:
        lens: Of the model.
        rows: Which contexts, as indices into the list given.
        contexts: Their token ids.
        cache: Keys and values of all but the last token; None where every pass runs in full.
        cache_rows: Which row of the cache each context continues.
        seen: Which tokens of the cache are a context's own and not padding, int64, shape ``(n, cached)``.
    """

    lens: LogitLens
    rows: list[int]
    contexts: list[Ids]
    cache: DynamicCache | None
    cache_rows: torch.Tensor
    seen: torch.Tensor

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

    def repeated(self, times: int) -> EncodedContexts:
        """Return the first context so many times, without encoding it again."""
        rows, contexts, kept = self.rows[:1] * times, self.contexts[:1] * times, self.cache_rows[:1].repeat(times)
        return EncodedContexts(self.lens, rows, contexts, self.cache, kept, self.seen[:1].repeat(times, 1))

    def _run(self, following: Sequence[Ids], interventions: Interventions) -> torch.Tensor:
        """Run each context's last token and what follows it; return the head's input, ``(n, 1 + width, hidden)``."""
        loaded = self.lens.loaded
        begin = -1 if self.cache is not None else 0
        rows = [context[begin:] + after for context, after in zip(self.contexts, following, strict=True)]
        ids = torch.tensor(rows, device=loaded.device)
        position = ids.shape[1] - 1 - len(following[0])
        with (
            torch.inference_mode(),
            self.lens.head.held_back() as held,
            self.lens.intervene(interventions, position),
        ):
            loaded.model(**_arguments(ids, self.cache, self.cache_rows, self.seen))
        return held[0][:, position:]


def _arguments(
    ids: torch.Tensor, cache: DynamicCache | None, cache_rows: torch.Tensor, seen: torch.Tensor
) -> dict[str, Any]:
    """Return the arguments of a pass that goes on from rows of a cache, some of whose tokens may be padding."""
    seen = seen.to(ids.device)
    arguments: dict[str, Any] = {"input_ids": ids, "attention_mask": torch.cat([seen, torch.ones_like(ids)], dim=1)}
    if not bool(seen.all()):
        arguments["position_ids"] = seen.sum(1, keepdim=True) + torch.arange(ids.shape[1], device=ids.device)
    if cache is not None:
        arguments |= {"past_key_values": select_rows(cache, cache_rows), "use_cache": True}
    return arguments


def can_pad(lens: LogitLens, contexts: Sequence[Ids], answer: Ids, batch_tokens: int) -> bool:
    """Try on the shortest and the longest of some contexts whether padding changes anything.

    Args:
        lens: Of the model.
        contexts: Some contexts.
        answer: Token ids that may follow.
        batch_tokens: Most tokens held in the cache at once.
    """
    ends = [min(contexts, key=len), max(contexts, key=len)]
    if len(ends[0]) == len(ends[1]) or "position_ids" not in inspect.signature(lens.loaded.model.forward).parameters:
        return False
    found: dict[tuple[bool, int], float] = {}
    for pad in (False, True):
        for one in encode_contexts(lens, ends, batch_tokens, share_cache=True, pad=pad):
            logprob = one.measure([answer] * len(one.rows), {}).logprob
            found |= {(pad, row): value for row, value in zip(one.rows, logprob, strict=True)}
    return all(abs(found[True, row] - found[False, row]) <= _TOLERANCE[lens.loaded.dtype] for row in (0, 1))


def encode_contexts(
    lens: LogitLens, contexts: Sequence[Ids], batch_tokens: int, *, share_cache: bool, pad: bool = False
) -> Iterator[EncodedContexts]:
    """Encode contexts and yield them in batches; which come together follows from them and the budget alone.

    Args:
        lens: Of the model.
        contexts: Token ids up to the position that is read, two or more each.
        batch_tokens: Most tokens held in the cache at once.
        share_cache: Whether caches can be shared; without, every pass runs in full.
        pad: Whether contexts of several lengths share a batch, which costs a model less: padding then stands between
            their common beginning and the rest, and no token sees it. `can_pad` tells whether that is exact.
    """
    loaded = lens.loaded
    shared = SharedPrefix(loaded, [context[:-1] for context in contexts], batch_tokens, share_cache=share_cache)
    if not share_cache:
        for batch in shared.batches():
            none = torch.ones(len(batch.rows), 0, dtype=torch.long)
            yield EncodedContexts(lens, batch.rows, [contexts[row] for row in batch.rows], None, none, none)
        return
    past, first = len(shared.prefix), contexts[0][0]
    pad = pad and shared.fits_window(max(len(context) for context in contexts) + _ROOM)
    for rows in _batches(contexts, batch_tokens, pad=pad):
        rests = [contexts[row][past:-1] for row in rows]
        width = max(len(rest) for rest in rests)
        ids = torch.tensor([(first,) * (width - len(rest)) + rest for rest in rests], device=loaded.device)
        own = torch.tensor([[0] * (width - len(rest)) + [1] * len(rest) for rest in rests], device=loaded.device)
        seen = torch.cat([own.new_ones(len(rows), past), own], dim=1)
        arguments = _arguments(ids, shared.cache, torch.zeros(len(rows), dtype=torch.long), seen[:, :past])
        if not bool(own.all()):
            positions = past + own.cumsum(1) - 1
            arguments |= {"attention_mask": seen, "position_ids": positions.clamp_min(0)}
        with torch.inference_mode(), lens.head.held_back():
            cache = loaded.model(**(arguments | {"use_cache": True})).past_key_values
        yield EncodedContexts(lens, rows, [contexts[row] for row in rows], cache, torch.arange(len(rows)), seen)


def _batches(contexts: Sequence[Ids], batch_tokens: int, *, pad: bool) -> Iterator[list[int]]:
    lengths = sorted({len(context) for context in contexts})
    for wanted in [lengths] if pad else [[length] for length in lengths]:
        rows = [row for row, context in enumerate(contexts) if len(context) in wanted]
        size = max(1, batch_tokens // wanted[-1])
        for start in range(0, len(rows), size):
            yield rows[start : start + size]
