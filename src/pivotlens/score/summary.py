"""Directions: from items to figures with intervals, all together and by stratum."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from pivotlens.arrays import Booleans, Floats
from pivotlens.score.items import ScoredDirection, ScoredItems
from pivotlens.score.tiers import TierMeasures, tier_measures, tiers_of
from pivotlens.statistics.bootstrap import Interval, bootstrap_mean

Values = Callable[[ScoredDirection], Floats]

ITEM_SETS = ("all", "different_spelling")
# Every figure: its values of one direction, of shape (items, shot_sets) or (items, 1).
FIGURES: dict[str, Values] = {
    "score": lambda one: one.measures.score,
    "probability_share": lambda one: one.measures.probability_share,
    "margin": lambda one: one.measures.margin,
    "accuracy_10way": lambda one: one.measures.accuracy,
    "accuracy_generated": lambda one: one.correct[:, None],
}


def summarise(scored: ScoredItems, bootstrap: int, seed: int) -> list[dict[str, Any]]:
    """Return the rows of ``score/summary``: each direction and all of them, with and without same-spelling items.

    Intervals resample concepts jointly over directions, and shot sets with replacement within each resample.

    Args:
        scored: Items of one model under one prompt.
        bootstrap: Resamples.
        seed: Of the resampling.
    """
    rows = []
    for item_set in ITEM_SETS:
        for directions, pair in groups(scored.directions):
            labels = item_labels(scored, pair)
            kept = [kept_items(one, item_set) for one in directions]
            found = {
                name: _mean([values(one) for one in directions], kept, bootstrap, seed)
                for name, values in FIGURES.items()
            }
            line = [one.line_probability_share for one in directions]
            rows.append(
                {
                    **labels,
                    "item_set": item_set,
                    "n": int(sum(mask.sum() for mask in kept)),
                    "score": found["score"].value,
                    "ci_low": found["score"].low,
                    "ci_high": found["score"].high,
                    "probability_share_line": None
                    if any(share is None for share in line)
                    else _mean(line, kept, bootstrap, seed).value,  # type: ignore[arg-type]
                    **_with_ends(found, ("probability_share", "margin", "accuracy_10way", "accuracy_generated")),
                }
            )
    return rows


def strata(scored: ScoredItems, bootstrap: int, seed: int) -> list[dict[str, Any]]:
    """Return the rows of ``score/strata``: items by part of speech and frequency band, distractors by tier.

    In a tier, score and margin are against the distractors of that tier alone, and ``accuracy_pairwise`` is the share
    of them that the right source word beats (ties count half), which does not depend on how many there are.

    Args:
        scored: Items of one model under one prompt.
        bootstrap: Resamples.
        seed: Of the resampling.
    """
    rows = []
    for directions, pair in groups(scored.directions):
        labels = item_labels(scored, pair)
        for stratum, value, mask in _item_strata(scored):
            kept = [mask] * len(directions)
            found = {
                name: _mean([values(one) for one in directions], kept, bootstrap, seed)
                for name, values in FIGURES.items()
            }
            rows.append(_stratum_row(labels, stratum, value, int(mask.sum()) * len(directions), found))
        for tier in tiers_of(scored.concepts):
            measured = [tier_measures(one.sum_logprob, one.measures, scored.concepts, tier) for one in directions]
            kept = [one.present for one in measured]
            found = {
                name: _mean([values(one) for one in measured], kept, bootstrap, seed)
                for name, values in _TIER_FIGURES.items()
            }
            count = int(sum(mask.sum() for mask in kept))
            rows.append(_stratum_row(labels, "tier", str(tier), count, found))
    return rows


_TIER_FIGURES: dict[str, Callable[[TierMeasures], Floats]] = {
    "score": lambda one: one.score,
    "margin": lambda one: one.margin,
    "accuracy_pairwise": lambda one: one.beaten,
}
_STRATUM_FIGURES = ("probability_share", "margin", "accuracy_10way", "accuracy_pairwise", "accuracy_generated")


def _stratum_row(
    labels: dict[str, str], stratum: str, value: str, count: int, found: dict[str, Interval]
) -> dict[str, Any]:
    absent = dict.fromkeys(_STRATUM_FIGURES)
    return {
        **labels,
        "stratum": stratum,
        "value": value,
        "n": count,
        "score": found["score"].value,
        "ci_low": found["score"].low,
        "ci_high": found["score"].high,
        **absent,
        **{name: interval.value for name, interval in found.items() if name in absent},
    }


def _item_strata(scored: ScoredItems) -> Iterator[tuple[str, str, Booleans]]:
    attributes: dict[str, list[str | None]] = {
        "pos": [concept.pos for concept in scored.concepts],
        "band": [concept.band for concept in scored.concepts],
    }
    for stratum, given in attributes.items():
        for value in sorted({one for one in given if one}):
            yield stratum, value, np.array([one == value for one in given])


def groups(directions: Sequence[ScoredDirection]) -> Iterator[tuple[Sequence[ScoredDirection], tuple[str, str]]]:
    """Yield each direction alone and, where there are several, all of them, with its source and target language."""
    for one in directions:
        yield [one], (one.direction.source, one.direction.target)
    if len(directions) > 1:
        yield directions, ("all", "all")


def kept_items(one: ScoredDirection, item_set: str) -> Booleans:
    """Tell which items are in an item set of `ITEM_SETS`; shape ``(items,)``."""
    return np.ones(len(one.correct), dtype=bool) if item_set == "all" else ~one.same_spelling


def stacked(values: Sequence[Floats], kept: Sequence[Booleans]) -> Floats:
    """Stack a figure's values over directions, shape ``(items, directions, shot_sets)``, NaN where not kept."""
    return np.stack([np.where(mask[:, None], array, np.nan) for array, mask in zip(values, kept, strict=True)], axis=1)


def item_labels(scored: ScoredItems, pair: tuple[str, str]) -> dict[str, str]:
    """Return the columns that every row begins with."""
    return {"model": scored.model, "prompt": scored.prompt, "source_language": pair[0], "target_language": pair[1]}


def _mean(values: Sequence[Floats], kept: Sequence[Booleans], bootstrap: int, seed: int) -> Interval:
    return bootstrap_mean(stacked(values, kept), bootstrap, seed)


def _with_ends(found: dict[str, Interval], names: Sequence[str]) -> dict[str, float]:
    columns: dict[str, float] = {}
    for name in names:
        columns |= {name: found[name].value, f"{name}_low": found[name].low, f"{name}_high": found[name].high}
    return columns
