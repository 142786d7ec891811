"""The raw lens against the tuned one, layer by layer, on the items and on the text kept apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pivotlens.report.run_tables import Row, interval_of
from pivotlens.statistics.bootstrap import Interval


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


def lenses(held_out: Sequence[Row], items: Sequence[Row], shares: Sequence[Row]) -> Lenses | None:
    """Build the section; None where no tuned lens was trained.

    Args:
        held_out: ``lens/layers``.
        items: ``trace/lens_layers`` of one model and wording.
        shares: ``trace/lens_shares`` of these.
    """
    charts = [*_held_out(sorted(held_out, key=lambda row: row["layer"])), *_items(items)]
    if not charts:
        return None
    free = [row for row in shares if row["directions"] == "neither_english"]
    return Lenses(tuple(charts), _tuned_shares(free or shares), bool(free))


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
    if not rows:
        return []
    rows = sorted(rows, key=lambda row: row["layer"])
    layers, n = tuple(row["layer"] for row in rows), rows[0]["n"]

    def curve(name: str, column: str) -> LensCurve:
        return LensCurve(name, tuple(Interval(row[column], float("nan"), float("nan")) for row in rows))

    distance = (curve("raw", "kl_to_final_raw"), curve("tuned", "kl_to_final_tuned"))
    return [
        LensChart("KL to the last layer, in nats, on the items", n, layers, distance, False),
        LensChart("both lenses name the same token, on the items", n, layers, (curve("both", "same_top"),), True),
    ]


def _tuned_shares(rows: Sequence[Row]) -> tuple[TunedShare, ...]:
    made = []
    for row in rows:
        raw, tuned = (interval_of(row, lens, f"{lens}_low", f"{lens}_high") for lens in ("raw", "tuned"))
        if raw is not None and tuned is not None:
            made.append(TunedShare(row["rule"], row["n"], raw, tuned))
    return tuple(made)
