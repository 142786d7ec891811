"""The difference of two sides, task by task and metric by metric (docs/method.md#comparing)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pivotlens.arrays import Booleans, Floats
from pivotlens.comparison.pairing import Pair, Sides, left_out_note, paired
from pivotlens.comparison.sides import Side
from pivotlens.errors import ConfigError
from pivotlens.statistics.multiple_testing import holm
from pivotlens.statistics.paired import Clustered, clustered, detectable_difference, mcnemar_p, unpaired_p

ALPHA, POWER = 0.05, 0.8
MCNEMAR, SIGN_FLIP = "mcnemar", "sign_flip"


@dataclass(frozen=True)
class Difference:
    """How much higher the second side is in a metric: its mean over documents minus the first one's.

    NaN where a figure cannot be had, such as a standard error of one cluster.

    Attributes:
        task: The task; of a mean over several tasks their family.
        tasks: How many tasks it is over.
        metric: The metric.
        n: Documents that both sides have a value for.
        clusters: Of how many clusters they are.
        first: The first side's mean; over several tasks the mean of the tasks' means.
        second: The second one's.
        difference: ``second - first``.
        ci_low: Lower end of its 95 % interval.
        ci_high: Upper end.
        test: Which of the tests below ``p_value`` is: ``mcnemar``, or ``sign_flip`` by cluster.
        p_value: Of that test.
        p_holm: The same, adjusted over the tasks that were compared in this metric; over the families, for means.
        p_unpaired: Of the z-test that takes the sides as independent.
        p_mcnemar: Of McNemar's exact test, which takes documents as independent; NaN unless all values are 0 or 1.
        p_sign_flip: Of the sign-flip test over clusters.
        p_t: Of the paired t-test over clusters.
        detectable: Smallest difference that would have been found with a power of 80 % at 5 %.
        comparable: Whether the metric means the same for both sides.
    """

    task: str
    tasks: int
    metric: str
    n: int
    clusters: int
    first: float
    second: float
    difference: float
    ci_low: float
    ci_high: float
    test: str
    p_value: float
    p_holm: float
    p_unpaired: float
    p_mcnemar: float
    p_sign_flip: float
    p_t: float
    detectable: float
    comparable: bool = True


@dataclass(frozen=True)
class LeftOut:
    """Documents of a task that only one side has, by name."""

    task: str
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """Two sides, compared on the documents that both have.

    Attributes:
        first: Name of the side that is compared with.
        second: Of the other one.
        rows: A row a task and metric, and one a family of several tasks and metric.
        left_out: Documents that only one side has, where there are any.
        notes: What the reader must know.
    """

    first: str
    second: str
    rows: tuple[Difference, ...]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class HowCompared:
    """What is compared, and how.

    Attributes:
        tasks: Those that are compared; all of both sides when empty.
        metrics: Likewise.
        any_prompt: Whether documents may have been asked in other words.
        bootstrap: Resamples of the intervals.
        seed: Of all that is drawn.
    """

    tasks: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    any_prompt: bool = False
    bootstrap: int = 1000
    seed: int = 0


def compare_sides(first: Side, second: Side, how: HowCompared | None = None) -> Comparison:
    """Compare two sides on the documents that both have.

    Args:
        first: The side to compare with.
        second: The side that is compared.
        how: What is compared, and how.

    Raises:
        ConfigError: They have no task, document or metric in common, or were asked otherwise.
    """
    how = how or HowCompared()
    sides = Sides(first, second)
    pairs, notes = paired(sides, how.tasks, how.any_prompt)
    notes = [*first.notes, *second.notes, *notes]
    rows: list[Difference] = []
    families = dict.fromkeys(pair.first.family for pair in pairs)
    for family in families:
        of_family = [pair for pair in pairs if pair.first.family == family]
        for pair in of_family:
            rows += [_difference([pair], metric, how) for metric in _metrics(pair, sides, how.metrics)]
            notes += [*pair.notes, *left_out_note(pair, first.name, second.name)]
        if len(of_family) > 1:
            common = [_metrics(pair, sides, how.metrics) for pair in of_family]
            rows += [
                _difference(sorted(of_family, key=lambda pair: pair.task), metric, how)
                for metric in common[0]
                if all(metric in others for others in common)
            ]
    if not rows:
        raise ConfigError(
            f"{sides.named()} have no metric of those asked for ({', '.join(how.metrics)}) in common: "
            f"{_known(pairs[0], sides)}",
            "Name a metric of both.",
        )
    if any(not row.comparable for row in rows):
        notes.append(
            "The two cut answers into different tokens. Score averages over tokens, so it is not comparable between "
            "them: read probability share, margin and the accuracies."
        )
    left_out = tuple(
        LeftOut(pair.task, pair.only_first, pair.only_second) for pair in pairs if pair.only_first or pair.only_second
    )
    return Comparison(first.name, second.name, tuple(with_holm(rows)), left_out, tuple(dict.fromkeys(notes)))


def with_holm(rows: Sequence[Difference]) -> Iterator[Difference]:
    """Yield the rows with adjusted p-values: over single tasks of a metric, and apart from them over families."""
    found: dict[int, float] = {}
    groups: dict[tuple[str, bool], list[int]] = {}
    for place, row in enumerate(rows):
        groups.setdefault((row.metric, row.tasks > 1), []).append(place)
    for places in groups.values():
        for place, value in zip(places, holm(np.array([rows[at].p_value for at in places])), strict=True):
            found[place] = float(value)
    return (replace(row, p_holm=found[place]) for place, row in enumerate(rows))


def _metrics(pair: Pair, sides: Sides, wanted: Sequence[str]) -> list[str]:
    common = [name for name in pair.first.metrics if name in pair.second.metrics and (not wanted or name in wanted)]
    common = [name for name in common if _both(pair, name).any()]
    if not common and not wanted:
        raise ConfigError(f"{sides.named()} have no metric of {pair.task} in common: {_known(pair, sides)}",
                          "Evaluate both with the same version of the task.")  # fmt: skip
    return common


def _known(pair: Pair, sides: Sides) -> str:
    both = ((sides.first.name, pair.first), (sides.second.name, pair.second))
    return "; ".join(f"{name} has {', '.join(values.metrics) or 'none'}" for name, values in both)


def _both(pair: Pair, metric: str) -> Booleans:
    """Tell which documents have a value on both sides, shape ``(documents,)``."""
    sides = (side.metrics[metric] for side in (pair.first, pair.second))
    first, second = (np.isfinite(values).all(axis=1) for values in sides)
    return np.asarray(first & second)


def _difference(pairs: Sequence[Pair], metric: str, how: HowCompared) -> Difference:
    kept = [np.flatnonzero(_both(pair, metric)).tolist() for pair in pairs]
    first, second = (
        [
            (pair.first if side == 0 else pair.second).metrics[metric][rows]
            for pair, rows in zip(pairs, kept, strict=True)
        ]
        for side in (0, 1)
    )
    clusters = [pair.first.documents[row].cluster for pair, rows in zip(pairs, kept, strict=True) for row in rows]
    tasks = [number for number, rows in enumerate(kept) for _ in rows]
    before, after = np.concatenate(first), np.concatenate(second)
    change = clustered(after - before, clusters, tasks)
    interval = change.interval(how.bootstrap, how.seed)
    means = [float(np.mean([values.mean() for values in side])) for side in (first, second)]
    flipped = change.sign_flip_p(how.seed)
    exact = mcnemar_p(before[:, 0] == 1, after[:, 0] == 1) if _is_binary(before) and _is_binary(after) else math.nan
    single = len(pairs) == 1 and change.clusters == len(before)
    test = MCNEMAR if single and not math.isnan(exact) else SIGN_FLIP
    return Difference(
        task=pairs[0].task if len(pairs) == 1 else pairs[0].first.family,
        tasks=len(pairs),
        metric=metric,
        n=len(before),
        clusters=change.clusters,
        first=means[0],
        second=means[1],
        difference=means[1] - means[0],
        ci_low=interval.low,
        ci_high=interval.high,
        test=test,
        p_value=exact if test == MCNEMAR else flipped,
        p_holm=math.nan,
        p_unpaired=unpaired_p(means[1] - means[0], *(_independent_error(side) for side in (first, second))),
        p_mcnemar=exact,
        p_sign_flip=flipped,
        p_t=change.t_p(),
        detectable=_detectable(change),
        comparable=all(_same_tokens(pair, metric) for pair in pairs),
    )


def _is_binary(values: Floats) -> bool:
    return values.shape[1] == 1 and bool(np.isin(values, (0.0, 1.0)).all())


def _independent_error(values: Sequence[Floats]) -> float:
    """Return the standard error of a mean over tasks, all documents independent: what the harness takes them to be."""
    errors = [one.mean(axis=1).std(ddof=1) / math.sqrt(len(one)) if len(one) > 1 else math.nan for one in values]
    return math.hypot(*errors) / len(errors)


def _detectable(change: Clustered) -> float:
    return detectable_difference(change.standard_error(), change.clusters - 1, ALPHA, POWER)


def _same_tokens(pair: Pair, metric: str) -> bool:
    """Tell whether a metric means the same for both: where tokens are known, that answers were cut into as many."""
    if metric not in pair.first.token_metrics & pair.second.token_metrics:
        return True
    both = zip(pair.first.documents, pair.second.documents, strict=True)
    return all(None in (one.tokens, two.tokens) or one.tokens == two.tokens for one, two in both)
