"""What the statistics refuse, and what they give for nothing."""

import subprocess
import sys

import numpy as np
import pytest

from pivotlens.statistics.association import npmi, pmi, signed_llr
from pivotlens.statistics.auc import auc, cluster_weights, weighted_auc
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
