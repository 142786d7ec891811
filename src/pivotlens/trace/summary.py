"""Shares of each behaviour, with intervals: by direction, by kind of item, and for the headline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pivotlens.arrays import Booleans
from pivotlens.statistics.bootstrap import Interval, bootstrap_mean
from pivotlens.text import ENGLISH, Direction
from pivotlens.trace.agreement import Labels

Row = dict[str, Any]

ITEM_SETS = ("all", "different_spelling", "correct")


@dataclass(frozen=True)
class TracedItems:
    """The items of shot set 0 of one model under one prompt, as a grid of concepts by directions.

    Attributes:
        model: Spec.
        prompt: Template.
        concepts: Concept ids.
        directions: Pairs of source and target language.
        facts: ``trace/items`` rows by (source language, target language, concept).
    """

    model: str
    prompt: str
    concepts: list[str]
    directions: list[tuple[str, str]]
    facts: Mapping[tuple[str, str, str], Row]

    @classmethod
    def of(cls, items: Iterable[Row], model: str, prompt: str) -> TracedItems:
        """Take the rows of a model and prompt from ``trace/items``."""
        facts = {
            (row["source_language"], row["target_language"], row["concept_id"]): row
            for row in items
            if (row["model"], row["prompt"], row["shot_set"]) == (model, prompt, 0)
        }
        concepts = list(dict.fromkeys(concept for _, _, concept in facts))
        return cls(model, prompt, concepts, list(dict.fromkeys(key[:2] for key in facts)), facts)

    def grid(self, value: Mapping[tuple[str, str, str], Any], default: Any) -> npt.NDArray[Any]:
        """Return values as an array of objects, shape ``(concepts, directions)``."""
        return np.array(
            [[value.get((*direction, concept), default) for direction in self.directions] for concept in self.concepts],
            dtype=object,
        ).reshape(len(self.concepts), len(self.directions))

    def fact(self, name: str) -> npt.NDArray[Any]:
        """Return a column of the items as an array of objects, shape ``(concepts, directions)``."""
        return self.grid({key: row[name] for key, row in self.facts.items()}, None)

    def labels(self) -> Row:
        """Return the columns that every row begins with."""
        return {"model": self.model, "prompt": self.prompt}


def summary_rows(traced: TracedItems, labels: Mapping[tuple[str, int], Labels], bootstrap: int, seed: int) -> list[Row]:
    """Return the ``trace/summary`` rows: shares of each label by direction.

    `item_set` is ``all``, ``different_spelling``, or ``correct`` (answered rightly and spelled differently).
    """
    different = ~traced.fact("same_spelling").astype(bool)
    masks = dict(
        zip(
            ITEM_SETS,
            (np.ones_like(different), different, different & traced.fact("correct").astype(bool)),
            strict=True,
        )
    )
    rows = []
    for rule, grid in _by_rule(traced, labels):
        for number, direction in enumerate(traced.directions):
            column = grid[:, [number]]
            for name, mask in masks.items():
                names = sorted(set(column.ravel().tolist()))
                for share in shares(column, mask[:, [number]], names, bootstrap, seed):
                    sides = {"source_language": direction[0], "target_language": direction[1]}
                    rows.append({**traced.labels(), **sides, "rule": rule, "item_set": name, **share})
    return rows


def strata_rows(traced: TracedItems, labels: Mapping[tuple[str, int], Labels], bootstrap: int, seed: int) -> list[Row]:
    """Return the ``trace/strata`` rows: shares over directions with neither side English, and with one.

    The headline is stratum ``all`` of the group ``neither_english``. Shares are means over directions; intervals
    resample concepts jointly over them.
    """
    rows = []
    for rule, grid in _by_rule(traced, labels):
        for group, chosen in direction_groups(traced).items():
            names = sorted(set(grid[:, chosen].ravel().tolist()))
            for stratum, value, mask in _strata(traced):
                for share in shares(grid[:, chosen], mask[:, chosen], names, bootstrap, seed):
                    stratified = {"direction_group": group, "rule": rule, "stratum": stratum, "value": value}
                    rows.append({**traced.labels(), **stratified, **share})
    return rows


def direction_groups(traced: TracedItems) -> dict[str, list[bool]]:
    """Return which directions each group holds that the shares are means over; groups without any are left out."""
    groups = {
        "neither_english": [ENGLISH not in direction for direction in traced.directions],
        "source_english": [direction[0] == ENGLISH for direction in traced.directions],
        "target_english": [direction[1] == ENGLISH for direction in traced.directions],
    }
    return {name: chosen for name, chosen in groups.items() if any(chosen)}


def groups_and_directions(traced: TracedItems) -> dict[str, list[bool]]:
    """Return which directions each group holds, as `direction_groups`, and after them each direction by itself."""
    each = {str(Direction(*one)): [other == one for other in traced.directions] for one in traced.directions}
    return direction_groups(traced) | each


def _by_rule(traced: TracedItems, labels: Mapping[tuple[str, int], Labels]) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    for (rule, shot_set), found in labels.items():
        if shot_set == 0:
            yield rule, traced.grid(found, "")


def _strata(traced: TracedItems) -> Iterator[tuple[str, str, Booleans]]:
    correct, same = traced.fact("correct").astype(bool), traced.fact("same_spelling").astype(bool)
    yield "all", "", np.ones_like(correct)
    yield "answer", "right", correct
    yield "answer", "wrong", ~correct
    yield "spelling", "different", ~same
    yield "spelling", "same", same
    pieces = (traced.fact("n_target_tokens") - traced.fact("n_space_tokens")).astype(np.int64)
    for value, mask in (("1", pieces == 1), ("2", pieces == 2), ("3 or more", pieces > 2)):
        yield "pieces", value, mask
    for stratum in ("pos", "band"):
        column = traced.fact(stratum)
        for value in sorted({one for one in column.ravel().tolist() if one}):
            yield stratum, value, column == value


def shares(grid: npt.NDArray[Any], mask: Booleans, names: Sequence[str], bootstrap: int, seed: int) -> Iterator[Row]:
    """Yield the share of each label among the masked items, with its interval."""
    n = int(mask.sum())
    for name in names:
        values = np.where(mask, (grid == name).astype(np.float64), np.nan)
        # What no item shows has the same share in every resample.
        there = n == 0 or np.nansum(values) > 0
        found = bootstrap_mean(values[:, :, None], bootstrap, seed) if there else Interval(0.0, 0.0, 0.0)
        yield {"behaviour": name, "n": n, "share": found.value, "ci_low": found.low, "ci_high": found.high}
