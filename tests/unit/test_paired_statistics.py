"""Paired tests and the smallest detectable difference, held against scipy, statsmodels and slow loops."""

import math

import numpy as np
import pytest
import statsmodels.api as statsmodels
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

from pivotlens.statistics.bootstrap import bootstrap_mean, resample_indices
from pivotlens.statistics.multiple_testing import holm
from pivotlens.statistics.paired import clustered, detectable_difference, mcnemar_p, unpaired_p


@pytest.fixture(scope="module")
def drawn():
    """Two models on 300 documents, right or wrong, and their log-probabilities."""
    random = np.random.default_rng(7)
    ease = random.normal(size=300)
    first, second = (ease + random.normal(shift, 0.7, size=300) for shift in (0.0, 0.15))
    return first, second


def alone(values, documents):
    return clustered(values[:, None], [str(one) for one in range(documents)], [0] * documents)


def test_mcnemar_is_that_of_statsmodels(drawn):
    first, second = (values > 0 for values in drawn)
    table = [[int((one & other).sum()) for other in (second, ~second)] for one in (first, ~first)]
    assert mcnemar_p(first, second) == pytest.approx(mcnemar(table, exact=True).pvalue, rel=1e-12)
    lost, won = table[0][1], table[1][0]
    assert mcnemar_p(first, second) == pytest.approx(stats.binomtest(lost, lost + won).pvalue, rel=1e-12)
    assert mcnemar_p(first, first) == 1.0
    assert mcnemar_p(np.array([True, False]), np.array([False, True])) == 1.0


def test_without_clusters_t_and_error_are_those_of_scipy(drawn):
    first, second = drawn
    found = alone(second - first, 300)
    assert found.t_p() == pytest.approx(stats.ttest_rel(second, first).pvalue, rel=1e-10)
    assert found.standard_error() == pytest.approx(stats.sem(second - first), rel=1e-12)
    assert found.interval(1000, 0).value == pytest.approx((second - first).mean())


def test_clusters_of_one_size_are_as_if_their_means_were_documents(drawn):
    difference = drawn[1] - drawn[0]
    found = clustered(difference[:, None], [str(one // 3) for one in range(300)], [0] * 300)
    means = difference.reshape(100, 3).mean(axis=1)
    assert found.clusters == 100
    assert found.standard_error() == pytest.approx(stats.sem(means), rel=1e-12)
    assert found.t_p() == pytest.approx(stats.ttest_1samp(means, 0).pvalue, rel=1e-10)


def test_the_error_over_clusters_is_that_of_statsmodels(drawn):
    difference, random = drawn[1] - drawn[0], np.random.default_rng(0)
    groups = random.integers(0, 60, size=300)
    found = clustered(difference[:, None], [str(one) for one in groups], [0] * 300)
    fit = statsmodels.OLS(difference, np.ones(300)).fit(
        cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
    )
    clusters = len(set(groups))
    assert found.standard_error() == pytest.approx(fit.bse[0] * math.sqrt(clusters / (clusters - 1)), rel=1e-10)


def test_a_mean_over_tasks_keeps_a_clusters_tasks_together(drawn):
    """Twins in two tasks: as wide as one task alone, where independent tasks would be narrower by √2."""
    difference = drawn[1] - drawn[0]
    names = [str(one) for one in range(300)]
    twice = np.concatenate([difference, difference])[:, None]
    together = clustered(twice, names * 2, [0] * 300 + [1] * 300)
    apart = clustered(twice, [*names, *(f"{name}'" for name in names)], [0] * 300 + [1] * 300)
    one = alone(difference, 300)
    assert together.standard_error() == pytest.approx(one.standard_error())
    assert together.interval(500, 0) == pytest.approx(one.interval(500, 0))
    assert apart.standard_error() == pytest.approx(one.standard_error() / math.sqrt(2), rel=0.01)
    assert together.sign_flip_p(0) == one.sign_flip_p(0)


def test_the_cluster_bootstrap_is_a_loop_over_resamples(drawn):
    difference, random = drawn[1] - drawn[0], np.random.default_rng(1)
    groups = [str(one) for one in random.integers(0, 40, size=300)]
    tasks = random.integers(0, 2, size=300).tolist()
    found = clustered(difference[:, None], groups, tasks).interval(200, 5)
    order = list(dict.fromkeys(groups))
    means = []
    for rows in resample_indices(len(order), 200, 5):
        picked = [[at for at in range(300) if groups[at] == order[row]] for row in rows]
        of = [[difference[at] for of_cluster in picked for at in of_cluster if tasks[at] == task] for task in (0, 1)]
        means.append(np.mean([np.mean(values) for values in of]))
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(means, [0.025, 0.975])), rel=1e-9)


def test_concepts_and_their_shot_sets_give_what_the_score_stage_gives():
    values = np.random.default_rng(2).normal(size=(30, 3, 4))
    flat = values.transpose(1, 0, 2).reshape(90, 4)
    names, tasks = [str(one) for one in range(30)] * 3, [task for task in range(3) for _ in range(30)]
    assert clustered(flat, names, tasks).interval(300, 9) == pytest.approx(bootstrap_mean(values, 300, 9))


def test_holm_is_that_of_statsmodels():
    random = np.random.default_rng(3)
    for size in (1, 2, 7, 40):
        p = random.uniform(size=size) ** 3
        assert holm(p) == pytest.approx(multipletests(p, method="holm")[1], rel=1e-12)
    assert holm(np.array([])).size == 0
    with pytest.raises(ValueError):
        holm(np.array([0.5, float("nan")]))


@pytest.mark.parametrize(
    ("documents", "power"), [(3, 0.8), (20, 0.8), (20, 0.95), (500, 0.8), (15_000, 0.8), (15_000, 0.95)]
)
def test_the_detectable_difference_is_that_of_statsmodels(documents, power):
    spread = 0.4
    effect = TTestPower().solve_power(nobs=documents, alpha=0.05, power=power)
    found = detectable_difference(spread / math.sqrt(documents), documents - 1, power=power)
    assert found == pytest.approx(effect * spread, rel=1e-4)


@pytest.mark.parametrize(("documents", "power"), [(2, 0.8), (2, 0.95), (3, 0.95)])
def test_the_detectable_difference_of_very_few_documents(documents, power):
    """Where the search of statsmodels ends nowhere: the noncentral t itself, drawn."""
    found = detectable_difference(1 / math.sqrt(documents), documents - 1, power=power)
    draws = np.random.default_rng(5).normal(found, 1, size=(40_000, documents))
    t = draws.mean(axis=1) / (draws.std(axis=1, ddof=1) / math.sqrt(documents))
    assert (t > stats.t.isf(0.025, documents - 1)).mean() == pytest.approx(power, abs=0.01)


def test_the_detectable_difference_is_found_as_often_as_it_says():
    random, documents = np.random.default_rng(4), 40
    found = detectable_difference(1 / math.sqrt(documents), documents - 1)
    draws = random.normal(found, 1, size=(4000, documents))
    assert (stats.ttest_1samp(draws, 0, axis=1).pvalue < 0.05).mean() == pytest.approx(0.8, abs=0.025)


def test_what_cannot_be_told_is_nan():
    same = alone(np.zeros(5), 5)
    assert (same.standard_error(), same.sign_flip_p(0)) == (0.0, 1.0)
    assert math.isnan(same.t_p())
    assert math.isnan(alone(np.ones(1), 1).standard_error())
    assert math.isnan(detectable_difference(0.0, 10))
    assert math.isnan(detectable_difference(float("nan"), 0))
    assert math.isnan(unpaired_p(0.1, 0.0, 0.0))


def test_the_unpaired_test_is_the_harnesss_formula():
    assert unpaired_p(0.05, 0.02, 0.03) == pytest.approx(2 * stats.norm.sf(0.05 / math.sqrt(0.02**2 + 0.03**2)))
