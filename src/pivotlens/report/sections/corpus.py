"""What the corpus holds: units by language, words often enough, pairs that ever meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pivotlens.report.run_tables import Row, direction_of
from pivotlens.text import Direction


@dataclass(frozen=True)
class LanguageRow:
    """A language of the corpus; ``enough`` of ``concepts`` have a word in enough units (None: no word)."""

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
    """The section; below ``enough_units`` a word's figures say little (None: no word was counted)."""

    languages: tuple[LanguageRow, ...]
    pairs: tuple[PairRow, ...]
    problems: int
    enough_units: int | None

    @property
    def most_units(self) -> int:
        """Units of the largest language."""
        return max((row.units for row in self.languages), default=0)


def corpus(languages: Sequence[Row], coverage: Sequence[Row], pairs: Sequence[Row], problems: int) -> Corpus:
    """Build the section.

    Args:
        languages: ``count/languages``.
        coverage: ``count/coverage``.
        pairs: ``count/pair_summary``.
        problems: Rows of ``count/problems``.
    """
    covered = {row["language"]: row for row in coverage}
    rows = []
    for row in sorted(languages, key=lambda row: (-row["units"], row["language"])):
        words = covered.get(row["language"])
        rows.append(
            LanguageRow(
                language=row["language"],
                documents=row["documents"],
                units=row["units"],
                characters=row["characters"],
                concepts=words["concepts"] if words else None,
                enough=words["enough"] if words else None,
            )
        )
    shared = (PairRow(direction_of(row), row["pairs"], row["never"], row["median"], row["most"]) for row in pairs)
    return Corpus(tuple(rows), tuple(shared), problems, next((row["units"] for row in coverage), None))
