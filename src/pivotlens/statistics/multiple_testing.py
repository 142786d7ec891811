"""Many tests: keeping the share of false discoveries low, or the chance of any."""

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


def holm(p_values: Floats) -> Floats:
    """Return adjusted p-values: the smallest level at which each test is rejected, the chance of any error kept to it.

    With p sorted upwards, ``p'_(i) = min(1, max over j <= i of (m − j + 1)·p_(j))`` (Holm 1979, Scand. J. Stat. 6:65).

    Args:
        p_values: Shape ``(n,)``, float64.

    Returns:
        Adjusted p-values, shape ``(n,)``, in the order given.

    Raises:
        ValueError: A p-value is not in 0..1.

    >>> holm(np.array([0.01, 0.04, 0.03])).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=np.float64)
    if not np.all((p >= 0) & (p <= 1)):
        raise ValueError("p-values must lie between 0 and 1")
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * (p.size - np.arange(p.size))), 1.0)
    return adjusted
