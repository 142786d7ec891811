"""Precision of mined pivots by what judges said of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import orjson

from tools.pivot_judgements.draw import Drawn

Key = TypeVar("Key", bound=Hashable)
LABELS = ("useful", "related", "noise")
RESAMPLES = 4000


@dataclass(frozen=True)
class Precision:
    """A weighted share of pivots, with its 95 % interval from resampled concepts.

    Attributes:
        items: Judged pivots.
        value: The share.
        low: Lower end.
        high: Upper end.
    """

    items: int
    value: float
    low: float
    high: float


def read_drawn(folder: Path) -> list[Drawn]:
    """Read where the items come from."""
    return [Drawn(**orjson.loads(line)) for line in (folder / "drawn.jsonl").read_bytes().splitlines()]


def read_pass(path: Path, items: Sequence[int]) -> dict[int, str]:
    """Read one judge's labels: lines of item and first letter of the label.

    Raises:
        ValueError: An item is missing, unknown or told twice, or a label is none.
    """
    letters = {label[0]: label for label in LABELS}
    found: dict[int, str] = {}
    for line in path.read_text(encoding="utf-8").split("\n"):
        if not line.strip():
            continue
        number, _, letter = line.partition("\t")
        if int(number) in found or letter.strip() not in letters:
            raise ValueError(f"{path.name}: {line!r} is told twice or has no label of {', '.join(letters)}")
        found[int(number)] = letters[letter.strip()]
    if differing := set(items) ^ set(found):
        raise ValueError(f"{path.name} and the draw differ in items {sorted(differing)[:5]}")
    return found


def precision(drawn: Sequence[Drawn], good: Callable[[int], float], seed: int = 0) -> Precision:
    """Return the share of pivots up to the last rank drawn that are good, weighted by strata, resampled by concept.

    Args:
        drawn: Pivots of one kind.
        good: Tells by the number of an item how far it is, 0 to 1.
        seed: Of the bootstrap.
    """
    concepts = {concept: place for place, concept in enumerate(sorted({one.concept_id for one in drawn}))}
    sums = np.zeros((len(concepts), 2))
    for one in drawn:
        sums[concepts[one.concept_id]] += (one.weight * good(one.item), one.weight)
    rng = np.random.default_rng(seed)
    times = rng.multinomial(len(concepts), np.full(len(concepts), 1 / len(concepts)), size=RESAMPLES)
    hits, all_of_them = (times @ sums).T
    low, high = np.quantile(hits / all_of_them, [0.025, 0.975])
    total = sums.sum(axis=0)
    return Precision(len(drawn), float(total[0] / total[1]), float(low), float(high))


def agreement(first: Mapping[Key, str], second: Mapping[Key, str]) -> tuple[float, float]:
    """Return the share of items that two passes judge alike, and Cohen's kappa."""
    same = float(np.mean([first[item] == second[item] for item in first]))
    chance = sum(
        np.mean([label == one for label in first.values()]) * np.mean([label == one for label in second.values()])
        for one in LABELS
    )
    return same, float((same - chance) / (1 - chance))
