"""Budgets: how much of each language an arm may take (docs/method.md#selection)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pivotlens.arrays import Integers
from pivotlens.errors import ConfigError, DataError, did_you_mean
from pivotlens.select.config import DEFAULT_SHARE, SelectConfig
from pivotlens.select.units import ScoredUnits
from pivotlens.text import language_code


@dataclass
class Available:
    """What could be taken of each language; the order in which units come does not matter.

    Attributes:
        tokens: Tokens by language, with those that end documents.
        units: Units by language.
    """

    tokens: dict[int, int] = field(default_factory=dict)
    units: dict[int, int] = field(default_factory=dict)

    def add(self, units: ScoredUnits) -> None:
        """Add units; those that could not be taken do not count."""
        kept = units[units.eligible]
        languages, places = np.unique(kept.language, return_inverse=True)
        for sums, values in ((self.tokens, kept.cost), (self.units, np.ones(kept.size, dtype=np.int64))):
            for language, value in zip(languages.tolist(), sum_by(places, values, languages.size), strict=True):
                sums[language] = sums.get(language, 0) + value


def sum_by(places: Integers, values: Integers, n: int) -> list[int]:
    """Return the sum of whole numbers for each of ``n`` places, exactly."""
    sums = np.zeros(n, dtype=np.int64)
    np.add.at(sums, places, values)
    return [int(value) for value in sums]


@dataclass(frozen=True)
class Budgets:
    """What an arm may take.

    Attributes:
        of_language: Most tokens or units by language; other languages have none.
        in_units: Whether they are units.
    """

    of_language: Mapping[int, int]
    in_units: bool = False

    @property
    def total(self) -> int:
        """Over all languages."""
        return sum(self.of_language.values())

    @property
    def what(self) -> str:
        """What it is counted in."""
        return "units" if self.in_units else "tokens"

    def cost(self, units: ScoredUnits) -> Integers:
        """Return what each unit takes of it, shape ``(units,)``."""
        return np.ones(units.size, dtype=np.int64) if self.in_units else units.cost

    def all_in(self, language: int) -> Budgets:
        """Return the whole of it for one language."""
        return Budgets({language: self.total}, self.in_units)


def wanted_languages(config: SelectConfig) -> dict[str, float | None]:
    """Return the languages that the settings name, in their order, and the weight of each; None where there are none.

    Raises:
        ConfigError: One is no language or named twice, a weight is no number above 0, or only some have one.
    """
    found: dict[str, float | None] = {}
    for entry in config.languages:
        name, equals, text = entry.partition("=")
        code = language_code(name.strip(), "languages")
        if code in found:
            raise ConfigError(f"language {code} is named twice in languages", "Name each once.")
        try:
            weight = float(text) if equals else None
        except ValueError:
            weight = 0.0
        if weight is not None and not 0 < weight < float("inf"):
            raise ConfigError(f"languages has {entry!r}: {text!r} is no weight", "Give a number above 0, as in fr=2.")
        found[code] = weight
    if 0 < sum(weight is None for weight in found.values()) < len(found):
        without = next(code for code, weight in found.items() if weight is None)
        raise ConfigError(f"some languages have a weight and {without!r} has none", "Give all of them one, or none.")
    return found


def refuse_boilerplate(available: Available, lines: int, config: SelectConfig) -> None:
    """Refuse a corpus of which nothing can be taken after lines that recur were left out.

    Args:
        available: What could be taken.
        lines: How many lines were left out.
        config: The settings.

    Raises:
        DataError: It is one.
    """
    if lines and not any(available.units.values()):
        raise DataError(
            f"{config.corpus}: {lines:,} lines of text were left out, as they recur in more than "
            f"{config.boilerplate_share:.0%} of their source's documents (--boilerplate-share), and of the rest no "
            f"unit of {config.min_tokens:,} tokens (--min-tokens) could be taken",
            "Keep such lines with --boilerplate-share 0, or raise it to leave out fewer.",
        )


def budgets_of(
    config: SelectConfig, available: Available, codes: Mapping[str, int], benchmark: Sequence[str]
) -> Budgets:
    """Return the budget of every arm.

    Args:
        config: The settings.
        available: What could be taken.
        codes: Numbers of the languages found in the corpus.
        benchmark: Languages of the benchmark.

    Raises:
        ConfigError: The corpus holds no unit in a language that is named, or in none of the benchmark.
    """
    wanted = wanted_languages(config)
    there = {code: number for code, number in codes.items() if available.units.get(number)}
    for code in wanted:
        if code not in there:
            raise ConfigError(
                f"languages names {code!r}, and no unit that could be taken is in it (there are some in "
                f"{', '.join(sorted(there)) or 'none'})",
                did_you_mean(code, there),
            )
    if not wanted:
        wanted = {code: None for code in benchmark if code in there}
    if not wanted:
        raise ConfigError(
            f"no unit that could be taken is in a language of the benchmark ({', '.join(benchmark)}); "
            f"there are some in {', '.join(sorted(there)) or 'no language'}",
            "Name languages with --languages, or lower --min-tokens.",
        )
    weights = [weight for weight in wanted.values() if weight is not None]
    numbers = [there[code] for code in wanted]
    budget = config.budget_units or config.budget_tokens
    share = config.budget_share or DEFAULT_SHARE
    if weights:
        whole = budget or int(share * sum(available.tokens[number] for number in numbers))
        most = [int(whole * weight / sum(weights)) for weight in weights]
    else:
        most = [budget or int(share * available.tokens[number]) for number in numbers]
    return Budgets(dict(zip(numbers, most, strict=True)), config.budget_units is not None)
