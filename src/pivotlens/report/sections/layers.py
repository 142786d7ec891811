"""Mean probability mass of the token sets by layer, with bootstrap bands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pivotlens.arrays import Floats
from pivotlens.report.run_tables import Row, direction_of
from pivotlens.text import Direction

CURVES = {
    "mass_target": "target",
    "mass_source": "source",
    "mass_english": "english",
    "mass_pivots": "mined",
    "mass_random": "random",
}
"""Figure of ``trace/profiles`` and the name of its curve."""

CURVE_NAMES = {
    "target": "target word",
    "source": "source word",
    "english": "English word",
    "mined": "mined pivots",
    "random": "random control",
}


@dataclass(frozen=True)
class Curve:
    """A mean by layer, shape ``(layers,)``, with the ends of its 95 % interval over items."""

    name: str
    mean: Floats
    low: Floats
    high: Floats

    @property
    def peak(self) -> int:
        """Index of the highest mean."""
        return int(np.nanargmax(self.mean))


@dataclass(frozen=True)
class LayerProfile:
    """The layers of a direction.

    Attributes:
        layers: Layer numbers, 0 = embeddings.
        entropy: Mean entropy of the lens in nats, shape ``(layers,)``.
    """

    direction: Direction
    n: int
    layers: tuple[int, ...]
    entropy: Floats
    curves: tuple[Curve, ...]

    def curve(self, name: str) -> Curve | None:
        """Return a curve by name, or None where the direction has none."""
        return next((curve for curve in self.curves if curve.name == name), None)


def layer_profiles(rows: Sequence[Row]) -> list[LayerProfile]:
    """Build the profiles from ``trace/profiles`` of one model and wording, by direction."""
    by_direction: dict[Direction, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        by_direction[direction_of(row)][row["figure"]].append(row)
    return [_profile(direction, figures) for direction, figures in by_direction.items()]


def _profile(direction: Direction, figures: Mapping[str, list[Row]]) -> LayerProfile:
    entropy = figures["entropy"]
    return LayerProfile(
        direction=direction,
        n=entropy[0]["n"],
        layers=tuple(row["layer"] for row in entropy),
        entropy=_column(entropy, "mean"),
        curves=tuple(
            Curve(name, *(_column(figures[figure], column) for column in ("mean", "ci_low", "ci_high")))
            for figure, name in CURVES.items()
            if figure in figures
        ),
    )


def _column(rows: Sequence[Row], name: str) -> Floats:
    return np.array([row[name] for row in rows], dtype=np.float64)
