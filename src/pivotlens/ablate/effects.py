"""Contrasts over the items with their intervals, and the five conditions of causality (docs/method.md#ablation)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from pivotlens.ablate.items import DIRECT, SEMANTIC_PIVOT, TEST
from pivotlens.statistics.bootstrap import bootstrap_mean
from pivotlens.statistics.sign_flip import sign_flip_p
from pivotlens.text import ENGLISH

Key = tuple[str, str, str]
"""Source language, target language, concept."""
Values = dict[Key, float]

# How far, in nats, the clean log P of a matched pair may lie apart.
_CALIPER = 1.0
_FEWEST = 2

NEITHER_ENGLISH, WITH_ENGLISH = "neither_english", "with_english"
CONTROLS = ("random", "matched", "other", "early")
ITEM_SETS = ("all", "english_pivot", "correct")


@dataclass(frozen=True)
class Contrast:
    """A mean over items with its 95 % interval.

    Attributes:
        direction_group: `neither_english` and `with_english` are means over such directions, `direction` is one.
        item_set: `all`, `english_pivot` (the pivot writes the accepted English word) or `correct` (the model's own
            answer is right); under `own_minus_direct` and `net_minus_direct` both sides of a pair are of the set.
        contrast: Its name.
        n: Items.
        concepts: Concepts; they are resampled, with all directions of theirs.
        p: Two-sided, of a sign-flip test over concepts.
    """

    direction_group: str
    source_language: str
    target_language: str
    item_set: str
    contrast: str
    n: int
    concepts: int
    mean: float | None
    ci_low: float | None
    ci_high: float | None
    p: float | None


@dataclass(frozen=True)
class Condition:
    """Whether one of the five conditions under which a pivot is called causal holds for a set of items.

    Attributes:
        direction_group: `neither_english` or `with_english`: the directions it was tested over.
        item_set: As of `Contrast`.
        number: From 1 to 5, as `docs/method.md#ablation` counts them.
        condition: What it asks for, in words.
        holds: Whether every interval it rests on lies on the right side of 0; None where one could not be computed.
        rests_on: Those contrasts with their intervals.
    """

    direction_group: str
    item_set: str
    number: int
    condition: str
    holds: bool | None
    rests_on: str


@dataclass(frozen=True)
class Measured:
    """The test half of ``ablate/items`` by condition: change of log P by item, random vectors averaged."""

    change: dict[str, Values]
    clean: dict[str, Values]
    flags: dict[Key, tuple[bool, bool]]


def measured(rows: Iterable[Mapping[str, Any]], behaviour: str) -> Measured:
    """Gather the rows of one behaviour in the test half; a removal at dose d is named ``own_d``."""
    draws: dict[str, dict[Key, list[float]]] = {}
    clean: dict[str, Values] = {}
    flags: dict[Key, tuple[bool, bool]] = {}
    for row in rows:
        if row["behaviour"] != behaviour or row["half"] != TEST:
            continue
        key = (row["source_language"], row["target_language"], row["concept_id"])
        name = f"own_{row['dose']:g}" if row["condition"] == "own" else row["condition"]
        draws.setdefault(name, {}).setdefault(key, []).append(row["change"])
        clean.setdefault(name, {})[key] = row["clean_logprob"]
        flags[key] = (row["english_pivot"], row["correct"])
    change = {name: {key: float(np.mean(one)) for key, one in values.items()} for name, values in draws.items()}
    return Measured(change, clean, flags)


def _minus(one: Values, other: Values) -> Values:
    return {key: value - other[key] for key, value in one.items() if key in other}


def matched_pairs(pivots: Values, direct: Values) -> list[tuple[Key, Key]]:
    """Pair each pivot item with the direct item of its direction that is nearest in clean log P, each once.

    Args:
        pivots: Clean log P of the pivot items.
        direct: Of the direct ones; items farther than 1 nat apart are not paired.
    """
    pairs = []
    free = dict(direct)
    distances = sorted(
        (abs(value - other), key, candidate)
        for key, value in pivots.items()
        for candidate, other in direct.items()
        if key[:2] == candidate[:2] and abs(value - other) <= _CALIPER
    )
    paired: set[Key] = set()
    for _, key, candidate in distances:
        if key not in paired and candidate in free:
            paired.add(key)
            del free[candidate]
            pairs.append((key, candidate))
    return pairs


def contrasts(pivots: Measured, direct: Measured, doses: Sequence[float]) -> dict[str, Values]:
    """Return every contrast by name, a number an item; negative is harm.

    Args:
        pivots: The `semantic_pivot` items.
        direct: The `direct` ones.
        doses: Of the removal, rising.
    """
    change = pivots.change
    own = change.get("own_1", {})
    found: dict[str, Values] = {"own": own}
    for name in CONTROLS:
        found[f"own_minus_{name}"] = _minus(own, change.get(name, {}))
    swap, unrelated = change.get("swap", {}), change.get("swap_unrelated", {})
    found |= {"swap": swap, "swap_minus_unrelated": _minus(swap, unrelated)}
    before = dict.fromkeys(own, 0.0)
    for dose in doses:
        now = change.get(f"own_{dose:g}", {})
        found[f"dose_{dose:g}_step"] = _minus(now, before)
        before = now
    plain, net, gap = {}, {}, {}
    direct_own = direct.change.get("own_1", {})
    net_pivot = found["own_minus_random"]
    net_direct = _minus(direct_own, direct.change.get("random", {}))
    for key, other in matched_pairs(pivots.clean.get("own_1", {}), direct.clean.get("own_1", {})):
        plain[key] = own[key] - direct_own[other]
        net[key] = net_pivot[key] - net_direct[other]
        gap[key] = pivots.clean["own_1"][key] - direct.clean["own_1"][other]
    found |= {"own_minus_direct": plain, "net_minus_direct": net, "clean_minus_direct": gap}
    found |= {
        "own_minus_synonym": _minus(own, change.get("synonym", {})),
        "synonym_minus_random": _minus(change.get("synonym", {}), change.get("random", {})),
        "own_minus_last_layer": _minus(own, change.get("last_layer", {})),
    }
    for name in (*CONTROLS, "target", "synonym", "last_layer", "swap_unrelated"):
        found[name] = change.get(name, {})
    of_direct = {f"direct_{name}": direct.change.get(name, {}) for name in ("random", "target")}
    return found | {"direct_own": direct_own} | of_direct


def interval(values: Values, resamples: int, seed: int) -> tuple[int, int, tuple[float | None, ...]]:
    """Return items, concepts, and mean over directions with interval and p; None where too few concepts are there.

    Concepts are resampled jointly over their directions.
    """
    concepts = sorted({key[2] for key in values})
    if len(concepts) < _FEWEST:
        return len(values), len(concepts), (None, None, None, None)
    directions = sorted({key[:2] for key in values})
    table = np.full((len(concepts), len(directions), 1), np.nan)
    rows, columns = ({name: place for place, name in enumerate(names)} for names in (concepts, directions))
    for key, value in values.items():
        table[rows[key[2]], columns[key[:2]], 0] = value
    found = bootstrap_mean(table, resamples, seed)
    counts = np.isfinite(table[..., 0]).sum(axis=0)
    parts = (np.nan_to_num(table[..., 0]) / counts).sum(axis=1)
    return len(values), len(concepts), (found.value, found.low, found.high, sign_flip_p(parts, seed))


def _of_set(rows: Measured, item_set: str) -> Measured:
    place = {"english_pivot": 0, "correct": 1}.get(item_set)
    if place is None:
        return rows
    kept = {key for key, flags in rows.flags.items() if flags[place]}

    def cut(tables: Mapping[str, Values]) -> dict[str, Values]:
        return {name: {key: value for key, value in table.items() if key in kept} for name, table in tables.items()}

    return Measured(cut(rows.change), cut(rows.clean), rows.flags)


def all_contrasts(
    rows: Sequence[Mapping[str, Any]], doses: Sequence[float], resamples: int, seed: int
) -> list[Contrast]:
    """Return every contrast of every item set, over both groups of directions and for each direction.

    Args:
        rows: Of ``ablate/items``.
        doses: Of the removal, rising.
        resamples: Of the bootstrap.
        seed: Of the bootstrap and the sign flips.
    """
    pivots, direct = measured(rows, SEMANTIC_PIVOT), measured(rows, DIRECT)
    directions = sorted({(row["source_language"], row["target_language"]) for row in rows})
    result = []
    for item_set in ITEM_SETS:
        found = contrasts(_of_set(pivots, item_set), _of_set(direct, item_set), doses)
        for name, values in found.items():
            groups: list[tuple[str, str, str, Callable[[Key], bool]]] = [
                (NEITHER_ENGLISH, "all", "all", lambda key: ENGLISH not in key[:2]),
                (WITH_ENGLISH, "all", "all", lambda key: ENGLISH in key[:2]),
            ]
            groups += [("direction", *pair, _in(pair)) for pair in directions]
            for direction_group, source, target, belongs in groups:
                chosen = {key: value for key, value in values.items() if belongs(key)}
                if direction_group != NEITHER_ENGLISH and not chosen:
                    continue
                n, concepts, numbers = interval(chosen, resamples, seed)
                result.append(Contrast(direction_group, source, target, item_set, name, n, concepts, *numbers))
    return result


def _in(pair: tuple[str, str]) -> Callable[[Key], bool]:
    return lambda key: key[:2] == pair


def conditions(found: Sequence[Contrast], doses: Sequence[float]) -> list[Condition]:
    """Say of each of the five conditions whether it holds: all its intervals lie on the right side of 0."""
    tests: list[tuple[str, list[tuple[str, int]]]] = [
        ("log P of the target falls", [("own", -1)]),
        ("it falls by more than under each control", [(f"own_minus_{name}", -1) for name in CONTROLS]),
        ("another concept's pivot swapped in raises that concept's target", [("swap_minus_unrelated", 1), ("swap", 1)]),
        ("the effect grows with the dose", [(f"dose_{dose:g}_step", -1) for dose in doses]),
        ("it is larger than for direct items of like clean log P", [("own_minus_direct", -1)]),
    ]
    result = []
    for direction_group in (NEITHER_ENGLISH, WITH_ENGLISH):
        for item_set in ITEM_SETS:
            by_name = {
                one.contrast: one for one in found if (one.direction_group, one.item_set) == (direction_group, item_set)
            }
            for number, (text, needed) in enumerate(tests, 1):
                rows = [(by_name.get(name), sign) for name, sign in needed]
                verdicts = [_verdict(row, sign) for row, sign in rows]
                holds = False if False in verdicts else None if None in verdicts else True
                rests = "; ".join(_shown(name, row) for (name, _), (row, _) in zip(needed, rows, strict=True))
                result.append(Condition(direction_group, item_set, number, text, holds, rests))
    return result


def _verdict(row: Contrast | None, sign: int) -> bool | None:
    if row is None or row.ci_low is None or row.ci_high is None:
        return None
    return row.ci_low > 0 if sign > 0 else row.ci_high < 0


def _shown(name: str, row: Contrast | None) -> str:
    if row is None or row.mean is None:
        return f"{name}: too few items"
    return f"{name} {row.mean:+.3f} [{row.ci_low:+.3f}, {row.ci_high:+.3f}], n = {row.n}"


def dose_curves(
    rows: Sequence[Mapping[str, Any]], doses: Sequence[float], resamples: int, seed: int
) -> list[dict[str, Any]]:
    """Return the ``ablate/doses`` rows: the change of log P by dose; doses that no item was tested under have no row.

    Args:
        rows: Of ``ablate/items``.
        doses: Of the removal, rising.
        resamples: Of the bootstrap.
        seed: Of the bootstrap.
    """
    result = []
    for direction_group in (NEITHER_ENGLISH, WITH_ENGLISH):
        for behaviour in (SEMANTIC_PIVOT, DIRECT):
            change = measured(rows, behaviour).change
            for dose in doses:
                values = {
                    key: value
                    for key, value in change.get(f"own_{dose:g}", {}).items()
                    if (ENGLISH in key[:2]) == (direction_group == WITH_ENGLISH)
                }
                if values:
                    n, concepts, (mean, low, high, _) = interval(values, resamples, seed)
                    place = {
                        "direction_group": direction_group,
                        "behaviour": behaviour,
                        "dose": dose,
                        "n": n,
                        "concepts": concepts,
                    }
                    result.append(place | {"mean": mean, "ci_low": low, "ci_high": high})
    return result


def removal_medians(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the ``ablate/removals`` rows: how far the removal reaches, medians over the tested pivot items, by dose.

    Args:
        rows: Of ``ablate/items``.
    """
    found = [row for row in rows if (row["behaviour"], row["half"], row["condition"]) == (SEMANTIC_PIVOT, TEST, "own")]
    result = []
    for dose in sorted({row["dose"] for row in found}):
        chosen = [row for row in found if row["dose"] == dose]
        medians = {
            name: median(row[name] for row in chosen)
            for name in ("pivot_prob_clean", "pivot_prob", "kl", "relative_norm")
        }
        result.append({"dose": dose, "n": len(chosen)} | medians)
    return result


def side_effects(rows: Sequence[Mapping[str, Any]], resamples: int, seed: int) -> list[dict[str, Any]]:
    """Return the ``ablate/side_effects`` rows: change of log P and KL on what the pivot has nothing to do with.

    `own` is the items themselves, for scale; `unrelated_item` another item of the direction, `unrelated_text` a plain
    text. Mean over directions, concepts resampled.
    """
    result = []
    for direction_group in (NEITHER_ENGLISH, WITH_ENGLISH):
        for kind in ("own", "unrelated_item", "unrelated_text"):
            chosen = [
                row
                for row in rows
                if row["condition"] == kind
                and row["behaviour"] == SEMANTIC_PIVOT
                and row["half"] == TEST
                and row["dose"] == 1
                and (ENGLISH in (row["source_language"], row["target_language"])) == (direction_group == WITH_ENGLISH)
            ]
            out: dict[str, Any] = {"direction_group": direction_group, "read": kind}
            for name in ("change", "kl", "relative_norm"):
                values = {
                    (row["source_language"], row["target_language"], row["concept_id"]): row[name] for row in chosen
                }
                n, _, (mean, low, high, _) = interval(values, resamples, seed)
                out |= {"n": n, name: mean, f"{name}_low": low, f"{name}_high": high}
            result.append(out)
    return result
