"""What the layers of a direction say on average: masses of the token sets and entropy, with bootstrap bands."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from pivotlens.statistics.bootstrap import bootstrap_columns

FIGURES = ("entropy", "mass_target", "mass_source", "mass_english", "mass_pivots", "mass_random")
"""Columns of ``trace/layers`` that are averaged."""

_LABELS = ("model", "prompt", "source_language", "target_language")


def profile_rows(layers: pa.Table, bootstrap: int, seed: int) -> list[dict[str, Any]]:
    """Return the ``trace/profiles`` rows of one model, prompt and direction; a figure that no item has has none.

    Args:
        layers: Rows of ``trace/layers``, of one shot set.
        bootstrap: Resamples of the items.
        seed: Of the resampling.
    """
    if layers.num_rows == 0:
        return []
    labels = layers.select(_LABELS).slice(0, 1).to_pylist()[0]
    concepts = layers["concept_id"].combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False)
    numbers, layer_of = np.unique(layers["layer"].to_numpy(), return_inverse=True)
    rows = []
    for figure in FIGURES:
        values = np.full((int(concepts.max()) + 1, len(numbers)), np.nan)
        values[concepts, layer_of] = layers[figure].cast(pa.float64()).to_numpy()
        if np.isnan(values).all():
            continue
        n = (~np.isnan(values)).sum(axis=0)
        for place, found in enumerate(zip(*bootstrap_columns(values, bootstrap, seed), strict=True)):
            mean, low, high = (None if np.isnan(value) else float(value) for value in found)
            of = {**labels, "figure": figure, "layer": int(numbers[place]), "n": int(n[place])}
            rows.append(of | {"mean": mean, "ci_low": low, "ci_high": high})
    return rows
