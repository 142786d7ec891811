"""Log-probabilities from states: the head runs late, over many positions at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from pivotlens.arrays import Floats
from pivotlens.errors import ModelError
from pivotlens.models.encoding import Ids
from pivotlens.models.head import OutputHead
from pivotlens.models.load import LoadedModel
from pivotlens.models.memory import Memory

# Logits held at once, in fp32 numbers: half a gigabyte.
LOGITS = 1 << 27


@dataclass(frozen=True)
class Wanted:
    """A token whose log-probability is read from a state: the ``place``-th of an answer after context ``row``."""

    state: int
    row: int
    answer: Ids
    place: int


@dataclass(frozen=True)
class _Span:
    """Consecutive states."""

    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start

    def rows_between(self, start: int, stop: int) -> _Span:
        """Return some of them."""
        return _Span(self.start + start, self.start + stop)


class LateHead:
    """Collects states and runs the head over many of them at once."""

    def __init__(self, loaded: LoadedModel, memory: Memory) -> None:
        self.head = OutputHead(loaded)
        self._memory = memory
        vocabulary: int = loaded.model.config.get_text_config().vocab_size
        self._most = max(1, LOGITS // vocabulary)
        self._states: torch.Tensor | None = None
        self._wanted: list[Wanted] = []
        self._found: dict[tuple[int, Ids], list[float]] = {}

    def add(self, states: torch.Tensor, wanted: Sequence[Wanted]) -> None:
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

    def run(self, arguments: dict[str, Any]) -> tuple[torch.Tensor, Any]:
        """Run the model without its head; return the states that would reach the head, and the cache."""
        with self.head.held_back() as held:
            output = self.head.loaded.model(**arguments)
        return held[0], output.get("past_key_values")

    def _decode(self, count: int) -> None:
        assert self._states is not None
        for _, found in self._memory.run(_Span(0, count), self._read, "states"):
            for one, value in found:
                self._found.setdefault((one.row, one.answer), [math.nan] * len(one.answer))[one.place] = value
        self._states = self._states[count:].clone()
        self._wanted = [replace(one, state=one.state - count) for one in self._wanted if one.state >= count]

    def _read(self, span: _Span) -> list[tuple[Wanted, float]]:
        assert self._states is not None
        chosen = [one for one in self._wanted if span.start <= one.state < span.stop]
        logits = self.head.decode(self._states[span.start : span.stop])
        states = torch.tensor([one.state - span.start for one in chosen], device=logits.device)
        tokens = torch.tensor([one.answer[one.place] for one in chosen], device=logits.device)
        picked = logits[states, tokens]
        # In place: a log-softmax would write the whole vocabulary twice more.
        top = logits.amax(dim=-1)
        normaliser = logits.sub_(top[:, None]).exp_().sum(dim=-1).log_().add_(top)
        if torch.isnan(normaliser).any():
            raise nan_error(self.head.loaded)
        return list(zip(chosen, (picked - normaliser[states]).tolist(), strict=True))

    def scores(self, answers: Sequence[Sequence[Ids]]) -> list[list[Floats]]:
        """Decode what is left and return the log-probabilities of each context's answers."""
        if self._states is not None and len(self._states):
            self._decode(len(self._states))
        result = []
        for row, wanted in enumerate(answers):
            kept = without_beginnings(wanted)
            longer = [next(one for one in kept if one[: len(answer)] == answer) for answer in wanted]
            result.append(
                [
                    np.asarray(self._found[row, one][: len(answer)], dtype=np.float64)
                    for one, answer in zip(longer, wanted, strict=True)
                ]
            )
        return result


def without_beginnings(answers: Sequence[Ids]) -> list[Ids]:
    """Leave out answers that another one begins with: with and without the closing newline is one run."""
    kept: list[Ids] = []
    for answer in sorted(answers, key=len, reverse=True):
        if not any(longer[: len(answer)] == answer for longer in kept):
            kept.append(answer)
    return kept


def nan_error(loaded: LoadedModel) -> ModelError:
    """Return the error of a model that gives NaN."""
    return ModelError(
        f"{loaded.resolved.spec} gives NaN logits in {loaded.dtype}",
        "Try dtype = 'float32'; if it stays, the weights are damaged.",
    )
