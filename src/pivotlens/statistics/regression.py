"""Logistic regression without a penalty, its likelihood-ratio test, and rank correlation with its bootstrap."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy

from pivotlens.statistics.association import chi2_p_value

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]

_MAX_STEPS = 100
_TOLERANCE = 1e-10


class Tested(NamedTuple):
    """A test's statistic and p-value, or two None and the reason why there are none."""

    statistic: float | None
    p_value: float | None
    n: int
    note: str


class LogisticFit(NamedTuple):
    """Coefficients, shape ``(columns,)``, and the log-likelihood in nats."""

    coefficients: Floats
    log_likelihood: float
    converged: bool


def independent_columns(design: Floats) -> list[int]:
    """Return the columns, from the left, that are not a linear combination of those before them.

    Args:
        design: Shape ``(n, columns)``.
    """
    kept: list[int] = []
    basis = np.zeros((design.shape[0], 0))
    for column in range(design.shape[1]):
        values = design[:, column]
        size = float(np.linalg.norm(values))
        # Two rounds of Gram-Schmidt: one alone loses accuracy where columns are nearly parallel.
        rest = values - basis @ (basis.T @ values)
        rest = rest - basis @ (basis.T @ rest)
        left = float(np.linalg.norm(rest))
        if left > 1e-9 * size and left > 0:
            kept.append(column)
            basis = np.column_stack([basis, rest / left])
    return kept


def separates(design: Floats, outcome: Booleans) -> bool:
    """Tell whether some combination of the columns parts the classes, entirely or with ties on the border.

    Then the likelihood has no maximum (Albert and Anderson 1984); found by a linear program (Konis 2007).

    Args:
        design: Shape ``(n, columns)``, of full rank, with the intercept's column.
        outcome: Shape ``(n,)``.
    """
    signed = np.where(outcome, 1.0, -1.0)[:, None] * design
    result = scipy.optimize.linprog(
        -signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(len(signed)), bounds=(-1.0, 1.0), method="highs"
    )
    return bool(-result.fun > 1e-7)


def logistic_fit(design: Floats, outcome: Booleans) -> LogisticFit:
    """Fit a logistic regression by maximum likelihood: Newton's method with step halving.

    Args:
        design: Shape ``(n, columns)``, of full rank, with the intercept's column.
        outcome: Shape ``(n,)``.
    """
    target = outcome.astype(np.float64)
    beta = np.zeros(design.shape[1])

    def log_likelihood(coefficients: Floats) -> float:
        linear = design @ coefficients
        return float((target * linear - np.logaddexp(0.0, linear)).sum())

    current = log_likelihood(beta)
    for _ in range(_MAX_STEPS):
        probability = np.exp(-np.logaddexp(0.0, -(design @ beta)))
        gradient = design.T @ (target - probability)
        information = (design * (probability * (1 - probability))[:, None]).T @ design
        step = np.linalg.lstsq(information, gradient, rcond=None)[0]
        if float(gradient @ step) < _TOLERANCE:
            # The last step squares the error that is left.
            return LogisticFit(beta + step, max(log_likelihood(beta + step), current), converged=True)
        size = 1.0
        while (new := log_likelihood(beta + size * step)) < current and size > 1e-8:
            size /= 2
        beta, current = beta + size * step, max(new, current)
    return LogisticFit(beta, current, converged=False)


def added_predictor_test(added: Floats, others: Floats, outcome: Booleans) -> Tested:
    """Test whether a predictor adds anything to others in a logistic regression (likelihood ratio, Wilks 1938).

    Args:
        added: Shape ``(n,)``.
        others: Shape ``(n, columns)`` without an intercept, which is always in; columns that are constant or follow
            from those before them are left out.
        outcome: Shape ``(n,)``.

    Returns:
        Statistic ``2·(log L₁ − log L₀)`` and its p-value with one degree of freedom; None with a note where a class is
        empty, the predictor follows from the others, or the classes are separated.
    """
    n = outcome.size
    if n == 0 or outcome.all() or not outcome.any():
        return Tested(None, None, n, "only one class")
    if np.ptp(added) == 0:
        return Tested(None, None, n, "predictor constant")
    columns = np.column_stack([others, added]).astype(np.float64)
    # The scale of a column changes neither likelihood nor rank, but it does change rounding.
    varies = np.ptp(columns, axis=0) > 0
    spread = np.where(varies, columns.std(axis=0), 1.0)
    columns = np.where(varies, (columns - columns.mean(axis=0)) / spread, 0.0)
    design = np.column_stack([np.ones(n), columns])
    kept = independent_columns(design)
    if design.shape[1] - 1 not in kept:
        return Tested(None, None, n, "predictor follows from the others")
    if len(kept) >= n:
        return Tested(None, None, n, f"{n} items are too few for {len(kept)} coefficients")
    full = design[:, kept]
    if separates(full, outcome):
        return Tested(None, None, n, "classes are separated: the likelihood has no maximum")
    large, small = logistic_fit(full, outcome), logistic_fit(full[:, :-1], outcome)
    if not (large.converged and small.converged):
        return Tested(None, None, n, "the fit did not converge")
    statistic = max(2 * (large.log_likelihood - small.log_likelihood), 0.0)
    return Tested(statistic, float(chi2_p_value(statistic)), n, "")


def spearman(first: Floats, second: Floats) -> Tested:
    """Return Spearman's rank correlation with its two-sided p-value (Student's t with n − 2 degrees of freedom).

    Args:
        first: Shape ``(n,)``; no NaN.
        second: Shape ``(n,)``.

    Returns:
        The correlation of midranks; None with a note where there are fewer than 3 items or one side is constant.
    """
    n = first.size
    if n < 3:
        return Tested(None, None, n, "fewer than 3 items")
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return Tested(None, None, n, "predictor constant" if np.ptp(first) == 0 else "outcome constant")
    a, b = (scipy.stats.rankdata(values) - (n + 1) / 2 for values in (first, second))
    rho = float(np.clip((a @ b) / np.sqrt((a @ a) * (b @ b)), -1.0, 1.0))
    if 1 - rho * rho <= 0:
        return Tested(rho, 0.0, n, "")
    t = abs(rho) * np.sqrt((n - 2) / (1 - rho * rho))
    return Tested(rho, float(2 * scipy.special.stdtr(n - 2, -t)), n, "")


def weighted_spearman(first: Floats, second: Floats, weights: Floats) -> Floats:
    """Return Spearman's rank correlation of each of many reweightings of the same items.

    An item of weight 3 stands for three equal items: midranks and their correlation are those of the repeated items.

    Args:
        first: Shape ``(n,)``; no NaN.
        second: Shape ``(n,)``.
        weights: Shape ``(resamples, n)``: how often each item is there.

    Returns:
        Shape ``(resamples,)``; NaN where one side is constant among the items that are there.
    """
    if first.size == 0:
        return np.full(weights.shape[0], np.nan)
    centre = (weights.sum(axis=1, keepdims=True) + 1) / 2
    a, b = (_weighted_midranks(values, weights) - centre for values in (first, second))
    spread = (weights * a * a).sum(axis=1) * (weights * b * b).sum(axis=1)
    # Midranks are whole or half numbers, so that a constant side has a spread of exactly 0.
    joint = (weights * a * b).sum(axis=1)
    found: Floats = np.divide(joint, np.sqrt(spread), out=np.full(joint.shape, np.nan), where=spread > 0)
    return np.clip(found, -1.0, 1.0)


def _weighted_midranks(values: Floats, weights: Floats) -> Floats:
    """Return the midrank of every item in every reweighting, shape ``(resamples, n)``."""
    order = np.argsort(values, kind="stable")
    new = np.r_[True, np.diff(values[order]) > 0]
    sizes = np.add.reduceat(weights[:, order], np.flatnonzero(new), axis=1)
    ranks_of_groups = np.cumsum(sizes, axis=1) - (sizes - 1) / 2
    group = np.empty(values.size, dtype=np.int64)
    group[order] = np.cumsum(new) - 1
    ranks: Floats = ranks_of_groups[:, group]
    return ranks
