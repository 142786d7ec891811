"""Whether the pivot is causal: the conditions, the effects they rest on, the dose, and what else is harmed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from pivotlens.report.run_tables import Row, direction_of, interval_of
from pivotlens.report.sections.behaviours import PIVOT
from pivotlens.statistics.bootstrap import Interval
from pivotlens.text import Direction

SCOPE_NAMES = {"neither_english": "neither side English", "with_english": "English on a side"}
ITEM_NAMES = {
    "all": "all pivot items",
    "english_pivot": "the pivot is the English word",
    "correct": "the answer is right",
}
READ_NAMES = {
    "own": "the item itself",
    "unrelated_item": "another item of the direction",
    "unrelated_text": "a plain text",
}
CONTRAST_NAMES = {
    "own": "own pivot taken out",
    "own_minus_random": "more than a random direction, equally far",
    "own_minus_matched": "more than a word of like frequency",
    "own_minus_other": "more than another item's pivot",
    "own_minus_early": "more than in the layers before the window",
    "swap_minus_unrelated": "other pivot in: more than an unrelated word in",
    "swap": "other concept's pivot in: that concept's target",
    "own_minus_direct": "more than for direct items of like log P",
    "net_minus_direct": "more than for direct items, net of random",
    "clean_minus_direct": "pivot less direct items, before any change",
    "own_minus_synonym": "more than a synonym of a third language",
    "synonym_minus_random": "the synonym, more than a random direction",
    "own_minus_last_layer": "more than if no later block had read it",
    "random": "random direction",
    "matched": "word of like frequency",
    "other": "another item's pivot",
    "early": "own pivot, layers before the window",
    "synonym": "synonym of a third language",
    "last_layer": "the same change after the last block",
    "swap_unrelated": "unrelated word in: other concept's target",
    "direct_own": "direct items: English word taken out",
    "direct_random": "direct items: random direction",
}
"""Contrasts in the order of the forest; the steps of the dose are named by `contrast_name`."""


@dataclass(frozen=True)
class Verdict:
    """A condition, for each choice of items: holds, fails, or None where it could not be tested."""

    number: int
    condition: str
    holds: dict[str, bool | None]
    rests_on: str


@dataclass(frozen=True)
class Effect:
    """A mean change of log P in nats, below 0 where it is harmed; the interval is None where too few were tested."""

    contrast: str
    name: str
    n: int
    interval: Interval | None
    p: float | None
    needed: bool


@dataclass(frozen=True)
class DirectionEffect:
    """A direction: the pivot taken out, alone and against a random direction."""

    direction: Direction
    n: int
    own: Interval | None
    net: Interval | None


@dataclass(frozen=True)
class DoseCurve:
    """Change of log P by dose, from 0 on, of the items of one behaviour."""

    behaviour: str
    doses: tuple[float, ...]
    values: tuple[Interval | None, ...]


@dataclass(frozen=True)
class SideEffect:
    """What taking the pivot out does to a reading."""

    read: str
    n: int
    change: Interval | None
    kl: Interval | None
    relative_norm: Interval | None


@dataclass(frozen=True)
class Window:
    """A window of layers on the half that chooses."""

    first: int
    last: int
    n: int
    own: float
    other: float
    chosen: bool


@dataclass(frozen=True)
class Causality:
    """The section, over the directions of one scope: those with neither side English where any was tested."""

    scope: str
    items: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    effects: tuple[Effect, ...]
    directions: tuple[DirectionEffect, ...]
    doses: tuple[DoseCurve, ...]
    side_effects: tuple[SideEffect, ...]
    windows: tuple[Window, ...]

    @property
    def window(self) -> Window | None:
        """The window that was tested."""
        return next((window for window in self.windows if window.chosen), None)

    @property
    def needed(self) -> tuple[Effect, ...]:
        """The effects that the conditions rest on."""
        return tuple(effect for effect in self.effects if effect.needed)

    @property
    def others(self) -> tuple[Effect, ...]:
        """The effects beside them, of which there are enough items."""
        return tuple(effect for effect in self.effects if not effect.needed and effect.interval)

    @property
    def own(self) -> Effect | None:
        """The pivot taken out at dose 1."""
        return next((effect for effect in self.effects if effect.contrast == "own"), None)

    def count(self, holds: bool | None) -> int:
        """Return of how many conditions this is the verdict, over all pivot items."""
        return sum(verdict.holds.get("all") is holds for verdict in self.verdicts)


def contrast_name(contrast: str) -> str:
    """Return what a contrast says in words."""
    if contrast.startswith("dose_") and contrast.endswith("_step"):
        return f"dose raised to {contrast[5:-5]}"
    return CONTRAST_NAMES.get(contrast, contrast.replace("_", " "))


def causality(
    conditions: Sequence[Row],
    effects: Sequence[Row],
    side_effects: Sequence[Row],
    windows: Sequence[Row],
    doses: Sequence[Row],
) -> Causality:
    """Build the section from the tables of `ablate`.

    Args:
        conditions: ``ablate/conditions``.
        effects: ``ablate/effects``.
        side_effects: ``ablate/side_effects``.
        windows: ``ablate/windows``.
        doses: ``ablate/doses``.
    """
    there = {row["scope"] for row in effects if row["items"] == "all" and row["n"]}
    scope = next((name for name in SCOPE_NAMES if name in there), next(iter(SCOPE_NAMES)))
    of_scope = [row for row in conditions if row["scope"] == scope]
    chosen = tuple(name for name in ITEM_NAMES if any(row["items"] == name for row in of_scope))
    return Causality(
        scope=scope,
        items=chosen,
        verdicts=_verdicts(of_scope),
        effects=_effects([row for row in effects if row["scope"] == scope and row["items"] == "all"]),
        directions=_directions([row for row in effects if row["scope"] == "direction" and row["items"] == "all"]),
        doses=_doses([row for row in doses if row["scope"] == scope]),
        side_effects=tuple(
            SideEffect(
                row["read"],
                row["n"],
                *(interval_of(row, name, f"{name}_low", f"{name}_high") for name in ("change", "kl", "relative_norm")),
            )
            for row in side_effects
            if row["scope"] == scope
        ),
        windows=tuple(
            Window(row["first_layer"], row["last_layer"], row["n"], row["own"], row["other"], row["chosen"])
            for row in windows
        ),
    )


def _verdicts(rows: Sequence[Row]) -> tuple[Verdict, ...]:
    by_number: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        by_number[row["number"]].append(row)
    made = []
    for number, found in sorted(by_number.items()):
        whole = next((row for row in found if row["items"] == "all"), found[0])
        holds = {row["items"]: row["holds"] for row in found}
        rests = "; ".join(map(_in_words, whole["rests_on"].split("; ")))
        made.append(Verdict(number, whole["condition"], holds, rests))
    return tuple(made)


def _in_words(part: str) -> str:
    """Return ``own −0.3 [−0.5, −0.1], n = 9`` with the contrast in words."""
    name, _, figures = part.partition(" ")
    return f"{contrast_name(name.rstrip(':'))}: {figures}".replace("-", "−")


def _effects(rows: Sequence[Row]) -> tuple[Effect, ...]:
    order = {name: place for place, name in enumerate(CONTRAST_NAMES)}
    # The dose stands between the swap and the direct items, as in the conditions.
    dose = order["swap"] + 0.5

    def place(row: Row) -> float:
        name = row["contrast"]
        return dose if name.startswith("dose_") else order.get(name, len(order))

    names = list(CONTRAST_NAMES)
    needed = names[: names.index("own_minus_direct") + 1]
    return tuple(
        Effect(
            row["contrast"],
            contrast_name(row["contrast"]),
            row["n"],
            interval_of(row, "mean"),
            row["p"],
            row["contrast"] in needed or row["contrast"].startswith("dose_"),
        )
        for row in sorted(rows, key=place)
    )


def _directions(rows: Sequence[Row]) -> tuple[DirectionEffect, ...]:
    found: dict[Direction, dict[str, Row]] = defaultdict(dict)
    for row in rows:
        found[direction_of(row)][row["contrast"]] = row
    return tuple(
        DirectionEffect(
            direction,
            by_name["own"]["n"],
            interval_of(by_name["own"], "mean"),
            interval_of(by_name["own_minus_random"], "mean") if "own_minus_random" in by_name else None,
        )
        for direction, by_name in found.items()
        if "own" in by_name
    )


def _doses(rows: Sequence[Row]) -> tuple[DoseCurve, ...]:
    curves = []
    for behaviour in (PIVOT, "direct"):
        found = [row for row in rows if row["behaviour"] == behaviour]
        means = tuple(interval_of(row, "mean") for row in found)
        if any(means):
            doses = (0.0, *(row["dose"] for row in found))
            curves.append(DoseCurve(behaviour, doses, (Interval(0.0, 0.0, 0.0), *means)))
    return tuple(curves)
