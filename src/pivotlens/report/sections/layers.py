"""Mean probability mass of the token sets by layer, with bootstrap bands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pivotlens.report.run_tables import direction_of
from pivotlens.statistics.bootstrap import Floats, resample_indices
from pivotlens.text import Direction

RESAMPLES = 400
CURVES = {
    "mass_target": "target",
    "mass_source": "source",
    "mass_english": "english",
    "mass_pivots": "mined",
    "mass_random": "random",
}
"""Column of ``trace/layers`` and the name of its curve."""

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


def layer_profiles(table: pa.Table) -> list[LayerProfile]:
    """Build the profiles from ``trace/layers``: means over the items of the first shot set, by direction."""
    if table.num_rows == 0:
        return []
    table = table.filter(pc.equal(table["shot_set"], pc.min(table["shot_set"])))
    columns = ["source_language", "target_language"]
    directions = table.select(columns).group_by(columns, use_threads=False).aggregate([]).to_pylist()
    profiles = []
    for row in directions:
        direction = direction_of(row)
        mask = pc.and_(
            pc.equal(table["source_language"], direction.source), pc.equal(table["target_language"], direction.target)
        )
        profiles.append(_profile(direction, table.filter(mask)))
    return profiles


def _profile(direction: Direction, table: pa.Table) -> LayerProfile:
    concepts = table["concept_id"].combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False)
    layers, layer_of = np.unique(table["layer"].to_numpy(), return_inverse=True)
    shape = (int(concepts.max()) + 1, len(layers))

    def grid(name: str) -> Floats:
        values = np.full(shape, np.nan)
        values[concepts, layer_of] = table[name].cast(pa.float64()).to_numpy()
        return values

    curves = [mean_band(name, grid(column)) for column, name in CURVES.items() if column in table.column_names]
    return LayerProfile(
        direction=direction,
        n=shape[0],
        layers=tuple(int(layer) for layer in layers),
        entropy=_column_means(np.ones((1, shape[0])), grid("entropy"))[0],
        curves=tuple(curve for curve in curves if not np.isnan(curve.mean).all()),
    )


def mean_band(name: str, values: Floats) -> Curve:
    """Return the mean over items with its percentile bootstrap band.

    Args:
        name: Name of the curve.
        values: Shape ``(items, layers)``; NaN where an item has no figure.
    """
    n = values.shape[0]
    weights = np.stack([np.bincount(row, minlength=n) for row in resample_indices(n, RESAMPLES, 0)]).astype(np.float64)
    mean = _column_means(np.ones((1, n)), values)[0]
    means = np.where(np.isnan(mean), 0.0, _column_means(weights, values))
    low, high = np.nanquantile(means, [0.025, 0.975], axis=0)
    return Curve(name, mean, np.where(np.isnan(mean), np.nan, low), np.where(np.isnan(mean), np.nan, high))


def _column_means(weights: Floats, values: Floats) -> Floats:
    present = ~np.isnan(values)
    total = weights @ np.where(present, values, 0.0)
    count = weights @ present
    means: Floats = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return means
