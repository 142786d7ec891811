"""Every fast statistic against its slow, obvious twin."""

from math import isnan, log

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from pivotlens.statistics.association import binomial_exceeds, chi2_p_value, npmi, npmi_lower, signed_llr
from pivotlens.statistics.auc import auc, cluster_weights, weighted_auc
from pivotlens.statistics.bootstrap import resample_indices
from pivotlens.statistics.multiple_testing import benjamini_hochberg
from pivotlens.statistics.proportion import wilson_lower
from pivotlens.statistics.regression import (
    added_predictor_test,
    independent_columns,
    logistic_fit,
    separates,
    spearman,
)

small = st.integers(0, 30)
labelled = st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=1, max_size=25)


def slow_auc(scores, positive):
    pairs = [(p, n) for p, is_p in zip(scores, positive, strict=True) if is_p
             for n, is_n in zip(scores, positive, strict=True) if not is_n]  # fmt: skip
    if not pairs:
        return float("nan")
    return sum(1.0 if p > n else 0.5 if p == n else 0.0 for p, n in pairs) / len(pairs)


@given(labelled)
def test_auc_equals_counting_pairs(items):
    scores = np.array([float(score) for score, _ in items])
    positive = np.array([label for _, label in items])
    expected = slow_auc(scores, positive)
    np.testing.assert_allclose(auc(scores, positive), expected)
    np.testing.assert_allclose(weighted_auc(scores, positive, np.ones((1, len(items))))[0], expected)
    if positive.any() and not positive.all():
        u = scipy.stats.mannwhitneyu(scores[positive], scores[~positive]).statistic
        assert u / (positive.sum() * (~positive).sum()) == pytest.approx(expected)


@given(labelled, st.integers(0, 5))
def test_bootstrapped_auc_equals_resampling_the_items(items, seed):
    scores = np.array([float(score) for score, _ in items])
    positive = np.array([label for _, label in items])
    fast = weighted_auc(scores, positive, cluster_weights(len(items), 5, seed))
    for value, drawn in zip(fast, resample_indices(len(items), 5, seed), strict=True):
        np.testing.assert_allclose(value, slow_auc(scores[drawn], positive[drawn]))


@given(small, small, small, small)
def test_llr_equals_scipy_and_a_loop(a, b, c, d):
    n = a + b + c + d
    slow = 0.0
    if n:
        for cell, row, column in ((a, a + b, a + c), (b, a + b, b + d), (c, c + d, a + c), (d, c + d, b + d)):
            slow += 2 * cell * log(cell * n / (row * column)) if cell else 0.0
    value = float(signed_llr(a, b, c, d))
    assert abs(value) == pytest.approx(max(slow, 0), abs=1e-9)
    if value:
        assert (value > 0) == (a * d > b * c) or abs(value) < 1e-9
    if min(a + b, c + d, a + c, b + d) > 0:
        found = scipy.stats.chi2_contingency([[a, b], [c, d]], correction=False, lambda_="log-likelihood")
        assert abs(value) == pytest.approx(found.statistic, abs=1e-9)
        # At the same statistic: near 0 the p-value goes with its square root, which magnifies rounding.
        assert float(chi2_p_value(found.statistic)) == pytest.approx(found.pvalue, abs=1e-9)
    if a * d == b * c:
        assert value == 0


@given(small, small, small, small)
def test_npmi_is_bounded_and_has_the_sign_of_the_association(joint, left, right, rest):
    a, b, n = joint + left, joint + right, joint + left + right + rest
    value = float(npmi(joint, a, b, n))
    assert -1 <= value <= 1
    if joint and joint < n:
        assert value == pytest.approx(log(joint * n / (a * b)) / -log(joint / n))
    if joint:
        more = float(npmi(joint + 1, a + 1, b + 1, n + 1))
        assert not isnan(more)


@given(st.integers(1, 40), st.data())
@settings(deadline=None)
def test_npmi_grows_with_the_joint_count(left, data):
    right = data.draw(st.integers(1, 40))
    total = data.draw(st.integers(max(left, right) + 1, 200))
    values = npmi(np.arange(min(left, right) + 1), left, right, total)
    assert np.all(np.diff(values) >= -1e-12)


@pytest.mark.parametrize(("k", "n", "left", "right", "total"), [(30, 100, 400, 900, 5000), (7, 2000, 2000, 60, 20000)])
def test_lower_bound_is_where_resampling_converges(k, n, left, right, total):
    drawn = np.random.default_rng(0).binomial(n, k / n, size=200_000)
    sampled = npmi(drawn * left / n, left, np.maximum(right, drawn * left / n), total)
    expected = np.quantile(sampled, 0.025, method="inverted_cdf")
    assert float(npmi_lower(k, n, left, right, total)) == pytest.approx(expected, abs=1e-12)
    assert float(binomial_exceeds(k, n, right / total)) == pytest.approx(np.mean(sampled > 0), abs=0.005)


@given(st.lists(st.floats(0, 1), max_size=30), st.integers(0, 20))
def test_q_values_equal_scipy(p_values, more):
    p = np.array(p_values, dtype=float)
    slow = np.array(
        [min([1.0, *(other * len(p) / np.sum(p <= other) for other in p if other >= value)]) for value in p]
    )
    np.testing.assert_allclose(benjamini_hochberg(p), slow)
    if p.size:
        np.testing.assert_allclose(benjamini_hochberg(p), scipy.stats.false_discovery_control(p))
    padded = benjamini_hochberg(np.r_[p, np.ones(more)])
    np.testing.assert_allclose(benjamini_hochberg(p, p.size + more), padded[: p.size])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_q_values_survive_leaving_large_p_values_out(p_values):
    p = np.array(p_values)
    full, kept = benjamini_hochberg(p), benjamini_hochberg(p[p <= 0.3], p.size)
    np.testing.assert_array_equal(full[p <= 0.3] <= 0.3, kept <= 0.3)
    np.testing.assert_allclose(kept[kept <= 0.3], full[p <= 0.3][kept <= 0.3])


@given(st.integers(0, 60), st.integers(1, 60))
def test_wilson_equals_scipy(hits, more):
    n = hits + more
    expected = scipy.stats.binomtest(hits, n).proportion_ci(method="wilson").low
    assert float(wilson_lower(hits, n)) == pytest.approx(expected, abs=1e-12)
    assert float(wilson_lower(hits, n)) <= hits / n


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=30))
def test_spearman_equals_scipy(pairs):
    first, second = np.array(pairs, dtype=float).T
    tested = spearman(first, second)
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        assert tested.statistic is None
        assert tested.note
        return
    expected = scipy.stats.spearmanr(first, second)
    assert tested.statistic == pytest.approx(expected.statistic)
    assert tested.p_value == pytest.approx(expected.pvalue, abs=1e-6)


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_logistic_regression_equals_a_general_optimiser(seed):
    rng = np.random.default_rng(seed)
    design = np.column_stack([np.ones(60), rng.normal(size=(60, 3)) * [1, 5, 0.2]])
    outcome = rng.random(60) < 1 / (1 + np.exp(-design @ [0.3, 1.0, 0.1, 0.5]))
    if separates(design, outcome):
        return
    fit = logistic_fit(design, outcome)

    def loss(beta):
        linear = design @ beta
        return float(np.logaddexp(0, linear).sum() - linear[outcome].sum())

    found = scipy.optimize.minimize(loss, np.zeros(4), method="BFGS", options={"gtol": 1e-6})
    assert fit.converged
    assert fit.log_likelihood == pytest.approx(-found.fun, abs=1e-6)
    assert fit.log_likelihood >= -found.fun - 1e-9


@given(st.integers(0, 10_000), st.integers(0, 3))
@settings(max_examples=30, deadline=None)
def test_separation_is_found_and_only_where_it_is(seed, flips):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=12)
    outcome = x > np.median(x)
    outcome[rng.permutation(12)[:flips]] ^= True
    design = np.column_stack([np.ones(12), x])
    ordered = outcome[np.argsort(x)]
    changes = int(np.sum(ordered[1:] != ordered[:-1]))
    assert separates(design, outcome) == (changes <= 1)


@given(st.integers(0, 10_000))
@settings(max_examples=30)
def test_independent_columns_have_the_rank_of_the_whole(seed):
    rng = np.random.default_rng(seed)
    base = rng.normal(size=(20, 3))
    design = np.column_stack([base, base @ rng.normal(size=(3, 2)), np.zeros(20), rng.normal(size=20)])
    kept = independent_columns(design)
    assert kept == [0, 1, 2, 6]


def test_a_predictor_that_cannot_be_tested_says_why():
    rng = np.random.default_rng(1)
    others, outcome = rng.normal(size=(30, 2)), rng.random(30) < 0.5
    assert added_predictor_test(np.ones(30), others, outcome).note == "predictor constant"
    assert added_predictor_test(others[:, 0] * 2, others, outcome).note == "predictor follows from the others"
    assert added_predictor_test(rng.normal(size=30), others, np.ones(30, bool)).note == "only one class"
    separated = added_predictor_test(outcome + 0.0, others, outcome)
    assert separated.statistic is None
    assert "separated" in separated.note


def test_constant_columns_do_not_disturb_the_test():
    rng = np.random.default_rng(2)
    added, others, outcome = rng.normal(size=50), rng.normal(size=(50, 2)), rng.random(50) < 0.5
    plain = added_predictor_test(added, others, outcome)
    padded = added_predictor_test(added, np.column_stack([others, np.full(50, 0.1), others[:, 0] * 3]), outcome)
    assert padded.statistic == pytest.approx(plain.statistic)
