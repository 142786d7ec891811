"""Statistics against numbers worked by hand."""

from math import exp, log, sqrt

import numpy as np
import pytest

from pivotlens.statistics.association import binomial_exceeds, chi2_p_value, npmi, npmi_lower, pmi, signed_llr
from pivotlens.statistics.auc import auc, weighted_auc
from pivotlens.statistics.multiple_testing import benjamini_hochberg
from pivotlens.statistics.proportion import wilson_lower
from pivotlens.statistics.regression import added_predictor_test, logistic_fit, spearman


def test_pmi_and_npmi():
    # 8 of 64 units hold both, 16 hold each: 8·64/(16·16) = 2, and the joint share is 1/8 = 2⁻³.
    assert float(pmi(8, 16, 16, 64)) == pytest.approx(log(2))
    assert float(npmi(8, 16, 16, 64)) == pytest.approx(1 / 3)
    # Independent: 4·64 = 16·16. Always together: 1. Never: −1, although a PMI does not exist.
    np.testing.assert_allclose(npmi([4, 16, 0, 0], 16, [16, 16, 16, 0], 64), [0, 1, -1, -1], atol=1e-15)
    assert np.isnan(pmi(0, 16, 16, 64))
    assert float(npmi(64, 64, 64, 64)) == 0


def test_signed_llr():
    # Table 10, 10 / 10, 70: expected 4, 16 / 16, 64.
    by_hand = 2 * (10 * log(10 / 4) + 10 * log(10 / 16) + 10 * log(10 / 16) + 70 * log(70 / 64))
    assert float(signed_llr(10, 10, 10, 70)) == pytest.approx(by_hand)
    # The rows swapped, the association turns.
    assert float(signed_llr(10, 70, 10, 10)) == pytest.approx(-by_hand)
    # Perfect association of 2 in 4: 2·4·log 2; a margin of 0 says nothing; independence is 0.
    np.testing.assert_allclose(
        signed_llr([2, 0, 0, 1], [0, 5, 0, 2], [0, 0, 0, 2], [2, 5, 0, 4]), [8 * log(2), 0, 0, 0]
    )


def test_chi2_p_value():
    # The 95 % point of chi²(1) is 1.96²; two-sided normal tails.
    np.testing.assert_allclose(chi2_p_value([0, 1.959963984540054**2, -(1.959963984540054**2)]), [1, 0.05, 0.05])


def test_npmi_lower_is_npmi_at_the_binomial_percentile():
    # 2 of 4 units, resampled: P(k* = 0) = 1/16 = 0.0625 > 0.025, so the percentile is 0 and the bound −1.
    assert float(npmi_lower(2, 4, 4, 8, 64)) == -1
    # At level 0.8 the tail is 0.1; P(k* <= 1) = 5/16, so k* = 1, scaled by 8/4: NPMI(2, 8, 8, 64).
    assert float(npmi_lower(2, 4, 8, 8, 64, level=0.8)) == pytest.approx(log(2 * 64 / 64) / log(32))
    # P(k*/4 > 1/4) = P(k* >= 2) = 11/16.
    assert float(binomial_exceeds(2, 4, 0.25)) == pytest.approx(11 / 16)
    assert float(binomial_exceeds(4, 4, 0.99)) == 1
    assert float(binomial_exceeds(4, 4, 1.0)) == 0


def test_benjamini_hochberg():
    # m = 4: p·m/rank = 0.04, 0.04, 0.05333, 0.5; minimum from the right.
    q = benjamini_hochberg(np.array([0.5, 0.01, 0.04, 0.02]))
    np.testing.assert_allclose(q, [0.5, 0.04, 0.04 * 4 / 3, 0.04])
    # A larger first value is pulled down by a later one: 0.03·2/1 = 0.06, 0.031·2/2 = 0.031.
    np.testing.assert_allclose(benjamini_hochberg(np.array([0.03, 0.031])), [0.031, 0.031])
    np.testing.assert_allclose(benjamini_hochberg(np.array([0.01, 0.02]), tests=8), [0.08, 0.08])


def test_auc():
    # Positives 3, 2; negatives 1, 2: wins 1 + 1 + 1 + ½ of 4.
    scores, positive = np.array([3.0, 2.0, 1.0, 2.0]), np.array([True, True, False, False])
    assert auc(scores, positive) == 3.5 / 4
    # The negative 1 left out: 1 + ½ of 2; the positive 2 left out: both negatives lose; no positive: nothing.
    weights = np.array([[1, 1, 1, 1], [1, 1, 0, 1], [1, 0, 1, 1], [0, 0, 1, 1]], dtype=float)
    np.testing.assert_array_equal(weighted_auc(scores, positive, weights), [0.875, 0.75, 1.0, np.nan])


def test_wilson():
    # z = 2: (p + 2/n − 2·sqrt(p(1−p)/n + 1/n²)) / (1 + 4/n), p = ½, n = 4: (½ + ½ − 2·sqrt(1/16 + 1/16)) / 2.
    assert float(wilson_lower(2, 4, z=2)) == pytest.approx((1 - sqrt(2) / 2) / 2)
    # All successes: n / (n + z²).
    assert float(wilson_lower(12, 12, z=2)) == pytest.approx(12 / 16)
    np.testing.assert_array_equal(wilson_lower([0, 0], [0, 7]), [0, 0])


def test_logistic_regression_of_a_two_by_two_table():
    # One binary predictor: the fitted shares are the observed ones, 3 of 4 and 1 of 4, and the slope log 9.
    x = np.repeat([1.0, 0.0], 4)
    y = np.array([1, 1, 1, 0, 1, 0, 0, 0], dtype=bool)
    fit = logistic_fit(np.column_stack([np.ones(8), x]), y)
    np.testing.assert_allclose(fit.coefficients, [log(1 / 3), log(9)], atol=1e-6)
    assert fit.log_likelihood == pytest.approx(6 * log(0.75) + 2 * log(0.25))
    tested = added_predictor_test(x, np.zeros((8, 0)), y)
    assert tested.statistic == pytest.approx(2 * (6 * log(0.75) + 2 * log(0.25) - 8 * log(0.5)))
    assert tested.n == 8
    assert tested.note == ""
    # The ratio of likelihoods, worked out: (0.75⁶·0.25²)/(0.5⁸) = 2.847…
    assert exp(tested.statistic / 2) == pytest.approx(0.75**6 * 0.25**2 / 0.5**8)


def test_spearman():
    # Ranks 1 2 3 4 5 against 2 1 4 3 5: 1 − 6·4/(5·24) = 0.8.
    tested = spearman(np.array([1.0, 2, 3, 4, 5]), np.array([20.0, 10, 40, 30, 50]))
    assert tested.statistic == pytest.approx(0.8)
    assert spearman(np.array([1.0, 2, 3]), np.array([3.0, 2, 1])).statistic == -1
