"""Mined pivots of each item, and random tokens of like frequency to hold them against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pivotlens.arrays import Integers
from pivotlens.artifacts import Counts, Pivots
from pivotlens.statistics.seeding import named_generator
from pivotlens.text import is_word

ItemKey = tuple[str, str, str]

# How far, in frequency ranks, a random token may lie from the pivot it stands for.
_RANKS = 25


@dataclass(frozen=True)
class MinedPivots:
    """Pivots mined from the corpus, by item.

    Attributes:
        tokens: Token ids by (concept, source language, target language), strongest first.
        random: As many tokens of like frequency in the corpus.
    """

    tokens: dict[ItemKey, tuple[int, ...]]
    random: dict[ItemKey, tuple[int, ...]]


def load_mined(pivots: Pivots, counts: Counts, seed: int) -> MinedPivots:
    """Read the mined pivots and draw the comparison tokens.

    Args:
        pivots: Result of mining.
        counts: Result of counting: token frequencies and texts.
        seed: Seed of the draw; each item draws for itself, so none depends on another.
    """
    tokens: dict[ItemKey, list[int]] = {}
    for row in sorted(pivots.rows("pair_pivots"), key=lambda row: (row["concept_id"], row["rank"])):
        key = (row["concept_id"], row["source_language"], row["target_language"])
        tokens.setdefault(key, []).extend(row["variant_ids"])
    ladder = _frequency_ladder(counts)
    place = {int(token): index for index, token in enumerate(ladder)}
    random = {key: _like_frequency(ids, ladder, place, seed, key) for key, ids in tokens.items()}
    return MinedPivots({key: tuple(dict.fromkeys(ids)) for key, ids in tokens.items()}, random)


def _frequency_ladder(counts: Counts) -> Integers:
    texts = {row["token_id"]: row["token"] for row in counts.rows("token_texts")}
    scale = {
        (row["language"], row["stratum"]): row["units"] / max(row["units_sampled"], 1) for row in counts.rows("strata")
    }
    total: dict[int, float] = {}
    for row in counts.rows("tokens"):
        if is_word(texts.get(row["token_id"], "")):
            units = row["df"] * scale[row["document_language"], row["stratum"]]
            total[row["token_id"]] = total.get(row["token_id"], 0.0) + units
    return np.array(sorted(total, key=lambda token: (total[token], token)), dtype=np.int64)


def _like_frequency(
    ids: Sequence[int], ladder: Integers, place: dict[int, int], seed: int, key: ItemKey
) -> tuple[int, ...]:
    generator = named_generator(seed, *key)
    taken = set(ids)
    drawn: list[int] = []
    for token in ids:
        if token not in place:
            continue
        low, high = max(0, place[token] - _RANKS), min(len(ladder), place[token] + _RANKS + 1)
        near = [int(other) for other in ladder[low:high] if int(other) not in taken]
        if near:
            drawn.append(near[int(generator.integers(len(near)))])
            taken.add(drawn[-1])
    return tuple(drawn)
