"""How strongly words of a language and tokens go together, within the units of that language."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pivotlens.statistics.association import binomial_exceeds, chi2_p_value, npmi, npmi_lower, signed_llr

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Background:
    """Token words in the units of one language, from a sample.

    Attributes:
        units: All units of the language (N).
        sampled: Units of the sample (B).
        counts: Units of the sample with each token word (b), shape ``(token words,)``.
    """

    units: int
    sampled: int
    counts: Integers


@dataclass(frozen=True)
class WordUnits:
    """Token words in the units of one benchmark word, from a sample.

    Attributes:
        units: All units with the word in its language (df).
        sampled: Units of the sample (n).
        tokens: Token words that occur there, upwards.
        counts: Units of the sample with each of them (k), at least 1.
    """

    units: float
    sampled: int
    tokens: Integers
    counts: Integers


@dataclass(frozen=True)
class Associations:
    """One benchmark word and the token words in its units; arrays are of shape ``(token words there,)``.

    Attributes:
        tokens: Token words, upwards.
        counts: Units of the word's sample with each (k).
        background: Share of the language's units with each (b/B).
        frequency: Units of the language with each: its df.
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

    def at(self, places: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> Associations:
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


def associate(word: WordUnits, background: Background, min_units: int) -> Associations:
    """Compare the units of a word with those of its language (docs/method.md#associations).

    NPMI: the joint frequency ``k·df/n`` against ``df·df(t)/N`` with ``df(t) = b·N/B``, or the joint frequency where
    the background sample found less than that.

    The log-likelihood ratio stays on the scale of the samples, since scaling a table up by a factor multiplies its
    LLR by it and makes everything significant: ``k`` of ``n`` units of the word against the background sample without
    the units of the word that are expected in it. Where both samples are complete that is Dunning's table of
    the language.

    Args:
        word: The word's units.
        background: Those of its language.
        min_units: Token words in fewer sampled units are left out.
    """
    kept = word.counts >= min_units
    tokens, k = word.tokens[kept], word.counts[kept].astype(np.float64)
    n, total = max(word.sampled, 1), max(background.units, 1)
    units = float(min(word.units, total))
    rate = background.counts[tokens] / max(background.sampled, 1)
    joint = k * (units / n)
    frequency = np.minimum(np.maximum(rate * total, joint), total)
    inside = background.sampled * units / total
    outside = max(background.sampled - inside, 0.0)
    with_token = np.clip(background.counts[tokens] - k / n * inside, 0.0, outside)
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
