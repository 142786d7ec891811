"""How strongly words of a language and tokens go together, within the units of that language."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pivotlens.arrays import Booleans, Floats, Integers
from pivotlens.statistics.association import binomial_exceeds, chi2_p_value, npmi, npmi_lower, pmi, signed_llr


@dataclass(frozen=True)
class Background:
    """Token words in the units of one language, from a sample of each stratum.

    Attributes:
        units: All units of each stratum (N_s), shape ``(strata,)``.
        sampled: Units of its sample (B_s), shape ``(strata,)``; above 0 where there are units.
        counts: Units of the sample with each token word (b_s), shape ``(strata, token words)``.
    """

    units: Integers
    sampled: Integers | Floats
    counts: npt.NDArray[np.int32] | Integers | Floats

    @property
    def total(self) -> int:
        """All units of the language (N)."""
        return int(self.units.sum())

    def frequency(self) -> Floats:
        """Return the units of the language with each token word, scaled up from the samples."""
        return (self.units / np.maximum(self.sampled, 1)) @ self.counts


def in_one(backgrounds: Iterable[Background]) -> Background:
    """Return backgrounds as one of a single stratum, in which each stratum counts as it has units, not as sampled."""
    units, sampled, counts = (
        np.concatenate(columns)
        for columns in zip(*((one.units, one.sampled, one.counts) for one in backgrounds), strict=True)
    )
    total, at_least = units.sum(), np.maximum(sampled, 1)
    worth = total**2 / max(float((units**2 / at_least).sum()), 1.0)
    rate = (units / max(total, 1) / at_least) @ counts
    return Background(np.array([total]), np.array([worth]), (rate * worth)[np.newaxis])


@dataclass(frozen=True)
class WordUnits:
    """Token words in the units of one benchmark word, from a sample.

    Attributes:
        units: All units with the word in its language (df).
        strata: Units of the sample in each stratum (n_s), shape ``(strata,)``; together they are n.
        tokens: Token words that occur there, upwards.
        counts: Units of the sample with each of them (k), at least 1.
    """

    units: float
    strata: Integers
    tokens: Integers
    counts: Integers

    @property
    def sampled(self) -> int:
        """Units of the sample (n)."""
        return int(self.strata.sum())


@dataclass(frozen=True)
class Associations:
    """One benchmark word and the token words in its units; arrays are of shape ``(token words there,)``.

    Attributes:
        tokens: Token words, upwards.
        counts: Units of the word's sample with each (k).
        background: Share of units with each that is expected of the word's strata (e).
        frequency: Units with each that a language of the word's strata would have (e·N), its df.
        npmi: NPMI within the language.
        llr: Signed log-likelihood ratio.
        p_value: Its p-value; 1 where the association is not positive.
        units: All units with the word (df).
        sampled: Units of the sample (n).
        total: All units of the language (N).
    """

    tokens: Integers
    counts: Integers
    background: Floats
    frequency: Floats
    npmi: Floats
    llr: Floats
    p_value: Floats
    units: float
    sampled: int
    total: int

    def at(self, places: Integers | Booleans) -> Associations:
        """Return the same with only some of the token words."""
        return replace(
            self,
            tokens=self.tokens[places],
            counts=self.counts[places],
            background=self.background[places],
            frequency=self.frequency[places],
            npmi=self.npmi[places],
            llr=self.llr[places],
            p_value=self.p_value[places],
        )

    def lower_bounds(self) -> Floats:
        """Return the lower end of the 95 % parametric bootstrap interval of each NPMI."""
        return npmi_lower(self.counts, self.sampled, self.units, self.frequency, self.total)

    def positive_shares(self) -> Floats:
        """Return the share of parametric bootstrap resamples in which each NPMI is positive."""
        return binomial_exceeds(self.counts, self.sampled, self.frequency / self.total)

    def excess(self) -> Floats:
        """Return the share of the word's units with each token word minus the background's: the paper's measure."""
        return self.counts / self.sampled - self.background

    def pmi(self) -> Floats:
        """Return each PMI in nats, as it is estimated."""
        return pmi(self.counts * (self.units / self.sampled), self.units, self.frequency, self.total)


def associate(word: WordUnits, background: Background, min_units: int) -> Associations:
    """Compare the units of a word with those of its language and of like composition (docs/method.md#associations).

    Expected is the share of units with the token word that the language has where its strata are weighted as the
    word's units are (direct standardisation): ``e = Σ_s n_s/n · b_s/B_s``. What a stratum holds anyway, such as
    English words of grammar where much of a French unit is English, is no association.

    NPMI: the joint frequency ``k·df/n`` against ``df·df(t)/N`` with ``df(t) = e·N``, or the joint frequency where
    less than that is expected.

    The log-likelihood ratio stays on the scale of the samples, since scaling a table up by a factor multiplies its
    LLR by it and makes everything significant: ``k`` of ``n`` units of the word against as many background units as
    the weighted sample is worth, ``B = 1/Σ_s (n_s/n)²/B_s`` (Kish 1965), without the units of the word that are
    expected in it. Of one stratum whose samples are complete that is Dunning's table of the language.

    Args:
        word: The word's units.
        background: Those of its language, or of a single stratum.
        min_units: Token words in fewer sampled units are left out.
    """
    kept = word.counts >= min_units
    tokens, k = word.tokens[kept], word.counts[kept].astype(np.float64)
    n, total = max(word.sampled, 1), max(background.total, 1)
    units = float(min(word.units, total))
    strata = word.strata if background.units.size > 1 else np.array([word.sampled])
    there = np.flatnonzero(strata)
    weights, sampled = strata[there] / n, np.maximum(background.sampled[there], 1)
    rate = (weights / sampled) @ background.counts[np.ix_(there, tokens)]
    joint = k * (units / n)
    frequency = np.minimum(np.maximum(rate * total, joint), total)
    effective = 1.0 / max(float((weights**2 / sampled).sum()), 1.0 / total)
    own = float((weights * np.minimum(weights * units / np.maximum(background.units[there], 1), 1.0)).sum())
    inside = effective * own
    outside = max(effective - inside, 0.0)
    with_token = np.clip(rate * effective - k / n * inside, 0.0, outside)
    llr = signed_llr(k, n - k, with_token, outside - with_token)
    values = npmi(joint, units, frequency, total)
    return Associations(
        tokens=tokens,
        counts=word.counts[kept],
        background=rate,
        frequency=frequency,
        npmi=values,
        llr=llr,
        p_value=np.where((values > 0) & (llr > 0), chi2_p_value(llr), 1.0),
        units=units,
        sampled=n,
        total=total,
    )
