"""What the statistics refuse, and what they give for nothing."""

import subprocess
import sys

import numpy as np
import pytest
import scipy.stats

from pivotlens.statistics.association import npmi, pmi, signed_llr
from pivotlens.statistics.auc import auc, cluster_weights, weighted_auc
from pivotlens.statistics.groups import detectable_contrast, mean_interval, standard_deviation, welch
from pivotlens.statistics.multiple_testing import benjamini_hochberg
from pivotlens.statistics.proportion import wilson_lower
from pivotlens.statistics.regression import spearman


@pytest.mark.parametrize(
    "call",
    [
        lambda: npmi(5, 4, 9, 10),
        lambda: pmi(-1, 4, 9, 10),
        lambda: npmi(1, 4, 11, 10),
        lambda: npmi(float("nan"), 4, 9, 10),
        lambda: signed_llr(1, 2, -1, 3),
        lambda: benjamini_hochberg(np.array([0.5, 1.2])),
        lambda: benjamini_hochberg(np.array([0.5, 0.2]), tests=1),
        lambda: wilson_lower(3, 2),
        lambda: wilson_lower([-1], [2]),
    ],
)
def test_impossible_counts_are_refused(call):
    with pytest.raises(ValueError):
        call()


def test_nothing_gives_nothing():
    none = np.zeros(0)
    assert benjamini_hochberg(none).size == 0
    assert np.isnan(auc(none, none.astype(bool)))
    assert np.isnan(weighted_auc(none, none.astype(bool), np.zeros((2, 0)))).all()
    assert cluster_weights(0, 3, 0).shape == (3, 0)
    assert spearman(none, none).note == "fewer than 3 items"
    assert spearman(np.arange(3.0), np.ones(3)).note == "outcome constant"
    assert wilson_lower(none, none).size == 0


def test_association_measures_broadcast():
    assert npmi(np.ones((2, 1)), 2, np.arange(1, 4), 10).shape == (2, 3)
    assert signed_llr(np.ones((2, 1)), 2, np.arange(3), 10).shape == (2, 3)


def test_the_rooms_stay_light_until_they_run():
    code = (
        "import sys, pivotlens.stages, pivotlens.cli.main, pivotlens.mine, pivotlens.attribute;"
        "print([name for name in ('torch', 'transformers', 'scipy', 'numba', 'pandas') if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"


@pytest.mark.parametrize(("first", "second"), [([0.3, 0.31, 0.35, 0.29], [0.28, 0.27]), ([1.0, 2.0], [5.0, 5.1, 5.0])])
def test_two_groups_as_scipy_compares_them(first, second):
    found, expected = welch(first, second), scipy.stats.ttest_ind(first, second, equal_var=False)
    ends = expected.confidence_interval()
    assert found.interval == pytest.approx((np.mean(first) - np.mean(second), ends.low, ends.high))
    assert (found.degrees, found.p) == pytest.approx((expected.df, expected.pvalue))


def test_one_run_has_a_mean_and_no_interval():
    for found in (welch([0.3], [0.1, 0.2]).interval, mean_interval([0.15]), welch([0.3, 0.3], [0.15, 0.15]).interval):
        assert found.value == pytest.approx(0.15)
        assert np.isnan([found.low, found.high]).all()
    assert np.isnan(standard_deviation([0.1])).all()


def test_intervals_of_a_mean_and_of_a_deviation_hold_the_truth_as_often_as_they_say():
    drawn = np.random.default_rng(0).normal(2.0, 3.0, size=(2000, 4))
    for interval, truth in ((mean_interval, 2.0), (standard_deviation, 3.0)):
        held = np.mean([one.low <= truth <= one.high for one in map(interval, drawn.tolist())])
        assert held == pytest.approx(0.95, abs=0.015)


def test_a_detectable_contrast_is_found_as_often_as_it_says():
    effect = detectable_contrast(1.0, 6, 6)
    rng = np.random.default_rng(1)
    first, second = rng.normal(effect, 1.0, size=(2000, 6)), rng.normal(0.0, 1.0, size=(2000, 6))
    assert np.mean(scipy.stats.ttest_ind(first, second, axis=1).pvalue < 0.05) == pytest.approx(0.8, abs=0.03)
