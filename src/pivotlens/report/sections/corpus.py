"""What the corpus holds: units by language, words often enough, pairs that ever meet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from pivotlens.report.run_tables import Row, direction_of
from pivotlens.text import Direction

ENOUGH = 20
"""Units from which a word's figures mean something."""


@dataclass(frozen=True)
class LanguageRow:
    """A language of the corpus; ``enough`` of ``concepts`` have a word in at least `ENOUGH` units (None: no word)."""

    language: str
    documents: int
    units: int
    characters: int
    concepts: int | None
    enough: int | None


@dataclass(frozen=True)
class PairRow:
    """Pairs of a direction: how many never share a unit, and the median and largest number of shared units."""

    direction: Direction
    pairs: int
    never: int
    median: float
    largest: int


@dataclass(frozen=True)
class Corpus:
    """The section; the most units of a language bound the bars."""

    languages: tuple[LanguageRow, ...]
    pairs: tuple[PairRow, ...]
    problems: int

    @property
    def most_units(self) -> int:
        """Units of the largest language."""
        return max((row.units for row in self.languages), default=0)


def corpus(languages: Sequence[Row], pairs: Sequence[Row], problems: int) -> Corpus:
    """Build the section from ``count/languages``, ``count/pairs`` and the number of ``count/problems``."""
    frequency: dict[str, dict[str, int]] = defaultdict(dict)
    by_direction: dict[Direction, list[int]] = defaultdict(list)
    for row in pairs:
        direction = direction_of(row)
        frequency[direction.source][row["concept_id"]] = row["df_source"]
        frequency[direction.target][row["concept_id"]] = row["df_target"]
        by_direction[direction].append(row["df_both"])
    rows = []
    for row in sorted(languages, key=lambda row: (-row["units"], row["language"])):
        words = frequency.get(row["language"])
        rows.append(
            LanguageRow(
                language=row["language"],
                documents=row["documents"],
                units=row["units"],
                characters=row["characters"],
                concepts=len(words) if words else None,
                enough=sum(count >= ENOUGH for count in words.values()) if words else None,
            )
        )
    return Corpus(tuple(rows), tuple(_pair_row(key, counts) for key, counts in by_direction.items()), problems)


def _pair_row(direction: Direction, counts: list[int]) -> PairRow:
    ordered = sorted(counts)
    middle = len(ordered) // 2
    median = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    return PairRow(direction, len(counts), sum(count == 0 for count in counts), float(median), ordered[-1])
