"""Wrong answers by kind and behaviour (docs/method.md#wrong-answers): do items that pivot fail otherwise?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pivotlens.arrays import Booleans
from pivotlens.statistics.bootstrap import Interval, percentile_interval, resample_indices
from pivotlens.trace.agreement import Labels
from pivotlens.trace.summary import TracedItems, direction_groups
from pivotlens.translation.failures import FAILURES

RULE = "calibrated"
ALL = "all"
Row = dict[str, Any]


def failure_rows(traced: TracedItems, labels: Mapping[tuple[str, int], Labels], bootstrap: int, seed: int) -> list[Row]:
    """Return the ``trace/failures`` rows: of the wrong answers with a behaviour, the share of each kind.

    Shares are over the items of a group of directions together, since few of one direction may be wrong; intervals
    resample concepts.

    Args:
        traced: The items.
        labels: Of the items, by rule and shot set; the default rule's of shot set 0 are read.
        bootstrap: Resamples.
        seed: Of the resampling.
    """
    failures = traced.fact("failure")
    behaviours = traced.grid(labels.get((RULE, 0), {}), "")
    rows = []
    for group, chosen in direction_groups(traced).items():
        found, shown = failures[:, chosen], behaviours[:, chosen]
        wrong = np.isin(found, FAILURES)
        for behaviour in (ALL, *sorted(set(shown[wrong].tolist()))):
            mask = wrong if behaviour == ALL else wrong & (shown == behaviour)
            for kind in FAILURES:
                of_kind = mask & (found == kind)
                if of_kind.any():
                    share = _share(of_kind, mask, bootstrap, seed)
                    part = {"direction_group": group, "rule": RULE, "behaviour": behaviour, "failure": kind}
                    counted = {"n": int(of_kind.sum()), "items": int(mask.sum()), "share": share.value}
                    rows.append({**traced.labels(), **part, **counted, "ci_low": share.low, "ci_high": share.high})
    return rows


def _share(part: Booleans, whole: Booleans, bootstrap: int, seed: int) -> Interval:
    """Return the share of a part of items, each of shape ``(concepts, directions)``."""
    drawn = resample_indices(len(whole), bootstrap, seed)
    counts, totals = (mask.sum(axis=1)[drawn].sum(axis=1).astype(np.float64) for mask in (part, whole))
    shares = np.divide(counts, totals, out=np.full(len(drawn), np.nan), where=totals > 0)
    return Interval(float(part.sum() / whole.sum()), *percentile_interval(shares))
