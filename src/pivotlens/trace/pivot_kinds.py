"""What pivots are: in which language, how linked with the concept, at which layer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from pivotlens.text import Direction
from pivotlens.trace.behaviours import SEMANTIC_PIVOT
from pivotlens.trace.pivot_languages import LANGUAGE_KINDS
from pivotlens.trace.summary import TracedItems, direction_groups, shares

Row = dict[str, Any]
_RULES = ("calibrated", "calibrated_linked", "onset")
_COLUMNS = ("model", "prompt", "source_language", "target_language", "rule")


def pivot_rows(behaviours: Sequence[Row]) -> list[Row]:
    """Return the rows of ``trace/pivots``: tokens that the default rules call pivots, of shot set 0, counted.

    A token's ``pivot_language`` is what it is written in (`pivotlens.trace.pivot_languages`); its languages are those
    in which it is a word linked with the concept, joined by ``+``; its relation is the closest one. ``share`` is among
    the pivots of the direction under the rule.
    """
    counts: Counter[tuple[Any, ...]] = Counter()
    totals: Counter[tuple[Any, ...]] = Counter()
    for row in behaviours:
        if row["behaviour"] == SEMANTIC_PIVOT and row["shot_set"] == 0 and row["rule"] in _RULES:
            group = tuple(row[name] for name in _COLUMNS)
            totals[group] += 1
            linked = "+".join(row["languages"] or ())
            counts[*group, row["pivot_language"], linked, row["relation"] or "", row["layer"]] += 1
    return [
        dict(zip((*_COLUMNS, "pivot_language", "languages", "relation", "layer"), key, strict=True))
        | {"n": count, "share": count / totals[key[: len(_COLUMNS)]]}
        for key, count in sorted(counts.items())
    ]


def pivot_language_rows(traced: TracedItems, behaviours: Sequence[Row], bootstrap: int, seed: int) -> list[Row]:
    """Return the rows of ``trace/pivot_languages``: the share of semantic pivots split by what they are written in.

    Of a rule's items the shares of all `LANGUAGE_KINDS` add up to that of semantic pivots. They are means over the
    directions of a group, or of one direction; intervals resample concepts.

    Args:
        traced: The items.
        behaviours: Rows of ``trace/behaviours``, of any models and wordings.
        bootstrap: Resamples.
        seed: Of the resampling.
    """
    kinds: dict[str, dict[tuple[str, str, str], str]] = {}
    for row in behaviours:
        if (row["model"], row["prompt"], row["shot_set"]) == (traced.model, traced.prompt, 0):
            kind = row["pivot_language"] if row["behaviour"] == SEMANTIC_PIVOT else ""
            kinds.setdefault(row["rule"], {})[row["source_language"], row["target_language"], row["concept_id"]] = kind
    one_each = {str(Direction(*one)): [other == one for other in traced.directions] for one in traced.directions}
    different = ~traced.fact("same_spelling").astype(bool)
    rows = []
    for rule, of_items in kinds.items():
        grid = traced.grid(of_items, "")
        for name, chosen in (direction_groups(traced) | one_each).items():
            for items, mask in (("all", np.ones_like(different)), ("different_spelling", different)):
                for share in shares(grid[:, chosen], mask[:, chosen], LANGUAGE_KINDS, bootstrap, seed):
                    kind = share.pop("behaviour")
                    part = {"directions": name, "items": items, "rule": rule, "pivot_language": kind}
                    rows.append({**traced.labels(), **part, **share})
    return rows
