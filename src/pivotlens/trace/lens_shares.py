"""What the raw and the tuned lens say on average: of the layers, and of the share of semantic pivots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pivotlens.arrays import Floats
from pivotlens.statistics.bootstrap import bootstrap_mean
from pivotlens.text import ENGLISH
from pivotlens.trace.agreement import Key, Labels
from pivotlens.trace.behaviours import SEMANTIC_PIVOT

Row = dict[str, Any]

FIGURES = (
    "same_top", "kl_to_final_raw", "kl_to_final_tuned", "target_prob_raw", "target_prob_tuned", "mass_english_raw",
    "mass_english_tuned",
)  # fmt: skip
"""Columns of ``trace/lenses`` that are averaged."""


def lens_layer_rows(lenses: Sequence[Row]) -> list[Row]:
    """Return the ``trace/lens_layers`` rows: means over the directions and shot sets that have a figure.

    Args:
        lenses: Rows of ``trace/lenses``, of any models and prompts.
    """
    groups: dict[tuple[str, str, int], list[Row]] = {}
    for row in lenses:
        groups.setdefault((row["model"], row["prompt"], row["layer"]), []).append(row)
    return [
        {"model": model, "prompt": prompt, "layer": layer, "n": sum(row["n"] for row in rows)}
        | {figure: _mean([row[figure] for row in rows if row[figure] is not None]) for figure in FIGURES}
        for (model, prompt, layer), rows in groups.items()
    ]


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def lens_share_rows(
    raw: Mapping[tuple[str, int], Labels], tuned: Mapping[tuple[str, int], Labels], bootstrap: int, seed: int
) -> list[Row]:
    """Return the ``trace/lens_shares`` rows: the share of semantic pivots among the items that both lenses read.

    `direction_group` is ``neither_english``, or ``all``. A share is the mean over the directions, of shot set 0;
    intervals resample concepts.

    Args:
        raw: Labels by rule and shot set.
        tuned: The same under the tuned lens; empty where there is none.
        bootstrap: Resamples.
        seed: Of the resampling.
    """
    rows = []
    for directions in ("neither_english", "all"):
        for rule, shot_set in tuned:
            both = raw.get((rule, shot_set), {})
            keys = [
                key for key in tuned[rule, shot_set] if key in both and (directions == "all" or ENGLISH not in key[:2])
            ]
            if shot_set == 0 and keys:
                row: Row = {"direction_group": directions, "rule": rule, "n": len(keys)}
                for lens, labels in (("raw", both), ("tuned", tuned[rule, shot_set])):
                    share = bootstrap_mean(_grid(keys, labels), bootstrap, seed)
                    row |= {lens: share.value, f"{lens}_low": share.low, f"{lens}_high": share.high}
                rows.append(row)
    return rows


def _grid(keys: Sequence[Key], labels: Labels) -> Floats:
    """Return whether each item is a semantic pivot, shape ``(concepts, directions, 1)``, NaN for absent ones."""
    concepts = {name: place for place, name in enumerate(dict.fromkeys(key[2] for key in keys))}
    directions = {pair: place for place, pair in enumerate(dict.fromkeys(key[:2] for key in keys))}
    values = np.full((len(concepts), len(directions), 1), np.nan)
    for key in keys:
        values[concepts[key[2]], directions[key[:2]], 0] = labels[key] == SEMANTIC_PIVOT
    return values
