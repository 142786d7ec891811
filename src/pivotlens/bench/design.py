"""Splits, calibration set and distractors for a word list that does not bring its own."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np

from pivotlens.arrays import Hashes, Integers
from pivotlens.bench.wordlist import Form, ListedConcept, with_split
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
                f"the list has {len(concepts)} concepts, too few for a shot pool of {shot_pool} beside the test; "
                f"{len(free)} of them share no word with another",
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


def draw_distractors(
    concepts: Sequence[ListedConcept],
    count: int,
    seed: int,
    related: Mapping[str, Collection[Form]] | None = None,
) -> dict[str, list[str]]:
    """Draw each test concept's distractors: of the same part of speech, sharing no form with it.

    Of the candidates, those with the smallest keys are taken; the key of a pair follows from the seed and the two ids
    alone (SHA-256 of each, mixed by SplitMix64's finalizer), so a concept added to a list moves few others.

    Args:
        concepts: Shots among them are left out.
        count: Distractors a concept.
        seed: Of the draw.
        related: By concept, the forms of which two concepts must share none; the accepted words when None.

    Raises:
        DataError: A concept has too few candidates.
    """
    drawn: dict[str, list[str]] = {}
    for group, shared in _groups(concepts, related):
        names = [concept.concept_id for concept in group]
        own = np.array([_key(f"{seed}/distractors/{name}") for name in names], np.uint64)
        others = _mixed(own)
        for place, name in enumerate(names):
            free = np.ones(len(names), bool)
            free[shared[place]] = False
            candidates = np.flatnonzero(free)
            if len(candidates) < count:
                raise DataError(
                    f"concept {name!r} has {len(candidates)} possible distractors of the {count} wanted",
                    "Add concepts of its part of speech, or lower `distractors`.",
                )
            keys = _mixed(own[place] + others[candidates])
            first = np.argpartition(keys, count - 1)[:count]
            first = first[np.argsort(keys[first], kind="stable")]
            drawn[name] = [names[index] for index in candidates[first]]
    return {concept.concept_id: drawn[concept.concept_id] for concept in concepts if concept.split == "test"}


def with_enough_distractors(
    concepts: Sequence[ListedConcept], count: int, related: Mapping[str, Collection[Form]] | None
) -> list[ListedConcept]:
    """Return the concepts without those test concepts for which too few distractors would be left."""
    kept = list(concepts)
    while True:
        poor = {
            concept.concept_id
            for group, shared in _groups(kept, related)
            for concept, others in zip(group, shared, strict=True)
            if len(group) - len(others) < count
        }
        if not poor:
            return kept
        kept = [concept for concept in kept if concept.concept_id not in poor]


def _groups(
    concepts: Sequence[ListedConcept], related: Mapping[str, Collection[Form]] | None
) -> Iterator[tuple[list[ListedConcept], list[Integers]]]:
    """Yield the test concepts of each part of speech, with the places of those that share a form, oneself included."""
    tests = sorted((concept for concept in concepts if concept.split == "test"), key=lambda found: found.concept_id)
    for pos in sorted({concept.pos for concept in tests}):
        group = [concept for concept in tests if concept.pos == pos]
        forms = [concept.forms() if related is None else related[concept.concept_id] for concept in group]
        places: dict[Form, list[int]] = {}
        for place, found in enumerate(forms):
            for form in found:
                places.setdefault(form, []).append(place)
        yield (
            group,
            [
                np.array(sorted({place}.union(*(places[form] for form in found))), np.int64)
                for place, found in enumerate(forms)
            ],
        )


def _key(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])


def _mixed(keys: Hashes) -> Hashes:
    """Return SplitMix64's finalizer of 64-bit keys (Steele, Lea and Flood 2014), which wraps around."""
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))
