"""Wrong answers by kind: of each item, and how often of each direction (docs/method.md#wrong-answers)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pivotlens.score.items import ScoredItems
from pivotlens.score.summary import ITEM_SETS, groups, item_labels, kept_items, stacked
from pivotlens.statistics.bootstrap import bootstrap_mean
from pivotlens.text import Direction
from pivotlens.translation.failures import FAILURES, FailureKinds

ItemFailures = Mapping[Direction, list[str | None]]
"""Of each direction, the kind of each item's wrong answer; None where the answer is right."""


def item_failures(scored: ScoredItems, kinds: FailureKinds) -> ItemFailures:
    """Return the kinds of the wrong answers of one model under one prompt."""
    return {
        one.direction: [
            None if right else kinds.kind(answer, concept, one.direction)
            for concept, answer, right in zip(scored.concepts, one.generated, one.correct, strict=True)
        ]
        for one in scored.directions
    }


def failure_rows(scored: ScoredItems, failures: ItemFailures, bootstrap: int, seed: int) -> list[dict[str, Any]]:
    """Return the rows of ``score/failures``: the share of each kind among all items, right ones too.

    Shares over several directions are means over them; intervals resample concepts jointly. A kind that no item of a
    direction shows has no row.

    Args:
        scored: Items of one model under one prompt.
        failures: Of these items.
        bootstrap: Resamples.
        seed: Of the resampling.
    """
    rows = []
    for item_set in ITEM_SETS:
        for directions, pair in groups(scored.directions):
            kept = [kept_items(one, item_set) for one in directions]
            found = [np.array(failures[one.direction], dtype=object) for one in directions]
            for kind in FAILURES:
                count = int(sum((of[mask] == kind).sum() for of, mask in zip(found, kept, strict=True)))
                if count:
                    values = [(of == kind).astype(np.float64)[:, None] for of in found]
                    share = bootstrap_mean(stacked(values, kept), bootstrap, seed)
                    counted = {"failure": kind, "n": count, "items": int(sum(mask.sum() for mask in kept))}
                    ends = {"share": share.value, "ci_low": share.low, "ci_high": share.high}
                    rows.append({**item_labels(scored, pair), "item_set": item_set, **counted, **ends})
    return rows
