"""What pivots are: in which language, how linked with the concept, at which layer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from pivotlens.trace.behaviours import SEMANTIC_PIVOT

Row = dict[str, Any]
_RULES = ("calibrated", "calibrated_linked", "onset")
_COLUMNS = ("model", "prompt", "source_language", "target_language", "rule")


def pivot_rows(behaviours: Sequence[Row]) -> list[Row]:
    """Return the rows of ``trace/pivots``: tokens that the default rules call pivots, of shot set 0, counted.

    A token's languages are those in which it is a word linked with the concept, joined by ``+``; its relation is the
    closest one. ``share`` is among the pivots of the direction under the rule.
    """
    counts: Counter[tuple[Any, ...]] = Counter()
    totals: Counter[tuple[Any, ...]] = Counter()
    for row in behaviours:
        if row["behaviour"] == SEMANTIC_PIVOT and row["shot_set"] == 0 and row["rule"] in _RULES:
            group = tuple(row[name] for name in _COLUMNS)
            totals[group] += 1
            counts[*group, "+".join(row["languages"] or ()), row["relation"] or "", row["layer"]] += 1
    return [
        dict(zip((*_COLUMNS, "languages", "relation", "layer"), key, strict=True))
        | {"n": count, "share": count / totals[key[: len(_COLUMNS)]]}
        for key, count in sorted(counts.items())
    ]
