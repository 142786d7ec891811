"""How well counts predict `direct` against `semantic_pivot` behaviour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pivotlens.arrays import Booleans, Floats
from pivotlens.attribute.items import CountedItems
from pivotlens.attribute.predictors import PREDICTORS
from pivotlens.statistics.auc import auc, cluster_weights, weighted_auc
from pivotlens.statistics.bootstrap import percentile_interval
from pivotlens.statistics.regression import Tested, added_predictor_test, spearman, weighted_spearman

DIRECT, PIVOT = "direct", "semantic_pivot"
ITEM_SETS = ("correct", "all")
"""Correctly answered items, the primary set, and all; neither has words spelled alike."""
UNLIKE_ENGLISH = "_unlike_english"
"""Ending of an item set without items that have a word spelled like an English one of the benchmark."""
ALL = "all"
PRIMARY_RULE = "calibrated"


@dataclass(frozen=True)
class Auc:
    """AUC of a predictor in a direction; None where there is none, and the note says why."""

    source_language: str
    target_language: str
    rule: str
    item_set: str
    predictor: str
    auc: float | None
    ci_low: float | None
    ci_high: float | None
    n_direct: int
    n_pivot: int
    note: str


@dataclass(frozen=True)
class DirectionTest:
    """A test in a direction; None where it cannot be computed, and the note says why."""

    source_language: str
    target_language: str
    test: str
    rule: str
    item_set: str
    statistic: float | None
    ci_low: float | None
    ci_high: float | None
    p_value: float | None
    n: int
    note: str


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def direction_auc(
    values: Floats, direct: Booleans, weights: Floats, min_items: int
) -> tuple[float | None, Floats | None, str]:
    """Return the AUC that larger values mean `direct`, its bootstrap samples, and a note where there is none.

    Args:
        values: The predictor, shape ``(items,)``.
        direct: Whether each item is `direct`, else `semantic_pivot`.
        weights: How often each item is in each resample, shape ``(resamples, items)``.
        min_items: Fewest items of each class.
    """
    notes = []
    n_direct, n_pivot = int(direct.sum()), int((~direct).sum())
    if min(n_direct, n_pivot) < min_items:
        notes.append(f"fewer than {min_items} items of a class")
    if values.size and np.isnan(values).all():
        notes.append("occurrences have no units to take it over")
    elif values.size and np.ptp(values) == 0:
        notes.append("predictor constant")
    if notes:
        return None, None, "; ".join(notes)
    return auc(values, direct), weighted_auc(values, direct, weights), ""


def predict_behaviour(items: CountedItems, min_items: int, resamples: int, seed: int) -> list[Auc]:
    """Compute the AUC of every predictor, rule, item set and direction, and its mean over the directions.

    Concepts are resampled jointly: an item counts as often as its concept is drawn, in every direction alike. The
    row of direction ``all`` is the mean of the AUCs within directions that exist, so that differences between
    directions cannot pass for prediction (docs/method.md#attribution).

    Args:
        items: Traced and counted items.
        min_items: Fewest items of each class for an AUC.
        resamples: Bootstrap resamples.
        seed: Seed of the bootstrap.
    """
    compared = _Compared(items, cluster_weights(items.concepts, resamples, seed), min_items)
    rows = []
    for rule, behaviour in items.behaviours.items():
        for name in ITEM_SETS:
            usable = items.chosen(name) & ((behaviour == DIRECT) | (behaviour == PIVOT))
            for predictor in PREDICTORS:
                rows += _over_directions(compared, rule, name, predictor, usable)
    return rows


@dataclass(frozen=True)
class _Compared:
    """Items and how AUCs are computed of them.

    Attributes:
        items: Traced and counted items.
        drawn: How often each concept is in each resample, shape ``(resamples, concepts)``.
        min_items: Fewest items of each class for an AUC.
    """

    items: CountedItems
    drawn: Floats
    min_items: int


def _over_directions(compared: _Compared, rule: str, name: str, predictor: str, usable: Booleans) -> list[Auc]:
    items = compared.items
    values, is_direct = items.predictors.named(predictor), items.behaviours[rule] == DIRECT
    rows: list[Auc] = []
    estimates, samples, n_direct, n_pivot, constant = [], [], 0, 0, 0
    for place, direction in enumerate(items.directions):
        there = np.flatnonzero(usable & (items.direction == place))
        direct = is_direct[there]
        weights = compared.drawn[:, items.concept[there]]
        estimate, sample, note = direction_auc(values[there], direct, weights, compared.min_items)
        counts = int(direct.sum()), int((~direct).sum())
        ends = (float("nan"), float("nan"))
        if estimate is not None and sample is not None:
            estimates.append(estimate)
            samples.append(sample)
            n_direct, n_pivot = n_direct + counts[0], n_pivot + counts[1]
            ends = percentile_interval(sample)
        constant += "predictor constant" in note
        rows.append(Auc(*direction, rule, name, predictor, estimate, _number(ends[0]), _number(ends[1]), *counts, note))
    note = f"mean of {len(estimates)} of {len(items.directions)} directions"
    if not estimates:
        note = "predictor constant in every direction" if constant == len(rows) and rows else "no direction has an AUC"
        return [*rows, Auc(ALL, ALL, rule, name, predictor, None, None, None, 0, 0, note)]
    low, high = percentile_interval(_mean_of_numbers(np.stack(samples)))
    mean = float(np.mean(estimates))
    pooled = Auc(ALL, ALL, rule, name, predictor, mean, _number(low), _number(high), n_direct, n_pivot, note)
    return [*rows, pooled]


def _mean_of_numbers(values: Floats) -> Floats:
    """Return the mean over the first axis without NaN; NaN where nothing is left."""
    there = ~np.isnan(values)
    total, count = np.where(there, values, 0.0).sum(axis=0), there.sum(axis=0)
    means: Floats = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return means


def joint_beyond_marginals(items: CountedItems, min_items: int) -> list[DirectionTest]:
    """Test whether joint frequency says more than the words' own frequencies and the target's number of tokens.

    A likelihood-ratio test of logistic regressions of `direct` against `semantic_pivot`, by rule, item set and
    direction.

    Args:
        items: Traced and counted items.
        min_items: Fewest items of each class.
    """
    found = items.predictors
    others = np.column_stack([found.log_source, found.log_target, items.n_target_tokens.astype(np.float64)])
    rows = []
    for rule, behaviour in items.behaviours.items():
        for name in ITEM_SETS:
            usable = items.chosen(name) & ((behaviour == DIRECT) | (behaviour == PIVOT))
            for place, direction in enumerate(items.directions):
                there = np.flatnonzero(usable & (items.direction == place))
                direct = behaviour[there] == DIRECT
                if min(int(direct.sum()), int((~direct).sum())) < min_items:
                    result = Tested(None, None, there.size, f"fewer than {min_items} items of a class")
                else:
                    result = added_predictor_test(found.log_joint[there], others[there], direct)
                rows.append(_tested(direction, "joint_beyond_marginals", rule, name, result))
    return rows


def joint_and_score(items: CountedItems, resamples: int, seed: int) -> list[DirectionTest]:
    """Correlate log joint frequency with the word-translation score, by Spearman's rank correlation.

    Intervals resample concepts jointly over the directions. The row of direction ``all`` is the mean of the
    correlations within directions; it has no p-value.

    Args:
        items: Traced and counted items; those spelled alike and those without a score are left out.
        resamples: Bootstrap resamples.
        seed: Seed of the bootstrap.
    """
    drawn = cluster_weights(items.concepts, resamples, seed)
    rows, estimates, samples, total = [], [], [], 0
    for place, direction in enumerate(items.directions):
        there = np.flatnonzero(items.chosen("all") & (items.direction == place) & ~np.isnan(items.score))
        joint, score = items.predictors.log_joint[there], items.score[there]
        result = spearman(joint, score)
        if not there.size:
            result = result._replace(note="no item has a score")
        ends = (float("nan"), float("nan"))
        if result.statistic is not None:
            sample = weighted_spearman(joint, score, drawn[:, items.concept[there]])
            ends = percentile_interval(sample)
            estimates.append(result.statistic)
            samples.append(sample)
            total += there.size
        rows.append(_tested(direction, "spearman_joint_score", "", ALL, result, ends))
    if estimates:
        note = f"mean of {len(estimates)} of {len(items.directions)} directions"
        result = Tested(float(np.mean(estimates)), None, total, note)
        ends = percentile_interval(_mean_of_numbers(np.stack(samples)))
        rows.append(_tested((ALL, ALL), "spearman_joint_score", "", ALL, result, ends))
    return rows


def _tested(
    direction: tuple[str, str],
    test: str,
    rule: str,
    item_set: str,
    result: Tested,
    ends: tuple[float, float] = (float("nan"), float("nan")),
) -> DirectionTest:
    low, high = (_number(end) for end in ends)
    return DirectionTest(
        *direction, test, rule, item_set, result.statistic, low, high, result.p_value, result.n, result.note
    )
