"""What the arms took, summed up shard by shard, and the rows of the table of scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from pivotlens.arrays import Booleans
from pivotlens.artifacts import schema_of
from pivotlens.select.scoring import Mode, ScoredUnits


@dataclass
class Summary:
    """Sums over the units of the corpus; the order in which they come does not matter.

    Attributes:
        modes: The arms.
        budget_tokens: Most tokens a language.
        units: Units of all the corpus.
        tokens: Their tokens.
        duplicates: Those with the text of an earlier one.
        short: Others that have too few tokens.
        without_pivots: Units of arm top without a pivot, by language.
    """

    modes: tuple[Mode, ...]
    budget_tokens: int
    units: int = 0
    tokens: int = 0
    duplicates: int = 0
    short: int = 0
    without_pivots: Counter[str] = field(default_factory=Counter)
    _available: Counter[str] = field(default_factory=Counter)
    _taken: Counter[tuple[Mode, str, str]] = field(default_factory=Counter)

    def add(self, units: ScoredUnits, chosen: Booleans) -> None:
        """Add units.

        Args:
            units: The units.
            chosen: Which of them are in each arm, shape ``(arms, units)``.
        """
        self.units += units.n_tokens.size
        self.tokens += int(units.n_tokens.sum())
        self.duplicates += int(units.duplicate.sum())
        self.short += int((~units.duplicate & ~units.eligible).sum())
        for number, language in enumerate(units.languages):
            of_language = units.language == number
            self._available[language] += int(units.n_tokens[units.eligible & of_language].sum())
            for mode, of_arm in zip(self.modes, chosen, strict=True):
                taken = of_arm & of_language
                self._taken[mode, language, "units"] += int(taken.sum())
                self._taken[mode, language, "tokens"] += int(units.n_tokens[taken].sum())
                self._taken[mode, language, "pivots"] += int(units.n_pivots[taken].sum())
                if mode == "top" and (without := int((taken & (units.n_pivots == 0)).sum())):
                    self.without_pivots[language] += without

    @property
    def languages(self) -> list[str]:
        """Codes of all languages that have units, sorted."""
        return sorted(self._available)

    def units_of(self, mode: Mode) -> int:
        """Return how many units an arm took."""
        return sum(self._taken[mode, language, "units"] for language in self.languages)

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows of the table ``summary``."""
        rows = []
        for mode in self.modes:
            for language in self.languages:
                tokens = self._taken[mode, language, "tokens"]
                rows.append(
                    {
                        "mode": mode,
                        "language": language,
                        "units": self._taken[mode, language, "units"],
                        "tokens": tokens,
                        "budget": self.budget_tokens,
                        "available": self._available[language],
                        "pivot_share": self._taken[mode, language, "pivots"] / tokens if tokens else None,
                    }
                )
        return rows


def arm_rows(summary: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the ``select/arms`` rows: each arm over all languages, its share weighted by tokens.

    Args:
        summary: Rows of ``select/summary``.
    """
    result = []
    for mode in dict.fromkeys(row["mode"] for row in summary):
        rows = [row for row in summary if row["mode"] == mode]
        tokens = sum(row["tokens"] for row in rows)
        pivots = sum((row["pivot_share"] or 0.0) * row["tokens"] for row in rows)
        share = pivots / tokens if tokens else 0.0
        result.append(
            {"mode": mode, "units": sum(row["units"] for row in rows), "tokens": tokens, "pivot_share": share}
        )
    return result


def scores_table(units: ScoredUnits, modes: Sequence[Mode], chosen: Booleans) -> pa.Table:
    """Return the rows of the table ``scores``; arguments as `Summary.add`."""
    arms_of_unit, arms = np.nonzero(chosen.T)
    offsets = np.searchsorted(arms_of_unit, np.arange(chosen.shape[1] + 1)).astype(np.int32)
    selected = pa.ListArray.from_arrays(pa.array(offsets), pa.array(list(modes), pa.string()).take(pa.array(arms)))
    columns = {
        "file": pa.repeat(units.file, units.row.size),
        "row": units.row,
        "unit": units.unit,
        "language": pa.array(units.languages, pa.string()).take(pa.array(units.language)),
        "n_tokens": units.n_tokens,
        "n_pivots": units.n_pivots,
        "pivot_share": units.pivot_share,
        "pivot_share_low": units.pivot_share_low,
        "selected": selected,
        "duplicate": units.duplicate,
    }
    return pa.table(columns, schema=schema_of("select", "scores"))
