"""At which layers the pivot is taken out: chosen on one half of the concepts, tested on the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pivotlens.errors import ConfigError

Layers = tuple[int, ...]


@dataclass(frozen=True)
class WindowScore:
    """What a candidate did on the half that chooses.

    Attributes:
        own: Mean change of log P when the items' own pivots are taken out.
        other: The same when the states are moved equally far away from another item's pivot.
        n: Items with both.
    """

    layers: Layers
    n: int
    own: float
    other: float


def candidates(peaks: Sequence[int], blocks: int, half_widths: Sequence[int], last_layers: int) -> list[Layers]:
    """Return the windows to choose from: the median peak with so many layers on each side, narrow ones first.

    Args:
        peaks: Peak layers of the items of the half that chooses.
        blocks: Blocks of the model; layer l is the output of block l.
        half_widths: Layers on each side.
        last_layers: Last layers that no window reaches.

    Raises:
        ConfigError: No layer is left.
    """
    highest = blocks - last_layers
    if highest < 1:
        raise ConfigError(
            f"last_layers = {last_layers} leaves none of the model's {blocks} blocks", "Lower `last_layers`."
        )
    centre = min(int(np.median(peaks)), highest)
    found = [tuple(range(max(1, centre - w), min(highest, centre + w) + 1)) for w in sorted(half_widths)]
    return list(dict.fromkeys(found))


def best_window(scores: Sequence[WindowScore]) -> Layers:
    """Return the window whose removal of the own pivot harms most beyond another item's; ties to the narrow one.

    Where no candidate could be held against another item's pivot, the narrowest is taken.
    """
    tested = [score for score in scores if score.n > 0]
    return min(tested, key=lambda score: score.own - score.other).layers if tested else scores[0].layers


def early_window(window: Layers) -> Layers:
    """Return as many of the model's first layers, as far as they lie before the window."""
    return tuple(range(1, min(len(window), window[0] - 1) + 1))
