"""Parts of a word list that share no word, so that what is learnt on one tells nothing of another one's concepts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pivotlens.bench.design import seeded_order
from pivotlens.bench.wordlist import ListedConcept


def components(concepts: Sequence[ListedConcept]) -> list[list[str]]:
    """Return the ids of the concepts in connected components, in the order of the list.

    Two concepts are connected where they accept the same word, folded, whatever its language, or have the same synset.

    Args:
        concepts: With their words in every language of the list.
    """
    parent = list(range(len(concepts)))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    first: dict[tuple[str, str], int] = {}
    for place, concept in enumerate(concepts):
        keys = [("word", word) for _, word in concept.forms()]
        keys += [("synset", concept.synset)] if concept.synset else []
        for key in keys:
            one, other = sorted((root(place), root(first.setdefault(key, place))))
            parent[other] = one
    found: dict[int, list[str]] = {}
    for place, concept in enumerate(concepts):
        found.setdefault(root(place), []).append(concept.concept_id)
    return list(found.values())


def part_of_concepts(concepts: Sequence[ListedConcept], shares: Mapping[str, float], seed: int) -> dict[str, str]:
    """Return the part of each concept; those of a connected component are in one part (docs/method.md#parts).

    Components are dealt out, the largest first and those of equal size by part of speech and frequency band, each to
    the part that lacks the largest share of its concepts: so all parts are made up alike.

    Args:
        concepts: With their words in every language of the list; shots do not count.
        shares: Of the concepts, by part.
        seed: Of the order among components that are alike.
    """
    known = {concept.concept_id: concept for concept in concepts}
    groups = {members[0]: members for members in components(concepts)}
    order = {name: place for place, name in enumerate(seeded_order(list(groups), seed, "parts"))}
    dealt = sorted(groups, key=lambda name: (-len(groups[name]), known[name].pos, known[name].band, order[name]))
    held = dict.fromkeys(shares, 0)
    found: dict[str, str] = {}
    for name in dealt:
        members = groups[name]
        size = sum(held.values()) + len(members)
        lacking = {part: share * size - held[part] for part, share in shares.items()}
        part = max(lacking, key=lacking.__getitem__)
        held[part] += len(members)
        found |= dict.fromkeys(members, part)
    return found


def concepts_of_part(
    concepts: Sequence[ListedConcept], everywhere: Sequence[ListedConcept], parts: Mapping[str, str], part: str
) -> tuple[list[ListedConcept], list[dict[str, str]]]:
    """Return the shots and the test concepts of a part, unmarked for calibration, and the words of all other parts.

    Args:
        concepts: In the languages that are kept.
        everywhere: The test concepts in every language of the list.
        parts: As `part_of_concepts` returns them.
        part: The part.

    Returns:
        The concepts, and rows of the table ``other_parts``.
    """
    kept = [replace(concept, calibration=None) for concept in concepts if parts.get(concept.concept_id, part) == part]
    rows = [
        {"concept_id": concept.concept_id, "part": parts[concept.concept_id], "language": language, "word": word}
        for concept in everywhere
        if parts[concept.concept_id] != part
        for language, words in concept.words.items()
        for word in words
    ]
    return kept, rows
