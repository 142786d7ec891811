"""Keeping the share of false discoveries low among many tests."""

from __future__ import annotations

import numpy as np

from pivotlens.arrays import Floats


def benjamini_hochberg(p_values: Floats, tests: int | None = None) -> Floats:
    """Return q-values: the smallest false discovery rate at which each test is a discovery.

    With p sorted upwards, ``q_(i) = min over j >= i of p_(j)·m/j`` (Benjamini and Hochberg 1995).

    Args:
        p_values: Shape ``(n,)``.
        tests: How many tests were made, ``m >= n``; those that are not given count as p = 1. Leaving out every p above
            a rate changes no q-value up to that rate.

    Returns:
        q-values, shape ``(n,)``, in the order given.

    Raises:
        ValueError: A p-value is not in 0..1, or ``tests`` is too small.
    """
    p = np.asarray(p_values, dtype=np.float64)
    m = p.size if tests is None else tests
    if m < p.size:
        raise ValueError(f"{tests} tests cannot have {p.size} p-values")
    if not np.all((p >= 0) & (p <= 1)):
        raise ValueError("p-values must lie between 0 and 1")
    if p.size == 0:
        return p
    order = np.argsort(p, kind="stable")
    scaled = p[order] * (m / np.arange(1, p.size + 1))
    q = np.empty_like(p)
    q[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return q
