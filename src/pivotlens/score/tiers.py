"""Distractors by tier: how hard is it to tell the right source word from its near and its far distractors?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pivotlens.artifacts import Concept
from pivotlens.translation.measures import ItemMeasures

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TierMeasures:
    """Measures against the distractors of one tier, each of shape ``(items, shot_sets)``, NaN where there are none.

    Attributes:
        present: Whether an item has distractors of the tier; shape ``(items,)``.
        score: P of the target after the right source word minus its mean after these distractors.
        margin: log of the right word's sequence probability minus log of these distractors' mean one, in nats.
        beaten: Share of these distractors whose sequence probability is lower; ties count half.
    """

    present: npt.NDArray[np.bool_]
    score: Floats
    margin: Floats
    beaten: Floats


def tiers_of(concepts: Sequence[Concept]) -> list[int]:
    """Return the tiers that the benchmark tells of its distractors, in order."""
    return sorted({tier for concept in concepts for tier in concept.tiers.values()})


def tier_measures(sum_logprob: Floats, measures: ItemMeasures, concepts: Sequence[Concept], tier: int) -> TierMeasures:
    """Measure items against their distractors of one tier.

    Args:
        sum_logprob: Natural-log probability of the target after each choice, the right source word first; shape
            ``(items, choices, shot_sets)``.
        measures: What `measure_items` made of it.
        concepts: The items.
        tier: The tier.
    """
    chosen = np.array(
        [[concept.tiers.get(other) == tier for other in concept.distractors] for concept in concepts], dtype=bool
    )
    count = chosen.sum(axis=1)
    present = count > 0
    weights = np.divide(chosen, count[:, None], out=np.full(chosen.shape, np.nan), where=present[:, None])[..., None]
    right, wrong = sum_logprob[:, 0], sum_logprob[:, 1:]
    beaten = (wrong < right[:, None]) + 0.5 * (wrong == right[:, None])
    peak = wrong.max(axis=1, keepdims=True)
    with np.errstate(divide="ignore"):  # a tier so improbable beside another one that it is 0: the margin is infinite
        log_mean = peak[:, 0] + np.log((np.exp(wrong - peak) * weights).sum(axis=1))
    return TierMeasures(
        present=present,
        score=measures.p_source - (measures.probability[:, 1:] * weights).sum(axis=1),
        margin=right - log_mean,
        beaten=(beaten * weights).sum(axis=1),
    )
