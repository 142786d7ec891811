"""The arms of a selection: what each of them takes of a scored corpus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pivotlens.arrays import Booleans
from pivotlens.errors import ConfigError
from pivotlens.select.arms import Order, Spread
from pivotlens.select.budgets import Available, Budgets, budgets_of, refuse_boilerplate
from pivotlens.select.choosing import Chooser
from pivotlens.select.config import ArmName, SelectConfig
from pivotlens.select.matched import MatchedUnits
from pivotlens.select.matching import Lengths, Matching
from pivotlens.select.scored_corpus import ScoredCorpus
from pivotlens.select.units import ScoredUnits
from pivotlens.text import ENGLISH


class ChosenArms:
    """The arms of a selection, each with what it chooses by; all scores are read shard by shard, several times.

    Args:
        corpus: What there is to choose from.
        config: The settings.
        benchmark: Languages of the benchmark.
        dropped: How many lines that recur were left out of the text.

    Raises:
        ConfigError: As `budgets_of`.
        DataError: As `refuse_boilerplate`.

    Attributes:
        lengths: Tenths by length of what could be taken.
        choosers: Each arm with what it chooses by, in the order of the settings.
        matched: As `Matched.matched`; empty without that arm.
        exchanged: As `MatchedUnits.exchanged`; empty without that arm.
    """

    def __init__(self, corpus: ScoredCorpus, config: SelectConfig, benchmark: Sequence[str], dropped: int) -> None:
        self._config = config
        self.lengths = Lengths()
        self.matched: Mapping[tuple[int, int], int] = {}
        self.exchanged: Mapping[int, int] = {}
        available, spread = Available(), Spread(config.score)
        for _, units in corpus:
            available.add(units)
            spread.add(units)
            self.lengths.add(units)
        refuse_boilerplate(available, dropped, config)
        budgets = budgets_of(config, available, corpus.codes.numbers, benchmark)
        english = corpus.codes.number(ENGLISH)
        names = list(dict.fromkeys(config.arms))
        choosers: dict[ArmName, Chooser] = {}
        for name in names:
            if name != "matched":
                of_arm = budgets.all_in(english) if name == "english_only" else budgets
                choosers[name] = Chooser(Order(name, config, english, spread), of_arm)
        for _, units in corpus:
            for chooser in choosers.values():
                chooser.add(units)
        matched = {"matched": self._match(corpus, choosers["top"])} if "matched" in names else {}
        self.choosers = {name: matched.get(name) or choosers[name] for name in names}
        self._names = corpus.codes.names

    def _match(self, corpus: ScoredCorpus, top: Chooser) -> MatchedUnits:
        matching = Matching(top, self.lengths, self._config.seed)
        for _, units in corpus:
            matching.count(units)
        for _, units in corpus:
            matching.add(units)
        drawn = matching.result()
        self.matched = drawn.matched
        matched = MatchedUnits(drawn, top)
        for _, units in corpus:
            matched.add(units)
        matched.choose()
        self.exchanged = matched.exchanged
        return matched

    def takes(self, units: ScoredUnits) -> Booleans:
        """Return which units are in each arm, shape ``(arms, units)``."""
        return np.stack([chooser.takes(units) for chooser in self.choosers.values()])

    def shortages(self) -> list[tuple[ArmName, str, int, Budgets]]:
        """Return each arm and language with less than the budget, what is there, and the budgets of the arm."""
        return [
            (name, self._names[language], there, chooser.budgets)
            for name, chooser in self.choosers.items()
            for language, there in chooser.shortages().items()
        ]

    def refuse_shortage(self) -> None:
        """Refuse a budget that is beyond what there is; of arm ``matched`` it is told what could not be matched.

        Raises:
            ConfigError: An arm has nothing in a language or cannot meet its budget there, and is not told to take all
                there is.
        """
        short = [shortage for shortage in self.shortages() if shortage[0] != "matched"]
        if not short or self._config.shortage == "take_all":
            return
        absent: dict[str, list[str]] = {}
        for name, language, there, _ in short:
            if not there:
                absent.setdefault(name, []).append(language)
        if absent:
            said = [f"arm {name} has nothing to take in {', '.join(languages)}" for name, languages in absent.items()]
            raise ConfigError(
                "; ".join(said),
                "Leave the arm out, or name with --languages those in which it has something; --shortage take_all "
                "leaves it empty there. The scores are kept: the next try reads no text.",
            )
        numbers = {name: number for number, name in enumerate(self._names)}
        said = [
            f"{name} in {language}: {there:,} of {budgets.of_language[numbers[language]]:,} {budgets.what}"
            for name, language, there, budgets in short
        ]
        raise ConfigError(
            f"the budget is more than the corpus holds for {'; '.join(said)}",
            "Lower the budget, name other --languages or leave out the arm; or take all there is with "
            "--shortage take_all. The scores are kept: the next try reads no text.",
        )
