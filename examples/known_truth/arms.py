"""Arms of the world: which words of a concept ever meet, and who is drawn into which arm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from examples.known_truth.words import FIRST, FOURTH, HUB, SECOND, Vocabulary

Pair = frozenset[str]
"""Two languages whose words of a concept may stand in one document."""

_HUB_FIRST, _HUB_SECOND = frozenset((HUB, FIRST)), frozenset((HUB, SECOND))
FIRST_SECOND = frozenset((FIRST, SECOND))
_AROUND_HUB = frozenset((_HUB_FIRST, _HUB_SECOND))

SHOT, DIRECT, PIVOT, NO_HUB, HALF, ALONE, OTHER = "shot", "D", "P", "N", "H", "M", "X"


@dataclass(frozen=True)
class Arm:
    """What holds for the concepts of an arm.

    Attributes:
        meets: Pairs of languages that may meet in a document.
        block: Concepts of it in each block of the draw.
        joint: Documents in which its words of B and C meet; None: as many as the world's `dose`.
    """

    meets: frozenset[Pair]
    block: int
    joint: int | None = 0

    @property
    def hub(self) -> str:
        """The language through which its words are bound."""
        return FOURTH if frozenset((FOURTH, FIRST)) in self.meets else HUB


ARMS: dict[str, Arm] = {
    SHOT: Arm(_AROUND_HUB | {FIRST_SECOND}, 1, None),
    DIRECT: Arm(_AROUND_HUB | {FIRST_SECOND}, 5, None),
    PIVOT: Arm(_AROUND_HUB, 4),
    NO_HUB: Arm(frozenset((FIRST_SECOND,)), 2, None),
    HALF: Arm(frozenset((_HUB_FIRST,)), 2),
    ALONE: Arm(frozenset(), 2),
    OTHER: Arm(frozenset((frozenset((FOURTH, FIRST)), frozenset((FOURTH, SECOND)))), 1),
    "D1": Arm(_AROUND_HUB | {FIRST_SECOND}, 1, 1),
    "D4": Arm(_AROUND_HUB | {FIRST_SECOND}, 1, 4),
    "D16": Arm(_AROUND_HUB | {FIRST_SECOND}, 1, 16),
}
"""Every arm by name; examples of prompts are concepts of their own, bound as D is."""

_SWAPS = 20_000


def draw_arms(vocabulary: Vocabulary, seed: int) -> dict[int, str]:
    """Draw an arm for every candidate, within blocks of like part of speech and frequency.

    Within blocks, pairs of concepts drawn at random then change arms where that brings the arms' mean frequencies and
    mean log frequencies closer to one another; nothing else about a word has a say.

    Returns:
        Arm by place in the vocabulary; the last candidates that fill no block are left out.
    """
    names = [name for name, arm in ARMS.items() for _ in range(arm.block)]
    order = sorted(
        vocabulary.candidates, key=lambda place: (vocabulary.parts_of_speech[place], -vocabulary.counts[place], place)
    )
    blocks = np.array(order[: len(order) // len(names) * len(names)]).reshape(-1, len(names))
    counts = np.array(vocabulary.counts, dtype=np.float64)[blocks]
    # Both the mean and the typical frequency: one alone leaves the other to chance.
    weights = np.stack([counts / counts.mean(), np.log(counts) - np.log(counts).mean()], axis=-1)
    arms = np.array([list(ARMS).index(name) for name in names])
    random = np.random.default_rng([seed, 1])
    drawn = random.permuted(arms[None, :].repeat(len(blocks), 0), axis=1)
    sizes = np.bincount(drawn.ravel())
    of_all = weights.mean(axis=(0, 1))
    apart = np.stack([weights[drawn == arm].mean(axis=0) - of_all for arm in range(len(sizes))])
    for _ in range(_SWAPS):
        block = random.integers(len(blocks))
        one, other = random.choice(len(names), 2, replace=False)
        arm, with_arm = drawn[block, one], drawn[block, other]
        moved = weights[block, other] - weights[block, one]
        after = apart[arm] + moved / sizes[arm], apart[with_arm] - moved / sizes[with_arm]
        before = (apart[arm] ** 2).sum() + (apart[with_arm] ** 2).sum()
        if arm != with_arm and (after[0] ** 2).sum() + (after[1] ** 2).sum() < before:
            apart[arm], apart[with_arm] = after
            drawn[block, one], drawn[block, other] = with_arm, arm
    return {int(place): list(ARMS)[arm] for place, arm in zip(blocks.ravel(), drawn.ravel(), strict=True)}


def may_meet(arms: Mapping[int, str], words: tuple[int, ...], pair: Pair) -> bool:
    """Tell whether a sentence may stand in two languages in one document: every concept in it must allow it."""
    return all(pair in ARMS[arms[word]].meets for word in words if word in arms)
