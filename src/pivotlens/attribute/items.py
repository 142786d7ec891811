"""The items of attribution: traced words with their counts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pivotlens.arrays import Booleans, Floats, Integers
from pivotlens.attribute.predictors import Predictors, pair_predictors
from pivotlens.text import ENGLISH, Direction, fold

Row = Mapping[str, Any]
Key = tuple[str, str, str]
"""Concept id, source language, target language."""


def key_of(row: Row) -> Key:
    """Return the item that a row is about."""
    return row["concept_id"], row["source_language"], row["target_language"]


@dataclass(frozen=True)
class CountedItems:
    """Items of shot set 0 whose pair was counted; arrays are of shape ``(items,)``.

    Attributes:
        keys: Concept and direction of each.
        directions: Directions in the order of the trace.
        direction: Place of each item's direction.
        concept: Number of each item's concept: the cluster of the bootstrap.
        concepts: Number of concepts.
        counts: Units with the source word, the target word and both, or occurrences; shape ``(items, 3)``.
        predictors: What the counts say.
        correct: Whether the model's answer is right.
        same_spelling: Whether both words are written alike.
        n_target_tokens: Tokens of the target.
        score: Word-translation score, NaN where there is none.
        behaviours: Behaviour of each item by rule; "" where the rule gave none.
    """

    keys: tuple[Key, ...]
    directions: tuple[Direction, ...]
    direction: Integers
    concept: Integers
    concepts: int
    counts: Integers
    predictors: Predictors
    correct: Booleans
    same_spelling: Booleans
    n_target_tokens: Integers
    score: Floats
    behaviours: Mapping[str, npt.NDArray[np.str_]]

    def chosen(self, item_set: str) -> Booleans:
        """Return which items a set has: ``all``, or ``correct`` for those answered rightly; none is spelled alike."""
        return ~self.same_spelling & (self.correct | (item_set == "all"))


def spelled_as_english(traced: Sequence[Row], english: Collection[str]) -> frozenset[Key]:
    """Return the items with a word that is not English but is spelled like an English one.

    Such a word is met in a corpus wherever the English one is.

    Args:
        traced: Rows of the trace's items.
        english: The benchmark's English words, folded.
    """
    return frozenset(
        key_of(row)
        for row in traced
        if any(
            row[f"{side}_language"] != ENGLISH and fold(row[f"{side}_word"]) in english for side in ("source", "target")
        )
    )


def gather(
    traced: Sequence[Row],
    behaviours: Sequence[Row],
    pairs: Sequence[Row],
    units: int | None,
    scores: Mapping[Key, float],
) -> CountedItems:
    """Join what was traced with what was counted.

    Args:
        traced: Rows of the trace's items, shot set 0.
        behaviours: Rows of its behaviours, shot set 0.
        pairs: Rows of the counted pairs; one of the two directions of a pair is enough.
        units: All units of the corpus; None where occurrences were counted.
        scores: Score by item; may be empty.

    Returns:
        The items whose pair was counted, in the order of the trace.
    """
    counted: dict[Key, tuple[int, int, int]] = {}
    for row in pairs:
        concept, source, target = key_of(row)
        counted.setdefault((concept, target, source), (row["df_target"], row["df_source"], row["df_both"]))
    # A pair's own row goes before the mirror image of the other direction's.
    counted.update({key_of(row): (row["df_source"], row["df_target"], row["df_both"]) for row in pairs})
    kept = [row for row in traced if key_of(row) in counted]
    keys = [key_of(row) for row in kept]
    directions = tuple(dict.fromkeys(Direction(source, target) for _, source, target in keys))
    numbers = {concept: place for place, concept in enumerate(dict.fromkeys(key[0] for key in keys))}
    counts = np.array([counted[key] for key in keys], dtype=np.int64).reshape(len(keys), 3)
    by_rule: dict[str, dict[Key, str]] = {}
    for row in behaviours:
        by_rule.setdefault(row["rule"], {})[key_of(row)] = row["behaviour"]
    return CountedItems(
        keys=tuple(keys),
        directions=directions,
        direction=np.array([directions.index(Direction(*key[1:])) for key in keys], dtype=np.int64),
        concept=np.array([numbers[key[0]] for key in keys], dtype=np.int64),
        concepts=len(numbers),
        counts=counts,
        predictors=pair_predictors(counts[:, 0], counts[:, 1], counts[:, 2], units),
        correct=np.array([bool(row["correct"]) for row in kept], dtype=bool),
        same_spelling=np.array([bool(row["same_spelling"]) for row in kept], dtype=bool),
        n_target_tokens=np.array([row["n_target_tokens"] for row in kept], dtype=np.int64),
        score=np.array([scores.get(key, np.nan) for key in keys], dtype=np.float64),
        behaviours={
            rule: np.array([found.get(key, "") for key in keys], dtype=np.str_) for rule, found in by_rule.items()
        },
    )
