"""The headline shares: over directions, under every rule; by kind of item; by model and by wording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pivotlens.report.run_tables import Row, interval_of
from pivotlens.report.sections.behaviours import DEFAULT_RULE, PIVOT
from pivotlens.report.wording import BEHAVIOUR_NAMES, RULE_NOTES
from pivotlens.statistics.bootstrap import Interval
from pivotlens.text import ENGLISH, Direction

GROUP_NAMES = {
    "neither_english": "neither side English",
    "source_english": "English as the source",
    "target_english": "English as the target",
}
"""Groups of directions; the first one present holds the headline."""

STRATUM_NAMES = {
    "answer": "answer",
    "spelling": "spelling of the two words",
    "pieces": "tokens of the target word",
    "pos": "part of speech",
    "band": "frequency band",
}
SWEPT_RULES = ("calibrated", "onset")
SWEPT = ("direct", "copy", PIVOT)
"""Behaviours that a sweep shows."""


@dataclass(frozen=True)
class Shares:
    """Shares of the behaviours among items; None where there are no items."""

    rule: str
    stratum: str
    value: str
    n: int
    shares: dict[str, Interval | None]


@dataclass(frozen=True)
class ShareGroup:
    """A group of directions: over all items under every rule, and by kind of item under the default one.

    Attributes:
        directions: A key of `GROUP_NAMES`.
        behaviours: Those that occur, in the order of `BEHAVIOUR_NAMES`.
    """

    directions: str
    behaviours: tuple[str, ...]
    rules: tuple[Shares, ...]
    strata: tuple[Shares, ...]

    @property
    def by_kind(self) -> tuple[tuple[str, tuple[Shares, ...]], ...]:
        """The strata by what they divide the items by."""
        kinds = dict.fromkeys(row.stratum for row in self.strata)
        return tuple((kind, tuple(row for row in self.strata if row.stratum == kind)) for kind in kinds)

    def rule(self, name: str) -> Shares | None:
        """Return the shares under a rule."""
        return next((row for row in self.rules if row.rule == name), None)


@dataclass(frozen=True)
class SweepPoint:
    """Shares of a model under a wording; ``short`` leaves out what all models' names begin with."""

    model: str
    short: str
    prompt: str
    shares: Shares


@dataclass(frozen=True)
class Sweep:
    """One rule over several models or wordings, in the order of the settings."""

    rule: str
    points: tuple[SweepPoint, ...]

    @property
    def by_model(self) -> tuple[SweepPoint, ...]:
        """The models under the first wording."""
        return tuple(point for point in self.points if point.prompt == self.points[0].prompt)

    @property
    def by_prompt(self) -> tuple[SweepPoint, ...]:
        """The wordings of the first model."""
        return tuple(point for point in self.points if point.model == self.points[0].model)


def group_of(direction: Direction) -> str:
    """Return the key of `GROUP_NAMES` whose mean a direction is in."""
    if ENGLISH not in direction:
        return "neither_english"
    return "source_english" if direction.source == ENGLISH else "target_english"


def share_groups(strata: Sequence[Row]) -> tuple[ShareGroup, ...]:
    """Build the groups from ``trace/strata`` of one model and wording; the headline's group comes first."""
    found = []
    for name in GROUP_NAMES:
        rows = [row for row in strata if row["directions"] == name and row["behaviour"]]
        if rows:
            found.append(_group(name, rows))
    return tuple(found)


def _group(name: str, rows: Sequence[Row]) -> ShareGroup:
    there = {row["behaviour"] for row in rows}
    behaviours = (*(one for one in BEHAVIOUR_NAMES if one in there), *sorted(there - set(BEHAVIOUR_NAMES)))
    rules = list(dict.fromkeys(row["rule"] for row in rows))
    order = [*(rule for rule in RULE_NOTES if rule in rules), *(rule for rule in rules if rule not in RULE_NOTES)]
    all_items = [row for row in rows if row["stratum"] == "all"]
    kinds = dict.fromkeys((row["stratum"], row["value"]) for row in rows if row["stratum"] != "all")
    default = [row for row in rows if row["rule"] == DEFAULT_RULE]
    return ShareGroup(
        directions=name,
        behaviours=behaviours,
        rules=tuple(_shares([row for row in all_items if row["rule"] == rule], behaviours) for rule in order),
        strata=tuple(
            shares
            for kind in kinds
            if (shares := _shares([row for row in default if (row["stratum"], row["value"]) == kind], behaviours)).n
        ),
    )


def _shares(rows: Sequence[Row], behaviours: Sequence[str]) -> Shares:
    if not rows:
        return Shares("", "", "", 0, dict.fromkeys(behaviours))
    first, by_name = rows[0], {row["behaviour"]: row for row in rows}
    # A label that a rule gives nowhere has no row: its share is zero in every resample.
    none = Interval(0.0, 0.0, 0.0) if first["n"] else None
    shares = {name: interval_of(by_name[name], "share") if name in by_name else none for name in behaviours}
    return Shares(first["rule"], first["stratum"], first["value"], first["n"], shares)


def sweeps(strata: Sequence[Row], models: Sequence[str], prompts: Sequence[str]) -> tuple[Sweep, ...]:
    """Build what a sweep shows from ``trace/strata`` of all models and wordings; nothing where there is one of each.

    Args:
        strata: The rows.
        models: Specs, in the order in which they were asked for.
        prompts: Wordings, likewise.
    """
    if len(models) < 2 and len(prompts) < 2:
        return ()
    there = {row["directions"] for row in strata}
    group = next((name for name in GROUP_NAMES if name in there), None)
    rows = [row for row in strata if row["directions"] == group and row["stratum"] == "all"]
    short = short_names(models)
    made = []
    for rule in SWEPT_RULES:
        points = [
            SweepPoint(model, short[model], prompt, _shares(found, SWEPT))
            for model in models
            for prompt in prompts
            if (found := [r for r in rows if (r["rule"], r["model"], r["prompt"]) == (rule, model, prompt)])
        ]
        if points:
            made.append(Sweep(rule, tuple(points)))
    return tuple(made)


def short_names(models: Sequence[str]) -> dict[str, str]:
    """Return names without the folder, owner or model that all of them begin with."""
    shared = 0
    if len(models) > 1:
        while all(len(model) > shared + 1 and model[shared] == models[0][shared] for model in models):
            shared += 1
        while shared and models[0][shared - 1] not in "/@:":
            shared -= 1
    return {model: model[shared:] or model for model in models}
