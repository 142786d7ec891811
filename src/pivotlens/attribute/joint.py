"""How often the two words of an item share a unit of the corpus: by class, by range, and beside the score."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from pivotlens.attribute.prediction import ALL, DIRECT, ITEM_SETS, PIVOT, DirectionTest
from pivotlens.text import ENGLISH

Row = Mapping[str, Any]
Pair = tuple[str, str]

NEITHER_ENGLISH, WITH_ENGLISH, WITH_AUC, DIRECTION = "neither_english", "with_english", "with_auc", "direction"


def bin_rows(predictors: Iterable[Row]) -> list[dict[str, Any]]:
    """Return the ``attribute/bins`` rows: items of all directions by how many units their words share.

    The ranges are 0, 1, 2–3, 4–7 and so on: equally wide on a logarithmic axis, up to the last one with any item.

    Args:
        predictors: Rows of ``attribute/predictors``; those spelled alike are left out.
    """
    by_range: dict[int, list[Row]] = {}
    for row in predictors:
        if not row["same_spelling"]:
            by_range.setdefault(row["df_both"].bit_length(), []).append(row)
    bins = [_bin(bits, by_range.get(bits, [])) for bits in range(max(by_range, default=-1) + 1)]
    for name in ("direct", "pivot"):
        total = sum(one[f"n_{name}"] for one in bins)
        for one in bins:
            one[f"share_{name}"] = one[f"n_{name}"] / total if total else None
    return bins


def _bin(bits: int, rows: Sequence[Row]) -> dict[str, Any]:
    labels = [row["behaviour"] for row in rows if row["correct"]]
    scored = [row for row in rows if row["score"] is not None]
    return {
        "low": (1 << bits) >> 1,
        "high": (1 << bits) - 1,
        "n_direct": labels.count(DIRECT),
        "n_pivot": labels.count(PIVOT),
        "n_scored": len(scored),
        "log_joint": _mean([math.log1p(row["df_both"]) for row in scored]),
        "score": _mean([row["score"] for row in scored]),
    }


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def joint_rows(
    predictors: Sequence[Row], spelled_as_english: Callable[[Row], bool], with_auc: Mapping[str, Collection[Pair]]
) -> list[dict[str, Any]]:
    """Return the ``attribute/joint`` rows: how often words share a unit, those spelled alike left out.

    Args:
        predictors: Rows of ``attribute/predictors``.
        spelled_as_english: Whether a word of an item is spelled like an English one.
        with_auc: By item set, directions in which joint frequency has an AUC under the primary rule.
    """
    kept = [row for row in predictors if not row["same_spelling"]]
    pairs = list(dict.fromkeys(map(_pair, kept)))
    result = []
    for item_set in ITEM_SETS:
        chosen = [row for row in kept if row["correct"] or item_set == ALL]
        groups: list[tuple[str, Pair, Collection[Pair]]] = [
            (NEITHER_ENGLISH, (ALL, ALL), [pair for pair in pairs if ENGLISH not in pair]),
            (WITH_ENGLISH, (ALL, ALL), [pair for pair in pairs if ENGLISH in pair]),
            (WITH_AUC, (ALL, ALL), with_auc.get(item_set, ())),
            *((DIRECTION, pair, [pair]) for pair in pairs),
        ]
        for direction_group, pair, members in groups:
            for behaviour in ("", DIRECT, PIVOT):
                rows = [row for row in chosen if _pair(row) in members and behaviour in ("", row["behaviour"])]
                if rows:
                    of = {
                        "direction_group": direction_group,
                        "source_language": pair[0],
                        "target_language": pair[1],
                        "item_set": item_set,
                    }
                    result.append(of | {"behaviour": behaviour} | _counted(rows, spelled_as_english))
    return result


def _pair(row: Row) -> Pair:
    return row["source_language"], row["target_language"]


def _counted(rows: Sequence[Row], spelled_as_english: Callable[[Row], bool]) -> dict[str, Any]:
    shared = [row for row in rows if row["df_both"]]
    as_english = sum(map(spelled_as_english, shared))
    return {
        "n": len(rows),
        "n_shared": len(shared),
        "share_never": (len(rows) - len(shared)) / len(rows),
        "median": float(median(row["df_both"] for row in rows)),
        "most": max(row["df_both"] for row in rows),
        "n_as_english": as_english,
        "share_as_english": as_english / len(shared) if shared else None,
    }


def significance_rows(tests: Iterable[DirectionTest]) -> list[dict[str, Any]]:
    """Return the ``attribute/test_counts`` rows: in how many directions a test could be made, and is significant."""
    groups: dict[tuple[str, str, str], list[DirectionTest]] = {}
    for test in tests:
        if test.source_language != ALL:
            groups.setdefault((test.test, test.rule, test.item_set), []).append(test)
    rows = []
    for (name, rule, item_set), members in groups.items():
        found = [test.p_value for test in members if test.p_value is not None]
        rows.append(
            {"test": name, "rule": rule, "item_set": item_set, "directions": len(members), "tested": len(found),
             "significant": sum(p < 0.05 for p in found), "smallest_p": min(found, default=None)}
        )  # fmt: skip
    return rows
