"""What happens at which step: the learning rate, and where checkpoints stand (docs/method.md#training)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pivotlens.errors import ConfigError


@dataclass(frozen=True)
class Schedule:
    """The learning rate over the steps of a training.

    Attributes:
        kind: ``cosine``, ``linear`` or ``wsd`` (warm-up, stable, decay).
        steps: Steps in all.
        highest: The highest rate.
        final: What it falls to, as a share of that.
        warmup: Share of the steps in which it rises in a line from 0.
        decay: Share of the steps, the last ones, in which ``wsd`` falls in a line.
    """

    kind: Literal["cosine", "linear", "wsd"]
    steps: int
    highest: float
    final: float
    warmup: float
    decay: float

    def rate(self, step: int) -> float:
        """Return the learning rate of a step, counted from 1.

        >>> schedule = Schedule("linear", steps=10, highest=1.0, final=0.0, warmup=0.2, decay=0.2)
        >>> [round(schedule.rate(step), 3) for step in (1, 2, 6, 10)]
        [0.5, 1.0, 0.5, 0.0]
        """
        rising = round(self.warmup * self.steps)
        if step <= rising:
            return self.highest * step / rising
        falling = self.steps - rising
        if self.kind == "wsd":
            falling = min(falling, max(1, round(self.decay * self.steps)))
        fallen = max(0.0, (step - (self.steps - falling)) / falling)
        left = (1 + math.cos(math.pi * fallen)) / 2 if self.kind == "cosine" else 1 - fallen
        return self.highest * (self.final + (1 - self.final) * left)


def checkpoints(steps: int, step_tokens: int, at_steps: Sequence[int], at_tokens: Sequence[int]) -> list[int]:
    """Return the steps after which the model is written, ascending; the last step is one of them.

    Args:
        steps: Steps in all.
        step_tokens: Tokens of a step.
        at_steps: Steps that are asked for.
        at_tokens: Numbers of tokens that are asked for; those that only a step would reach that is not whole stand for
            the last.

    Raises:
        ConfigError: Something is asked for that lies beyond the last step.

    >>> checkpoints(steps=10, step_tokens=100, at_steps=[0, 4], at_tokens=[250, 1099])
    [0, 3, 4, 10]
    """
    asked = [("checkpoint_steps", step, step) for step in at_steps]
    asked += [("checkpoint_tokens", tokens, tokens // step_tokens) for tokens in at_tokens]
    if beyond := [f"{name} holds {value}" for name, value, step in asked if step > steps]:
        raise ConfigError(
            f"{beyond[0]}, and the training ends after step {steps} with {steps * step_tokens} tokens",
            "Leave it out, as the model is written after the last step in any case, or train on more `tokens`.",
        )
    return sorted({*at_steps, *(min(steps, math.ceil(tokens / step_tokens)) for tokens in at_tokens), steps})
