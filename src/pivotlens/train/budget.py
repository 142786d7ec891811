"""How much each arm is trained on: equally many tokens, whatever the arms hold (docs/method.md#training)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pivotlens.errors import ConfigError, DataError
from pivotlens.train.packed import Packed


@dataclass(frozen=True)
class Budget:
    """What every training reads.

    Attributes:
        steps: Steps, the same for all.
        used: Sequences of each arm that are read, by its name.
    """

    steps: int
    used: dict[str, int]


def equal_budget(
    arms: Mapping[str, Packed], batch_sequences: int, tokens: int | None, unequal_arms: Literal["refuse", "cut"]
) -> Budget:
    """Return how long all arms are trained on: whole steps, of equally many tokens for each.

    Args:
        arms: What each arm holds.
        batch_sequences: Sequences of a step.
        tokens: Tokens that each is trained on, read again where an arm has fewer; None for all of them once.
        unequal_arms: What happens to arms of different length: ``cut`` takes of each what the smallest has.

    Raises:
        ConfigError: The arms hold different numbers of tokens, and as many as the smallest has are not enough.
        DataError: An arm does not fill a step.
    """
    length = next(iter(arms.values())).length
    step_tokens = length * batch_sequences
    whole = {name: arm.sequences // batch_sequences for name, arm in arms.items()}
    smallest = min(whole, key=lambda name: whole[name])
    if whole[smallest] == 0:
        raise DataError(
            f"arm {smallest!r} holds {arms[smallest].tokens:,} tokens, and a step takes {batch_sequences} sequences of "
            f"{length}: {step_tokens:,}",
            "Give it more documents, or lower sequence_length or batch_sequences.",
        )
    steps = whole[smallest] if tokens is None else tokens // step_tokens
    if steps == 0:
        raise ConfigError(
            f"tokens = {tokens} do not fill a step of {batch_sequences} sequences of {length}: {step_tokens:,}",
            "Give more tokens, or lower sequence_length or batch_sequences.",
        )
    if tokens is not None and steps <= whole[smallest]:
        return Budget(steps, {name: arm.sequences for name, arm in arms.items()})
    if len(set(whole.values())) > 1 and unequal_arms == "refuse":
        held = ", ".join(f"{name} {number * step_tokens:,}" for name, number in whole.items())
        raise ConfigError(
            f"the arms hold different numbers of tokens in whole steps: {held}",
            f"Pass --unequal-arms cut to take {whole[smallest] * step_tokens:,} of each, drawn by the sequence, or "
            f"--tokens with at most that many.",
        )
    return Budget(steps, dict.fromkeys(arms, whole[smallest] * batch_sequences))
