"""How much more often two things occur together than chance would have it.

All functions take counts of units: ``joint`` holds both things, ``left`` and ``right`` hold one each, ``total`` is all
units. Arrays of any shapes that broadcast; results are float64 and never infinite.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy

Floats = npt.NDArray[np.float64]


def _counts(*values: npt.ArrayLike) -> tuple[Floats, ...]:
    return tuple(np.broadcast_arrays(*(np.asarray(value, dtype=np.float64) for value in values)))


def _checked(
    joint: npt.ArrayLike, left: npt.ArrayLike, right: npt.ArrayLike, total: npt.ArrayLike
) -> tuple[Floats, ...]:
    k, a, b, n = _counts(joint, left, right, total)
    # Counts scaled up from a sample carry rounding errors, hence the tolerance.
    slack = 1e-9 * np.maximum(n, 1.0)
    if not np.all((k >= 0) & (k <= np.minimum(a, b) + slack) & (np.maximum(a, b) <= n + slack)):
        raise ValueError("counts must satisfy 0 <= joint <= left, right <= total")
    return k, a, b, n


def pmi(joint: npt.ArrayLike, left: npt.ArrayLike, right: npt.ArrayLike, total: npt.ArrayLike) -> Floats:
    """Return pointwise mutual information in nats, ``log(joint·total / (left·right))`` (Church and Hanks 1990).

    Returns:
        NaN where ``joint`` is 0: the logarithm does not exist there.

    Raises:
        ValueError: The counts contradict each other.
    """
    k, a, b, n = _checked(joint, left, right, total)
    there = k > 0
    one = np.ones_like(k)
    values = np.log(np.where(there, k, one) / np.where(there, a, one)) + np.log(
        np.where(there, n, one) / np.where(there, b, one)
    )
    return np.where(there, values, np.nan)


def npmi(joint: npt.ArrayLike, left: npt.ArrayLike, right: npt.ArrayLike, total: npt.ArrayLike) -> Floats:
    """Return normalised pointwise mutual information, ``pmi / −log(joint/total)`` (Bouma 2009).

    Returns:
        Values in −1..1: −1 where ``joint`` is 0 (also where one of the two never occurs), 0 where they are
        independent, 1 where neither occurs without the other; 0 where both are in every unit, which says nothing.

    Raises:
        ValueError: The counts contradict each other.
    """
    k, _, _, n = _checked(joint, left, right, total)
    information = -np.log(np.where(k > 0, k, 1.0) / np.where(k > 0, n, 1.0))
    usable = (k > 0) & (information > 0)
    values = np.divide(pmi(joint, left, right, total), information, out=np.zeros(k.shape), where=usable)
    return np.where(k > 0, np.clip(values, -1.0, 1.0), -1.0)


def signed_llr(
    both: npt.ArrayLike, first_only: npt.ArrayLike, second_only: npt.ArrayLike, neither: npt.ArrayLike
) -> Floats:
    """Return Dunning's log-likelihood ratio of a 2×2 table, ``2 Σ O·log(O/E)`` (Dunning 1993), with a sign.

    Args:
        both: Cell (1, 1) of the table.
        first_only: Cell (1, 2).
        second_only: Cell (2, 1).
        neither: Cell (2, 2).

    Returns:
        Positive where the two occur together more often than chance, negative where less often; 0 where a margin of
        the table is 0. An observed 0 contributes 0, the limit of ``x·log x``.

    Raises:
        ValueError: A cell is negative or not a number.
    """
    cells = np.stack(_counts(both, first_only, second_only, neither))
    if not np.all(cells >= 0):
        raise ValueError("the cells of a 2×2 table must not be negative")
    k11, k12, k21, k22 = cells
    total = np.where(cells.sum(axis=0) > 0, cells.sum(axis=0), 1.0)
    expected = np.stack(
        [
            (k11 + k12) * ((k11 + k21) / total),
            (k11 + k12) * ((k12 + k22) / total),
            (k21 + k22) * ((k11 + k21) / total),
            (k21 + k22) * ((k12 + k22) / total),
        ]
    )
    there = (cells > 0) & (expected > 0)
    ratio = np.divide(cells, expected, out=np.ones_like(cells), where=there)
    statistic = np.maximum(2.0 * (cells * np.log(ratio)).sum(axis=0), 0.0)
    # Rounding leaves a tiny number where observed and expected agree, and the p-value would magnify it.
    statistic = np.where(k11 * k22 == k12 * k21, 0.0, statistic)
    return np.asarray(np.where(k11 >= expected[0], statistic, -statistic), dtype=np.float64)


def chi2_p_value(statistic: npt.ArrayLike) -> Floats:
    """Return the p-value of a likelihood-ratio statistic, one degree of freedom (Wilks 1938); the sign is ignored."""
    return np.asarray(
        scipy.special.erfc(np.sqrt(np.abs(np.asarray(statistic, dtype=np.float64)) / 2)), dtype=np.float64
    )


def npmi_lower(
    sampled_joint: npt.ArrayLike,
    sampled: npt.ArrayLike,
    left: npt.ArrayLike,
    right: npt.ArrayLike,
    total: npt.ArrayLike,
    level: float = 0.95,
) -> Floats:
    """Return the lower end of the parametric bootstrap interval of NPMI.

    The joint count is known from a sample of the ``left`` units: ``k`` of ``n`` hold the right thing too, which stands
    for ``k·left/n`` units. The bootstrap draws ``k* ~ Binomial(n, k/n)`` and leaves the margins alone. NPMI grows
    with the joint count, so its percentile is NPMI at the percentile of ``k*``: the value to which resampling
    converges, without drawing.

    Args:
        sampled_joint: ``k``.
        sampled: ``n``, at least 1.
        left: All units with the left thing.
        right: All units with the right thing.
        total: All units.
        level: Coverage of the two-sided interval.

    Returns:
        Values in −1..1.
    """
    k, n, a = _counts(sampled_joint, sampled, left)
    low = np.asarray(scipy.stats.binom.ppf((1 - level) / 2, n, k / n), dtype=np.float64)
    return npmi(np.maximum(low, 0.0) * (a / n), left, right, total)


def binomial_exceeds(sampled_joint: npt.ArrayLike, sampled: npt.ArrayLike, share: npt.ArrayLike) -> Floats:
    """Return the probability that ``k*/n > share`` under ``k* ~ Binomial(n, k/n)``.

    With the right thing's share of all units for ``share`` it is the share of parametric bootstrap resamples in
    which NPMI is positive.

    Args:
        sampled_joint: ``k``.
        sampled: ``n``, at least 1.
        share: A share in 0..1.
    """
    k, n, threshold = _counts(sampled_joint, sampled, share)
    return np.asarray(scipy.stats.binom.sf(np.floor(n * threshold), n, k / n), dtype=np.float64)
