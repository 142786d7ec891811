"""What the arms are made of, summed up shard by shard: the rows of the tables that the data card shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import fsum
from typing import Any

import numpy as np

from pivotlens.arrays import Booleans, Floats, Integers
from pivotlens.corpus.composition import DOCUMENT_TYPES
from pivotlens.select.arms import BY_SCORE
from pivotlens.select.budgets import Budgets, sum_by
from pivotlens.select.matching import LEVELS, Lengths
from pivotlens.select.scored_corpus import Names
from pivotlens.select.units import PER_TOKENS, ScoredUnits

CORPUS = "corpus"
"""Stands for all units that an arm could take."""
LOSSES = ("duplicate", "near_duplicate", "short", "repetitive", "mislabelled")
FACETS = ("text_language", "label", "document_type", "length_decile", "source")
_SUMS = ("units", "tokens", "own_tokens", "n_pivots", "n_bridges")


@dataclass
class Facts:
    """Sums over the units of the corpus; the order in which they come does not matter.

    Attributes:
        arms: The arms.
        budgets: What each could take.
        codes: Numbers of languages.
        sources: Numbers of sources.
        lengths: Tenths by length.
        by_pivots: Whether the score is a share of pivot tokens, and no rate of bridges.
        exchanged: By language, how many units of arm ``matched`` stand for others that were drawn.
    """

    arms: tuple[str, ...]
    budgets: Mapping[str, Budgets]
    codes: Names
    sources: Names
    lengths: Lengths
    by_pivots: bool
    exchanged: Mapping[int, int]
    units: int = 0
    tokens: int = 0
    _sums: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    _facets: Counter[tuple[str, int, str, int, str]] = field(default_factory=Counter)
    _cells: dict[tuple[str, int], Counter[tuple[int, str]]] = field(default_factory=dict)
    _losses: Counter[tuple[int, str, str]] = field(default_factory=Counter)
    _shared: Counter[tuple[str, str]] = field(default_factory=Counter)
    _labels: set[int] = field(default_factory=set)

    def add(self, units: ScoredUnits, chosen: Booleans) -> None:
        """Add units.

        Args:
            units: The units.
            chosen: Which of them are in each arm, shape ``(arms, units)``.
        """
        self.units += units.size
        self.tokens += int(units.n_tokens.sum())
        deciles = self.lengths.deciles(units)
        for arm, taken in zip((CORPUS, *self.arms), (units.eligible, *chosen), strict=True):
            self._add_arm(arm, units[taken], deciles[taken])
        for arm, taken in zip(self.arms, chosen, strict=True):
            for other, of_other in zip(self.arms, chosen, strict=True):
                self._shared[arm, other] += int((taken & of_other).sum())
        again = units.duplicate | units.near_duplicate
        lost = {
            "duplicate": units.duplicate,
            "near_duplicate": ~units.duplicate & units.near_duplicate,
            "short": ~again & units.short,
            "repetitive": ~again & ~units.short & units.repetitive,
            "mislabelled": units.eligible & (units.language != units.label),
        }
        for reason, which in lost.items():
            for language, n, tokens in _by(units.language[which], units.n_tokens[which]):
                self._losses[language, reason, "units"] += n
                self._losses[language, reason, "tokens"] += tokens

    def _add_arm(self, arm: str, units: ScoredUnits, deciles: Integers) -> None:
        ones = np.ones(units.size, dtype=np.int64)
        for name, values in zip(
            _SUMS, (ones, units.cost, units.n_tokens, units.n_pivots, units.n_bridges), strict=True
        ):
            for language, _, total in _by(units.language, values):
                self._sums[arm, language, name] += total
        own = np.rint(units.n_tokens * units.language_share).astype(np.int64)
        mixed = units.language_share < 1
        parts = {
            "label": (units.language, units.label, units.n_tokens),
            "document_type": (units.language, units.document_type, units.n_tokens),
            "length_decile": (units.language, deciles + 1, units.n_tokens),
            "source": (units.language, units.source, units.n_tokens),
            "text_language": (
                np.concatenate([units.language, units.language[mixed]]),
                np.concatenate([units.language, units.other_language[mixed]]),
                np.concatenate([own, (units.n_tokens - own)[mixed]]),
            ),
        }
        for facet, (languages, values, tokens) in parts.items():
            for key, n, total in _by((languages << 32) | values, tokens):
                language, value = key >> 32, key & 0xFFFFFFFF
                self._facets[arm, language, facet, value, "units"] += n
                self._facets[arm, language, facet, value, "tokens"] += total
        # Cells of equal composition and type, each within its language.
        cells = units.composition * len(DOCUMENT_TYPES) + units.document_type
        hits = units.n_pivots if self.by_pivots else units.n_bridges
        for language in np.unique(units.language).tolist():
            here = units.language == language
            for name, values in (("tokens", units.n_tokens), ("hits", hits)):
                for cell, _, total in _by(cells[here], values[here]):
                    self._cells.setdefault((arm, language), Counter())[cell, name] += total

    # -- results

    @property
    def languages(self) -> list[int]:
        """Numbers of the languages that have a budget, by code."""
        numbers = {number for budgets in self.budgets.values() for number in budgets.of_language}
        return sorted(numbers, key=lambda number: self.codes.names[number])

    def without_budget(self) -> list[tuple[str, int]]:
        """Return the languages that no arm has a budget in, and their tokens that could be taken; most first."""
        numbers = {number for arm, number, name in self._sums if arm == CORPUS} - set(self.languages)
        found = [(self.codes.names[number], self.taken(CORPUS, number, "tokens")) for number in numbers]
        return sorted((one for one in found if one[1]), key=lambda one: (-one[1], one[0]))

    def lost(self, reason: str) -> int:
        """Return how many units of the corpus were lost for a reason."""
        return sum(n for (_, of, what), n in self._losses.items() if of == reason and what == "units")

    def taken(self, arm: str, language: int, what: str) -> int:
        """Return a sum of an arm in a language: one of units, tokens, own_tokens, n_pivots, n_bridges."""
        return self._sums[arm, language, what]

    def rates(self, arm: str, language: int) -> tuple[float | None, float | None]:
        """Return an arm's share of pivot tokens and bridges per 1,000 tokens in a language; None where it has none."""
        own = self.taken(arm, language, "own_tokens")
        if not own:
            return None, None
        return self.taken(arm, language, "n_pivots") / own, PER_TOKENS * self.taken(arm, language, "n_bridges") / own

    @property
    def scored_by(self) -> str:
        """What the score counts, in a word."""
        return "pivot" if self.by_pivots else "bridge"

    def unscored(self, arm: str) -> list[str]:
        """Return the languages in which an arm that goes by a score holds units, and none of them scores."""
        if arm not in BY_SCORE:
            return []
        languages = [one for one in self.languages if self.taken(arm, one, "units")]
        return [self.codes.names[one] for one in languages if not self.taken(arm, one, f"n_{self.scored_by}s")]

    def summary_rows(self) -> list[dict[str, Any]]:
        """Return the rows of the table ``summary``."""
        rows = []
        for arm in self.arms:
            for language in self.languages:
                budget = self.budgets[arm].of_language.get(language, 0)
                own = self.taken(arm, language, "own_tokens")
                if not budget and not own:
                    continue
                pivot_share, bridges = self.rates(arm, language)
                in_language = self._facets[arm, language, "text_language", language, "tokens"]
                rows.append(
                    {
                        "arm": arm,
                        "language": self.codes.names[language],
                        "units": self.taken(arm, language, "units"),
                        "tokens": self.taken(arm, language, "tokens"),
                        "budget": budget,
                        "available": self.taken(CORPUS, language, "tokens"),
                        "pivot_share": pivot_share,
                        "bridges": bridges,
                        "language_share": in_language / own if own else None,
                        "explained": self._explained(arm, language) if own else None,
                        "exchanged": self.exchanged.get(language, 0) if arm == "matched" else 0,
                    }
                )
        return rows

    def _explained(self, arm: str, language: int) -> float | None:
        """Return what language composition and type explain of an arm's difference to the corpus.

        (e − c) / (a − c): a and c are the rates of the arm and of the corpus, e is that of the corpus with its cells
        of equal composition and type weighted as in the arm.
        """
        what = "n_pivots" if self.by_pivots else "n_bridges"
        corpus = self.taken(CORPUS, language, what) / max(self.taken(CORPUS, language, "own_tokens"), 1)
        own = self.taken(arm, language, "own_tokens")
        rate = self.taken(arm, language, what) / own
        of_arm, of_corpus = self._cells[arm, language], self._cells[CORPUS, language]
        expected = fsum(  # exact, so that the order in which cells came does not matter
            tokens / own * of_corpus[cell, "hits"] / of_corpus[cell, "tokens"]
            for (cell, name), tokens in of_arm.items()
            if name == "tokens" and tokens
        )
        return None if rate == corpus else (expected - corpus) / (rate - corpus)

    def arm_rows(self, sequence_length: int) -> list[dict[str, Any]]:
        """Return the rows of the table ``arms``, given the tokens of a training sequence."""
        rows = []
        for arm in self.arms:
            of_arm = {name: sum(self.taken(arm, language, name) for language in self.languages) for name in _SUMS}
            own = max(of_arm["own_tokens"], 1)
            rows.append(
                {
                    "arm": arm,
                    "units": of_arm["units"],
                    "tokens": of_arm["tokens"],
                    "packed": of_arm["tokens"] // sequence_length * sequence_length,
                    "pivot_share": of_arm["n_pivots"] / own,
                    "bridges": PER_TOKENS * of_arm["n_bridges"] / own,
                }
            )
        return rows

    def composition_rows(self) -> list[dict[str, Any]]:
        """Return the rows of the table ``composition``."""
        rows = []
        order = {arm: place for place, arm in enumerate((CORPUS, *self.arms))}
        keys = sorted(
            {key[:4] for key in self._facets if key[1] in self.languages},
            key=lambda key: (order[key[0]], self.codes.names[key[1]], FACETS.index(key[2]), self._name(key)),
        )
        for key in keys:
            arm, language, _, _ = key
            tokens = self._facets[*key, "tokens"]
            of_corpus = self._facets[CORPUS, *key[1:], "tokens"]
            rows.append(
                {
                    "arm": arm,
                    "language": self.codes.names[language],
                    "facet": key[2],
                    "value": self._name(key),
                    "units": self._facets[*key, "units"],
                    "tokens": tokens,
                    "share": tokens / max(self.taken(arm, language, "own_tokens"), 1),
                    "corpus_share": of_corpus / max(self.taken(CORPUS, language, "own_tokens"), 1),
                }
            )
        return rows

    def _name(self, key: tuple[str, int, str, int]) -> str:
        _, _, facet, value = key
        if facet in ("text_language", "label"):
            return self.codes.names[value]
        if facet == "source":
            return self.sources.names[value]
        return DOCUMENT_TYPES[value] if facet == "document_type" else f"{value:02d}"

    def overlap_rows(self) -> list[dict[str, Any]]:
        """Return the rows of the table ``overlap``."""
        return [
            {
                "arm": arm,
                "other": other,
                "units": self._shared[arm, other],
                "share": self._shared[arm, other] / self._shared[arm, arm] if self._shared[arm, arm] else None,
            }
            for arm in self.arms
            for other in self.arms
            if arm != other
        ]

    def loss_rows(self) -> list[dict[str, Any]]:
        """Return the rows of the table ``losses``."""
        names = self.codes.names
        found = sorted(
            {(language, reason) for language, reason, _ in self._losses},
            key=lambda key: (names[key[0]], LOSSES.index(key[1])),
        )
        return [
            {"language": names[language], "reason": reason}
            | {what: self._losses[language, reason, what] for what in ("units", "tokens")}
            for language, reason in found
        ]


def matching_rows(matched: Mapping[tuple[int, int], int], codes: Names) -> list[dict[str, Any]]:
    """Return the rows of the table ``matching``.

    Args:
        matched: As `Matched.matched`.
        codes: Numbers of languages.
    """
    totals: Counter[int] = Counter()
    for (language, _), n in matched.items():
        totals[language] += n
    on = (*LEVELS, "nothing")
    return [
        {"language": codes.names[language], "matched_on": on[level], "taken": n, "share": n / totals[language]}
        for (language, level), n in sorted(matched.items(), key=lambda item: (codes.names[item[0][0]], item[0][1]))
    ]


def _by(keys: Integers, values: Integers | Floats) -> Sequence[tuple[int, int, int]]:
    """Return each key with how often it occurs and the sum of its values."""
    found, places, counts = np.unique(keys, return_inverse=True, return_counts=True)
    sums = sum_by(places, np.asarray(values, dtype=np.int64), found.size)
    return list(zip(found.tolist(), counts.tolist(), sums, strict=True))
