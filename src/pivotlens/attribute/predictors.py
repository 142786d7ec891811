"""What the corpus says about a word pair, as numbers that may predict how a model translates it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pivotlens.arrays import Floats, Integers
from pivotlens.statistics.association import npmi, signed_llr

PREDICTORS = ("log_joint", "log_target", "npmi", "llr")
"""Names of the predictors, in the order of the tables."""


@dataclass(frozen=True)
class Predictors:
    """Predictors of pairs, each of shape ``(pairs,)`` and finite whatever the counts, but for those of no units.

    Attributes:
        log_joint: ``log(1 + units with both words)``.
        log_target: ``log(1 + units with the target word)``.
        log_source: ``log(1 + units with the source word)``.
        npmi: Normalised pointwise mutual information over all units; −1 where no unit holds both.
        llr: Signed log-likelihood ratio over all units; as ``npmi`` NaN where counts are not of units.
    """

    log_joint: Floats
    log_target: Floats
    log_source: Floats
    npmi: Floats
    llr: Floats

    def named(self, name: str) -> Floats:
        """Return one of `PREDICTORS`."""
        values: Floats = getattr(self, name)
        return values


def pair_predictors(df_source: Integers, df_target: Integers, df_both: Integers, units: int | None) -> Predictors:
    """Compute the predictors of pairs.

    Args:
        df_source: Units with the source word, shape ``(pairs,)``.
        df_target: Units with the target word.
        df_both: Units with both.
        units: All units of the corpus, in every language; None where occurrences are counted, which have no units.

    Raises:
        ValueError: The counts contradict each other.
    """
    nothing = np.full(df_both.shape, np.nan)
    return Predictors(
        log_joint=np.log1p(df_both.astype(np.float64)),
        log_target=np.log1p(df_target.astype(np.float64)),
        log_source=np.log1p(df_source.astype(np.float64)),
        npmi=nothing if units is None else npmi(df_both, df_source, df_target, units),
        llr=nothing if units is None else _signed_llr(df_source, df_target, df_both, units),
    )


def _signed_llr(df_source: Integers, df_target: Integers, df_both: Integers, units: int) -> Floats:
    neither = units - df_source - df_target + df_both
    return signed_llr(df_both, df_source - df_both, df_target - df_both, neither)
