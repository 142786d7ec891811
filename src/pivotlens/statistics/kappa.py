"""Agreement beyond chance."""

from __future__ import annotations

import numpy as np

from pivotlens.arrays import Floats


def cohen_kappa(table: Floats) -> Floats:
    """Return Cohen's kappa of two raters (Cohen 1960, Educational and Psychological Measurement 20:37).

    ``(observed − expected) / (1 − expected)``, where the expected agreement is that of independent raters with the
    same margins.

    Args:
        table: How often the first rater gave the row's label and the second the column's, shape
            ``(…, labels, labels)``.

    Returns:
        Shape ``(…)``; NaN where there is no item, or where both always give the same one label.

    >>> round(float(cohen_kappa(np.array([[20.0, 5.0], [10.0, 15.0]]))), 3)
    0.4
    """
    total = table.sum(axis=(-2, -1))
    safe = np.where(total > 0, total, 1.0)
    observed = np.trace(table, axis1=-2, axis2=-1) / safe
    expected = (table.sum(axis=-1) * table.sum(axis=-2)).sum(axis=-1) / safe**2
    known = (total > 0) & (expected < 1)
    return np.where(known, (observed - expected) / np.where(known, 1 - expected, 1.0), np.nan)
