"""What an item of the benchmark is asked beside its own source word, and what is right after it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pivotlens.artifacts import Concept
from pivotlens.errors import ConfigError
from pivotlens.text import Direction, fold


def choices_of(items: Sequence[Concept]) -> list[list[str]]:
    """Return for each item the ids of its own concept and of its distractors.

    Raises:
        ConfigError: An item has no distractors, or items have different numbers of them.
    """
    choices = [[item.concept_id, *item.distractors] for item in items]
    counts = {len(row) for row in choices}
    if len(counts) != 1 or counts == {1}:
        raise ConfigError(
            f"the benchmark gives its concepts {sorted(n - 1 for n in counts)} distractors",
            "Every concept needs the same number, at least one: make the benchmark again with fewer `distractors`.",
        )
    return choices


def accepted_answers(concepts: Iterable[Concept], direction: Direction) -> dict[str, set[str]]:
    """Return what is right after each (folded) source word: one that two concepts show has the answers of both."""
    found: dict[str, set[str]] = {}
    for concept in concepts:
        found.setdefault(fold(concept.words[direction.source]), set()).update(concept.accepted[direction.target])
    return found
