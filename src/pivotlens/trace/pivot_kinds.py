"""What pivots are: in which language, how linked with the concept, at which layer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median_low
from typing import Any

import numpy as np

from pivotlens.text import ENGLISH, Direction
from pivotlens.trace.behaviours import SEMANTIC_PIVOT
from pivotlens.trace.pivot_languages import LANGUAGE_KINDS
from pivotlens.trace.summary import TracedItems, groups_and_directions, shares

Row = dict[str, Any]
_RULES = ("calibrated", "calibrated_linked", "onset")
_COLUMNS = ("model", "prompt", "source_language", "target_language", "rule")


def pivot_rows(behaviours: Iterable[Row]) -> list[Row]:
    """Return the rows of ``trace/pivots``: tokens that the default rules call pivots, of shot set 0, counted.

    A token's ``pivot_language`` is what it is written in (`pivotlens.trace.pivot_languages`); its languages are those
    in which it is a word linked with the concept, joined by ``+``; its relation is the closest one. ``share`` is among
    the pivots of the direction under the rule.
    """
    counts: Counter[tuple[Any, ...]] = Counter()
    totals: Counter[tuple[Any, ...]] = Counter()
    for row in behaviours:
        if row["behaviour"] == SEMANTIC_PIVOT and row["shot_set"] == 0 and row["rule"] in _RULES:
            group = tuple(row[name] for name in _COLUMNS)
            totals[group] += 1
            linked = "+".join(row["languages"] or ())
            counts[*group, row["pivot_language"], linked, row["relation"] or "", row["layer"]] += 1
    return [
        dict(zip((*_COLUMNS, "pivot_language", "languages", "relation", "layer"), key, strict=True))
        | {"n": count, "share": count / totals[key[: len(_COLUMNS)]]}
        for key, count in sorted(counts.items())
    ]


def pivot_language_rows(traced: TracedItems, behaviours: Iterable[Row], bootstrap: int, seed: int) -> list[Row]:
    """Return the rows of ``trace/pivot_languages``: the share of semantic pivots split by what they are written in.

    Of a rule's items the shares of all `LANGUAGE_KINDS` add up to that of semantic pivots. They are means over the
    directions of a group, or of one direction; intervals resample concepts.

    Args:
        traced: The items.
        behaviours: Rows of ``trace/behaviours``, of any models and prompts.
        bootstrap: Resamples.
        seed: Of the resampling.
    """
    kinds: dict[str, dict[tuple[str, str, str], str]] = {}
    for row in behaviours:
        if (row["model"], row["prompt"], row["shot_set"]) == (traced.model, traced.prompt, 0):
            kind = row["pivot_language"] if row["behaviour"] == SEMANTIC_PIVOT else ""
            kinds.setdefault(row["rule"], {})[row["source_language"], row["target_language"], row["concept_id"]] = kind
    different = ~traced.fact("same_spelling").astype(bool)
    rows = []
    for rule, of_items in kinds.items():
        grid = traced.grid(of_items, "")
        for name, chosen in groups_and_directions(traced).items():
            for item_set, mask in (("all", np.ones_like(different)), ("different_spelling", different)):
                for share in shares(grid[:, chosen], mask[:, chosen], LANGUAGE_KINDS, bootstrap, seed):
                    kind = share.pop("behaviour")
                    part = {"direction_group": name, "item_set": item_set, "rule": rule, "pivot_language": kind}
                    rows.append({**traced.labels(), **part, **share})
    return rows


def pivot_count_rows(pivots: Sequence[Row]) -> list[Row]:
    """Return the ``trace/pivot_counts`` rows: pivots by language and languages of the link, relation, layer.

    Args:
        pivots: Rows of ``trace/pivots``.
    """
    counts: dict[tuple[str, ...], Counter[tuple[str, str | int]]] = {}
    totals: Counter[tuple[str, ...]] = Counter()
    for row in pivots:
        told: list[tuple[str, str | int]] = [("language", language) for language in row["languages"].split("+")]
        told += [("languages", row["languages"]), ("relation", relation_kind(row["relation"])), ("layer", row["layer"])]
        for directions in _groups_of(row):
            key = (row["model"], row["prompt"], directions, row["rule"])
            totals[key] += row["n"]
            found = counts.setdefault(key, Counter())
            for one in told:
                found[one] += row["n"]
    return [
        dict(zip((*_GROUP, "by", "value"), (*key, by, str(value)), strict=True)) | {"n": n, "share": n / totals[key]}
        for key, found in counts.items()
        for (by, value), n in sorted(found.items())
    ]


def pivot_link_rows(pivots: Sequence[Row]) -> list[Row]:
    """Return the ``trace/pivot_links`` rows: pivots by language of the link and relation, one in each of its languages.

    Args:
        pivots: Rows of ``trace/pivots``.
    """
    counts: Counter[tuple[str, ...]] = Counter()
    for row in pivots:
        for directions in _groups_of(row):
            for language in row["languages"].split("+"):
                key = (row["model"], row["prompt"], directions, row["rule"])
                counts[*key, language, relation_kind(row["relation"])] += row["n"]
    return [dict(zip((*_GROUP, "language", "relation"), key, strict=True)) | {"n": n} for key, n in counts.items()]


def pivot_summary_rows(pivots: Sequence[Row]) -> list[Row]:
    """Return the ``trace/pivot_summary`` rows: what the pivots of a rule are, in a line.

    Args:
        pivots: Rows of ``trace/pivots``.
    """
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in pivots:
        for directions in _groups_of(row):
            groups.setdefault((row["model"], row["prompt"], directions, row["rule"]), []).append(row)
    return [dict(zip(_GROUP, key, strict=True)) | _summary(rows) for key, rows in groups.items()]


_GROUP = ("model", "prompt", "direction_group", "rule")


def _groups_of(row: Row) -> tuple[str, ...]:
    """Return the groups of directions that a row is counted in: its own, all, and those with neither side English."""
    direction = Direction(row["source_language"], row["target_language"])
    return (str(direction), "all", *(("neither_english",) if ENGLISH not in direction else ()))


def relation_kind(relation: str) -> str:
    """Return a relation without its language, and without whether the token is a form or a piece of the word."""
    return relation.partition(" (")[0].partition(":")[0] or "unknown"


def _summary(rows: Sequence[Row]) -> Row:
    n = sum(row["n"] for row in rows)
    relations: Counter[str] = Counter()
    layers: Counter[int] = Counter()
    for row in rows:
        relations[relation_kind(row["relation"])] += row["n"]
        layers[row["layer"]] += row["n"]
    relation, most = min(relations.items(), key=lambda pair: (-pair[1], pair[0]))
    english = [row for row in rows if ENGLISH in row["languages"].split("+")]
    alone = sum(row["n"] for row in rows if row["languages"] == ENGLISH)
    return {
        "n": n,
        "english": sum(row["n"] for row in english) / n,
        "n_english_alone": alone,
        "english_alone": alone / n,
        "relation": relation,
        "relation_share": most / n,
        "layer": median_low(layers.elements()),
        "n_alike": sum(row["n"] for row in rows if row["pivot_language"] == "several"),
        "n_alike_english": sum(row["n"] for row in english if row["pivot_language"] == "several"),
    }
