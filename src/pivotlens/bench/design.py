"""Splits, calibration set and distractors for a word list that does not bring its own."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from pivotlens.bench.wordlist import ListedConcept, with_split
from pivotlens.errors import DataError


def seeded_order(names: Sequence[str], seed: int, purpose: str) -> list[str]:
    """Return the names in an order that follows from the seed and each name alone.

    A concept added to a list moves no other one.
    """
    return sorted(names, key=lambda name: (hashlib.sha256(f"{seed}/{purpose}/{name}".encode()).digest(), name))


def assign_splits(
    concepts: Sequence[ListedConcept], shot_pool: int, calibration: int, seed: int
) -> list[ListedConcept]:
    """Put shots apart and mark the calibration set, where the list does not say.

    Raises:
        DataError: A shot concept shares a word with another concept, or too few concepts are left.
    """
    uses: dict[tuple[str, str], list[str]] = {}
    for concept in concepts:
        for form in concept.forms():
            uses.setdefault(form, []).append(concept.concept_id)
    shared = {
        concept.concept_id: form for concept in concepts for form in sorted(concept.forms()) if len(uses[form]) > 1
    }
    chosen = {concept.concept_id for concept in concepts if concept.split == "shot"}
    if not any(concept.split for concept in concepts):
        free = [concept.concept_id for concept in concepts if concept.concept_id not in shared]
        chosen = set(seeded_order(free, seed, "shots")[:shot_pool])
        if len(chosen) < shot_pool or len(concepts) - len(chosen) < 2:
            raise DataError(
                f"the list has {len(concepts)} concepts, too few for a shot pool of {shot_pool} beside the test",
                "Lower `shot_pool`, or add concepts whose words no other concept shares.",
            )
    if len(concepts) - len(chosen) < 2:
        raise DataError(
            f"the list has {len(concepts) - len(chosen)} test concepts",
            "Write test in the `split` column of two concepts at least.",
        )
    for concept_id in sorted(chosen & set(shared)):
        language, word = shared[concept_id]
        raise DataError(
            f"shot concept {concept_id!r} shares the {language} word {word!r} with another concept",
            "A shot would give an answer away: take it out of the shot pool.",
        )
    tests = [concept.concept_id for concept in concepts if concept.concept_id not in chosen]
    listed = any(concept.calibration is not None for concept in concepts)
    marked = set(seeded_order(tests, seed, "calibration")[:calibration])
    return [
        with_split(
            concept,
            "shot" if concept.concept_id in chosen else "test",
            concept.concept_id not in chosen
            and (bool(concept.calibration) if listed else concept.concept_id in marked),
        )
        for concept in concepts
    ]


def draw_distractors(concepts: Sequence[ListedConcept], count: int, seed: int) -> dict[str, list[str]]:
    """Draw each test concept's distractors: same part of speech, no accepted word in common in any language.

    Raises:
        DataError: A concept has too few candidates.
    """
    tests = [concept for concept in concepts if concept.split == "test"]
    forms = {concept.concept_id: concept.forms() for concept in tests}
    drawn = {}
    for concept in tests:
        candidates = [
            other.concept_id
            for other in tests
            if other.concept_id != concept.concept_id
            and other.pos == concept.pos
            and not forms[other.concept_id] & forms[concept.concept_id]
        ]
        if len(candidates) < count:
            raise DataError(
                f"concept {concept.concept_id!r} has {len(candidates)} possible distractors of the {count} wanted",
                "Add concepts of its part of speech, or lower `distractors`.",
            )
        drawn[concept.concept_id] = seeded_order(candidates, seed, f"distractors/{concept.concept_id}")[:count]
    return drawn
