"""Estimates with the ends of their intervals, as the marks take them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from pivotlens.arrays import Floats
from pivotlens.report.wording import number, percent

Estimate = Sequence[float] | float | None
"""A figure: (value, low, high), the value alone, or None; NaN stands for what is missing."""


def estimates(values: Sequence[Estimate] | Floats) -> Floats:
    """Return figures as an array.

    Args:
        values: Figures in any of their forms, or arrays of shape ``(n,)`` or ``(n, 3)``.

    Returns:
        Value, low and high, shape ``(n, 3)``; NaN where there is none.

    Raises:
        ValueError: A figure is neither one number nor three.
    """
    made = np.full((len(values), 3), math.nan)
    for row, value in zip(made, values, strict=True):
        parts = np.atleast_1d(np.asarray([] if value is None else value, np.float64))
        if len(parts) not in (0, 1, 3):
            raise ValueError(f"a figure is a value, or a value with two ends, not {value!r}")
        row[: len(parts)] = parts
    return made


def said(row: Floats, *, share: bool = False) -> str:
    """Return ``value [low, high]``, without the ends where there are none, or ``none``."""
    write = percent if share else number
    value, low, high = (float(part) for part in row)
    if math.isnan(value):
        return "none"
    return write(value) if math.isnan(low + high) else f"{write(value)} [{write(low)}, {write(high)}]"
