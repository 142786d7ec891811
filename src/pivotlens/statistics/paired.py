"""Two models on the same documents: standard error, tests, and the smallest difference that could have been found."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.optimize import brentq

from pivotlens.arrays import Booleans, Floats
from pivotlens.statistics.bootstrap import Interval, bootstrap_sums
from pivotlens.statistics.sign_flip import sign_flip_p


@dataclass(frozen=True)
class Clustered:
    """Figures of documents summed by cluster, of one task or several (docs/method.md#comparing).

    Attributes:
        sums: Of the documents' values, shape ``(clusters, tasks, sets)``; 0 where there is none.
        counts: Documents behind each, shape ``(clusters, tasks)``; every cluster has one.
    """

    sums: Floats
    counts: Floats

    @property
    def clusters(self) -> int:
        """How many clusters there are."""
        return len(self.counts)

    @property
    def tasks(self) -> int:
        """How many tasks there are."""
        return int(self.counts.shape[1])

    def parts(self) -> Floats:
        """Return what each cluster adds to the mean over tasks of the means over documents, shape ``(clusters,)``."""
        added: Floats = (self.sums.mean(axis=2) / self.counts.sum(axis=0)).sum(axis=1) / self.tasks
        return added

    def standard_error(self) -> float:
        """Return the cluster-robust standard error of that mean; NaN with fewer than two clusters.

        With S and n as sum and count of a cluster c in a task d, m the task's mean, N its documents and D the tasks:
        ``g_c = Σ_d (S_cd − m_d·n_cd) / (N_d·D)`` and ``SE² = C/(C−1) · Σ_c g_c²`` (the clustered error of Miller 2024,
        arXiv 2411.00640, for a mean over tasks). Clusters of one document give s/√n.
        """
        if self.clusters < 2:
            return math.nan
        sums, total = self.sums.mean(axis=2), self.counts.sum(axis=0)
        apart = (sums - sums.sum(axis=0) / total * self.counts) / total
        residuals = apart.sum(axis=1) / self.tasks
        return math.sqrt(self.clusters / (self.clusters - 1) * float(residuals @ residuals))

    def interval(self, resamples: int, seed: int) -> Interval:
        """Return the mean with its bootstrap interval over clusters, and sets where there are several."""
        return bootstrap_sums(self.sums, self.counts, resamples, seed)

    def sign_flip_p(self, seed: int) -> float:
        """Return the p-value of the sign-flip test that flips a cluster as a whole."""
        return sign_flip_p(self.parts(), seed)

    def t_p(self) -> float:
        """Return the two-sided p-value of the paired t-test, with one degree of freedom fewer than clusters.

        NaN where all clusters differ alike, or there is only one.
        """
        error = self.standard_error()
        if not error > 0:
            return math.nan
        return float(2 * stats.t.sf(abs(self.parts().sum()) / error, self.clusters - 1))


def clustered(values: Floats, clusters: list[str], tasks: list[int]) -> Clustered:
    """Sum values by cluster and task.

    Args:
        values: Of each document, shape ``(documents, sets)``; no NaN.
        clusters: The cluster of each; clusters stand in the order of their first documents.
        tasks: The number of its task, from 0.
    """
    place = {name: row for row, name in enumerate(dict.fromkeys(clusters))}
    rows, columns = np.array([place[name] for name in clusters]), np.array(tasks)
    shape = (len(place), int(columns.max()) + 1)
    sums, counts = np.zeros((*shape, values.shape[1])), np.zeros(shape)
    np.add.at(sums, (rows, columns), values)
    np.add.at(counts, (rows, columns), 1.0)
    return Clustered(sums, counts)


def mcnemar_p(first: Booleans, second: Booleans) -> float:
    """Return the exact two-sided p-value of McNemar's test (McNemar 1947; the binomial of the documents that differ).

    Args:
        first: Whether each document came out right, shape ``(documents,)``.
        second: The same of the other side.

    >>> mcnemar_p(np.array([True] * 6), np.array([False] * 6))
    0.03125
    """
    lost, won = int((first & ~second).sum()), int((~first & second).sum())
    return min(1.0, float(2 * stats.binom.cdf(min(lost, won), lost + won, 0.5))) if lost + won else 1.0


def unpaired_p(difference: float, first_error: float, second_error: float) -> float:
    """Return the two-sided p-value of the z-test that takes the two sides as independent; NaN without any variance.

    It is what the harness's ``model_comparator`` computes: ``z = d / √(SE₁² + SE₂²)``.
    """
    error = math.hypot(first_error, second_error)
    return float(2 * stats.norm.sf(abs(difference) / error)) if error > 0 else math.nan


def detectable_difference(standard_error: float, degrees: int, alpha: float = 0.05, power: float = 0.8) -> float:
    """Return the smallest true difference that a two-sided paired t-test finds, with its sign, at the given power.

    ``δ = λ·SE`` where λ is the noncentrality at which ``P(T' > t) = power``, T' being noncentral t with ``degrees``
    and t the critical value (Cohen 1988, *Statistical Power Analysis*, ch. 2); for many documents λ is
    ``z_0.975 + z_0.8 = 2.80`` (docs/method.md#smallest-detectable-difference).

    Args:
        standard_error: Of the paired difference.
        degrees: Degrees of freedom, clusters minus 1.
        alpha: Level of the test.
        power: Chance to find it.

    Returns:
        In the unit of the standard error; NaN where that is not above 0, or there is no degree of freedom.
    """
    if not standard_error > 0 or degrees < 1:
        return math.nan
    critical = float(stats.t.isf(alpha / 2, degrees))

    def beyond(noncentrality: float) -> float:
        return float(stats.nct.sf(critical, degrees, noncentrality)) - power

    upper = critical + 2
    while beyond(upper) < 0:
        upper *= 1.5
    return standard_error * float(brentq(beyond, 0.0, upper))
