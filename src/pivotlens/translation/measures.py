"""Score, probability share, margin and 10-way accuracy (docs/method.md#score), from log-probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pivotlens.arrays import Floats


@dataclass(frozen=True)
class ItemMeasures:
    """Measures of the items of one direction, each of shape ``(items, shot_sets)`` where nothing else is said.

    Attributes:
        probability: exp of the mean token log-probability after each choice, shape ``(items, choices, shot_sets)``.
        p_source: exp of the mean token log-probability of the target after the right source word.
        p_distractors: Its mean over the distractor source words.
        score: ``p_source - p_distractors``.
        probability_share: Sequence probability after the right word over the sum over all choices.
        margin: log of the right word's sequence probability minus log of the distractors' mean one, in nats.
        rank: Place of the right word among the choices, 1 is first; ties count half.
        accuracy: 1 where the right word is first; ties count 1/k.
    """

    probability: Floats
    p_source: Floats
    p_distractors: Floats
    score: Floats
    probability_share: Floats
    margin: Floats
    rank: Floats
    accuracy: Floats


def measure_items(sum_logprob: Floats, n_tokens: Floats) -> ItemMeasures:
    """Compute the measures.

    Args:
        sum_logprob: Natural-log probability of the whole target after each choice of source word, the right one
            first; shape ``(items, choices, shot_sets)``.
        n_tokens: Tokens of the target in each, same shape.

    One item with two distractors and one shot set; the target is one token.

    >>> found = measure_items(np.log([[[0.6], [0.1], [0.3]]]), np.ones((1, 3, 1)))
    >>> round(found.score.item(), 3), round(found.probability_share.item(), 3), found.accuracy.item()
    (0.4, 0.6, 1.0)
    """
    probability = np.exp(sum_logprob / n_tokens)
    p_source, p_distractors = probability[:, 0], probability[:, 1:].mean(axis=1)
    top = sum_logprob.max(axis=1, keepdims=True)
    relative = np.exp(sum_logprob - top)
    right, wrong = sum_logprob[:, 0], sum_logprob[:, 1:]
    peak = wrong.max(axis=1)
    log_mean_wrong = peak + np.log(np.exp(wrong - peak[:, None]).mean(axis=1))
    better = (wrong > right[:, None]).sum(axis=1)
    equal = (wrong == right[:, None]).sum(axis=1)
    return ItemMeasures(
        probability=probability,
        p_source=p_source,
        p_distractors=p_distractors,
        score=p_source - p_distractors,
        probability_share=relative[:, 0] / relative.sum(axis=1),
        margin=right - log_mean_wrong,
        rank=1.0 + better + equal / 2,
        accuracy=np.where(better == 0, 1.0 / (1.0 + equal), 0.0),
    )
