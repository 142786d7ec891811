"""How far labels agree: between rules, between lenses, between shot sets (Cohen 1960, Educ. Psychol. Meas. 20:37)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from pivotlens.arrays import Floats
from pivotlens.statistics.bootstrap import percentile_interval, resample_indices
from pivotlens.statistics.kappa import cohen_kappa
from pivotlens.trace.behaviours import SEMANTIC_PIVOT

Key = tuple[str, str, str]
Labels = Mapping[Key, str]
Row = dict[str, Any]


def labels_of(behaviours: Iterable[Row], model: str, prompt: str) -> dict[tuple[str, int], dict[Key, str]]:
    """Return each item's label by rule and shot set; items are (source language, target language, concept)."""
    found: dict[tuple[str, int], dict[Key, str]] = {}
    for row in behaviours:
        if (row["model"], row["prompt"]) == (model, prompt):
            key = (row["source_language"], row["target_language"], row["concept_id"])
            found.setdefault((row["rule"], row["shot_set"]), {})[key] = row["behaviour"]
    return found


def agreement_rows(
    raw: Mapping[tuple[str, int], Labels], tuned: Mapping[tuple[str, int], Labels], bootstrap: int, seed: int
) -> Iterator[Row]:
    """Yield the rows of ``trace/agreement``, over all directions: pairs of rules, of lenses, and of shot sets.

    ``kappa`` is over the labels as they are, ``kappa_pivot`` over semantic pivot or not. Intervals resample concepts.

    Args:
        raw: Labels by rule and shot set.
        tuned: The same under the tuned lens; empty where there is none.
        bootstrap: Resamples.
        seed: Of the resampling.
    """
    rules = list(dict.fromkeys(rule for rule, shot_set in raw if shot_set == 0))
    sets = sorted({shot_set for _, shot_set in raw})
    pairs = [("rules", one, other, raw[one, 0], raw[other, 0]) for one, other in combinations(rules, 2)]
    pairs += [("lenses", f"{rule}, raw", f"{rule}, tuned", raw[rule, 0], tuned[rule, 0]) for rule in rules if tuned]
    pairs += [
        ("shot sets", f"{rule}, set 0", f"{rule}, set {other}", raw[rule, 0], raw[rule, other])
        for rule in rules
        for other in sets[1:]
    ]
    for kind, first, second, one, other in pairs:
        keys = [key for key in one if key in other]
        a, b = [one[key] for key in keys], [other[key] for key in keys]
        full = _with_interval(keys, a, b, bootstrap, seed)
        pivot = _with_interval(
            keys, [label == SEMANTIC_PIVOT for label in a], [label == SEMANTIC_PIVOT for label in b], bootstrap, seed
        )
        yield {
            "kind": kind,
            "first": first,
            "second": second,
            "n": len(keys),
            "agreement": float(np.mean([x == y for x, y in zip(a, b, strict=True)])) if keys else None,
            **dict(zip(("kappa", "kappa_low", "kappa_high"), full, strict=True)),
            **dict(zip(("kappa_pivot", "kappa_pivot_low", "kappa_pivot_high"), pivot, strict=True)),
        }


def _with_interval(
    keys: Sequence[Key], first: Sequence[object], second: Sequence[object], bootstrap: int, seed: int
) -> tuple[float | None, float | None, float | None]:
    if not keys:
        return None, None, None
    names = {label: number for number, label in enumerate(dict.fromkeys([*first, *second]))}
    concepts, place = np.unique([key[2] for key in keys], return_inverse=True)
    # One table of counts a concept: a resample of concepts adds them up.
    tables = np.zeros((len(concepts), len(names), len(names)))
    numbers = [np.array([names[label] for label in side]) for side in (first, second)]
    np.add.at(tables, (place, *numbers), 1.0)
    drawn = resample_indices(len(concepts), bootstrap, seed)
    weights: Floats = np.zeros((bootstrap, len(concepts)))
    np.add.at(weights, (np.arange(bootstrap)[:, None], drawn), 1.0)
    estimate = float(cohen_kappa(tables.sum(axis=0)))
    low, high = percentile_interval(cohen_kappa(np.tensordot(weights, tables, axes=1)))
    return _known(estimate), _known(low), _known(high)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value


def agreement_between_shot_sets(labels: Mapping[tuple[str, int], Labels]) -> float | None:
    """Return the share of items, under the default rule, with the label of shot set 0 in every other set.

    None where only one shot set was traced.
    """
    first = labels["calibrated", 0]
    pairs = [
        (first[key], label)
        for (rule, shot_set), found in labels.items()
        if rule == "calibrated" and shot_set
        for key, label in found.items()
    ]
    return sum(one == other for one, other in pairs) / len(pairs) if pairs else None
