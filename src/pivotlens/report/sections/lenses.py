"""The raw lens against the tuned one, layer by layer, on the items and on the text kept apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pivotlens.report.run_tables import Row, interval_of
from pivotlens.report.sections.behaviours import PIVOT
from pivotlens.report.wording import RULE_NOTES
from pivotlens.statistics.bootstrap import Floats, Interval, bootstrap_mean
from pivotlens.text import ENGLISH


@dataclass(frozen=True)
class LensCurve:
    """A figure by layer; intervals only where the table has them."""

    name: str
    values: tuple[Interval | None, ...]


@dataclass(frozen=True)
class LensChart:
    """Curves on common layers.

    Attributes:
        n: Documents, or items and shot sets, behind each layer.
        share: Whether the figures are shares.
    """

    title: str
    n: int
    layers: tuple[int, ...]
    curves: tuple[LensCurve, ...]
    share: bool


@dataclass(frozen=True)
class TunedShare:
    """Share of semantic pivots under a rule, read through the raw and through the tuned lens; the same items."""

    rule: str
    n: int
    raw: Interval
    tuned: Interval


@dataclass(frozen=True)
class Lenses:
    """The section."""

    charts: tuple[LensChart, ...]
    shares: tuple[TunedShare, ...]
    neither_english: bool


def lenses(
    held_out: Sequence[Row],
    items: Sequence[Row],
    raw: Sequence[Row],
    tuned: Sequence[Row],
    bootstrap: int,
    seed: int,
) -> Lenses | None:
    """Build the section; None where no tuned lens was trained.

    Args:
        held_out: ``lens/layers``.
        items: ``trace/lenses`` of one model and wording.
        raw: ``trace/behaviours`` of these.
        tuned: ``trace/tuned_behaviours`` of these.
        bootstrap: Resamples of the shares' intervals.
        seed: Of the resampling.
    """
    charts = [*_held_out(sorted(held_out, key=lambda row: row["layer"])), *_items(items)]
    if not charts:
        return None
    free = [row for row in tuned if ENGLISH not in (row["source_language"], row["target_language"])]
    return Lenses(tuple(charts), _tuned_shares(raw, free or tuned, bootstrap, seed), bool(free))


def _held_out(rows: Sequence[Row]) -> list[LensChart]:
    if not rows:
        return []
    layers, n = tuple(row["layer"] for row in rows), rows[0]["n"]

    def curves(figure: str) -> tuple[LensCurve, ...]:
        return tuple(
            LensCurve(lens, tuple(interval_of(row, name, f"{name}_low", f"{name}_high") for row in rows))
            for lens in ("raw", "tuned")
            for name in [f"{figure}_{lens}"]
        )

    return [
        LensChart("KL to the last layer, in nats, on text kept apart", n, layers, curves("kl"), False),
        LensChart("same most probable token as the last layer, on text kept apart", n, layers, curves("agrees"), True),
    ]


def _items(rows: Sequence[Row]) -> list[LensChart]:
    by_layer: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        by_layer[row["layer"]].append(row)
    if not by_layer:
        return []
    layers = tuple(sorted(by_layer))
    n = sum(row["n"] for row in by_layer[layers[0]])

    def curve(name: str, column: str) -> LensCurve:
        means = (np.mean([row[column] for row in by_layer[layer]]) for layer in layers)
        return LensCurve(name, tuple(Interval(float(mean), float("nan"), float("nan")) for mean in means))

    distance = (curve("raw", "kl_to_final_raw"), curve("tuned", "kl_to_final_tuned"))
    return [
        LensChart("KL to the last layer, in nats, on the items", n, layers, distance, False),
        LensChart("both lenses name the same token, on the items", n, layers, (curve("both", "same_top"),), True),
    ]


def _tuned_shares(raw: Sequence[Row], tuned: Sequence[Row], bootstrap: int, seed: int) -> tuple[TunedShare, ...]:
    found = {rule: labels for rule, labels in _labels(tuned).items() if labels}
    originals = _labels(raw)
    order = [*(rule for rule in RULE_NOTES if rule in found), *sorted(set(found) - set(RULE_NOTES))]
    made = []
    for rule in order:
        keys = [key for key in found[rule] if key in originals.get(rule, {})]
        if keys:
            one, other = (
                bootstrap_mean(_grid(keys, labels), bootstrap, seed) for labels in (originals[rule], found[rule])
            )
            made.append(TunedShare(rule, len(keys), one, other))
    return tuple(made)


_Key = tuple[str, str, str]


def _labels(rows: Sequence[Row]) -> dict[str, dict[_Key, str]]:
    found: dict[str, dict[_Key, str]] = defaultdict(dict)
    for row in rows:
        if row["shot_set"] == 0:
            key = row["source_language"], row["target_language"], row["concept_id"]
            found[row["rule"]][key] = row["behaviour"]
    return found


def _grid(keys: Sequence[_Key], labels: Mapping[_Key, str]) -> Floats:
    """Return whether each item is a semantic pivot, shape ``(concepts, directions, 1)``, NaN for absent ones."""
    concepts = {name: place for place, name in enumerate(dict.fromkeys(key[2] for key in keys))}
    directions = {pair: place for place, pair in enumerate(dict.fromkeys(key[:2] for key in keys))}
    values = np.full((len(concepts), len(directions), 1), np.nan)
    for key in keys:
        values[concepts[key[2]], directions[key[:2]], 0] = labels[key] == PIVOT
    return values
