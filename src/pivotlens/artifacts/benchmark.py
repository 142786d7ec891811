"""The benchmark as every other room reads it."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import ClassVar

from pivotlens.artifacts.result import StageResult
from pivotlens.errors import ConfigError
from pivotlens.text import Direction, parse_direction


@dataclass(frozen=True)
class Concept:
    """A concept with its words.

    Attributes:
        words: Displayed word by language.
        accepted: All accepted words by language, the displayed one first.
        distractors: Concept ids whose source words stand in for a wrong source word.
        links: Words related by a dictionary or WordNet: ``(language, word, relation)``.
        band: Frequency band (high, middle, low), empty where the list has none.
        flags: What is to be known of a language's displayed word, such as ``same_spelling:fr``.
        tiers: WordNet distance tier of a distractor by its id, 0 the nearest; only where it is known.
        answers_only: By language, accepted words that are not counted in a corpus.
    """

    concept_id: str
    split: str
    calibration: bool
    pos: str
    words: dict[str, str]
    accepted: dict[str, tuple[str, ...]]
    distractors: tuple[str, ...]
    links: tuple[tuple[str, str, str], ...]
    band: str = ""
    flags: dict[str, tuple[str, ...]] = field(default_factory=dict)
    tiers: dict[str, int] = field(default_factory=dict)
    answers_only: dict[str, frozenset[str]] = field(default_factory=dict)

    def counted(self, language: str) -> tuple[str, ...]:
        """Return the accepted words of a language that stand for the concept in a corpus, the displayed one first."""
        left_out = self.answers_only.get(language, frozenset())
        return tuple(word for word in self.accepted.get(language, ()) if word not in left_out)

    def same_spelling(self, direction: Direction) -> bool:
        """Tell whether the displayed words of both languages are written alike: copying is not translating."""
        return self.words[direction.source].casefold() == self.words[direction.target].casefold()


@dataclass(frozen=True)
class Benchmark(StageResult):
    """Concepts of a word-translation benchmark."""

    stage: ClassVar[str] = "bench"

    @functools.cached_property
    def concepts(self) -> dict[str, Concept]:
        """Every concept by id, shots included, in the order of the list."""
        distractors: dict[str, dict[str, int | None]] = {}
        for row in self.rows("distractors"):
            distractors.setdefault(row["concept_id"], {})[row["distractor_id"]] = row["tier"]
        links: dict[str, list[tuple[str, str, str]]] = {}
        for row in self.rows("links"):
            links.setdefault(row["concept_id"], []).append((row["language"], row["word"], row["relation"]))
        items: dict[str, list[dict[str, object]]] = {}
        for row in self.rows("items"):
            items.setdefault(row["concept_id"], []).append(row)
        return {
            key: Concept(
                concept_id=key,
                split=str(rows[0]["split"]),
                calibration=bool(rows[0]["calibration"]),
                pos=str(rows[0]["pos"]),
                words={str(row["language"]): str(row["word"]) for row in rows},
                accepted={str(row["language"]): tuple(row["accepted"]) for row in rows},  # type: ignore[arg-type]
                distractors=tuple(distractors.get(key, ())),
                links=tuple(links.get(key, ())),
                band=str(rows[0]["band"] or ""),
                flags={str(row["language"]): tuple(row["flags"]) for row in rows if row["flags"]},  # type: ignore[arg-type]
                tiers={other: tier for other, tier in distractors.get(key, {}).items() if tier is not None},
                answers_only={
                    str(row["language"]): frozenset(row["answers_only"])  # type: ignore[call-overload]
                    for row in rows
                    if row["answers_only"]
                },
            )
            for key, rows in items.items()
        }

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages of the benchmark, in the order of the list."""
        return tuple(next(iter(self.concepts.values())).words)

    @property
    def words_of_other_parts(self) -> frozenset[str]:
        """Words of the concepts of other parts than the one that is kept, in any language; none without parts."""
        if not self.manifest.config.get("part"):
            return frozenset()
        return frozenset(self.table("other_parts")["word"].to_pylist())

    def test_concepts(self, limit_concepts: int | None = None) -> list[Concept]:
        """Return the test concepts; with ``limit_concepts``, that many, those of the calibration set first."""
        tests = [concept for concept in self.concepts.values() if concept.split == "test"]
        if limit_concepts is None:
            return tests
        kept = {
            concept.concept_id
            for concept in sorted(tests, key=lambda concept: not concept.calibration)[:limit_concepts]
        }
        return [concept for concept in tests if concept.concept_id in kept]

    def shot_concepts(self) -> list[Concept]:
        """Return the concepts put apart for shots."""
        return [concept for concept in self.concepts.values() if concept.split == "shot"]

    def directions(self, wanted: tuple[str, ...], where: str = "directions") -> list[Direction]:
        """Return the wanted directions, or all ordered pairs where none is named.

        Raises:
            ConfigError: A language is not in the benchmark.
        """
        if not wanted:
            return [Direction(a, b) for a in self.languages for b in self.languages if a != b]
        directions = list(dict.fromkeys(parse_direction(text, where) for text in wanted))
        for direction in directions:
            for code in direction:
                if code not in self.languages:
                    raise ConfigError(
                        f"language {code!r} of {direction} ({where}) is not in the benchmark",
                        f"It has {', '.join(self.languages)}; make another with `pivotlens bench --words FILE`.",
                    )
        return directions
