"""How many items a rule gives each label, and which tokens decide; counted over items, not averaged over directions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from pivotlens.text import ENGLISH
from pivotlens.trace.behaviours import SEMANTIC_PIVOT

Row = dict[str, Any]


def label_rows(behaviours: Sequence[Row]) -> list[Row]:
    """Return the ``trace/labels`` rows: items by label, for each direction and for all together.

    `direction_group` is ``direction``, ``neither_english``, ``with_english`` or ``all``.

    Args:
        behaviours: Rows of ``trace/behaviours``, of any models and prompts; shot set 0 is counted.
    """
    counts: dict[tuple[str, ...], Counter[str]] = {}
    for row in behaviours:
        if row["shot_set"] == 0:
            pair = (row["source_language"], row["target_language"])
            group = "with_english" if ENGLISH in pair else "neither_english"
            for direction_group, sides in (("direction", pair), (group, ("all", "all")), ("all", ("all", "all"))):
                key = (row["model"], row["prompt"], direction_group, *sides, row["rule"])
                counts.setdefault(key, Counter())[row["behaviour"]] += 1
    names = ("model", "prompt", "direction_group", "source_language", "target_language", "rule")
    return [
        dict(zip(names, key, strict=True))
        | {"behaviour": label, "n": n, "items": found.total(), "share": n / found.total()}
        for key, found in counts.items()
        for label, n in sorted(found.items())
    ]


def token_rows(behaviours: Sequence[Row]) -> list[Row]:
    """Return the ``trace/deciding_tokens`` rows: each token by whose peak a rule decided, with how often.

    Args:
        behaviours: Rows of ``trace/behaviours``, of any models and prompts; shot set 0 is counted.
    """
    groups: dict[tuple[str, str, str, str, str], list[Row]] = {}
    for row in behaviours:
        if row["shot_set"] == 0 and row["token"] is not None and row["layer"] is not None:
            for behaviour in ("", SEMANTIC_PIVOT) if row["behaviour"] == SEMANTIC_PIVOT else ("",):
                key = (row["model"], row["prompt"], row["rule"], behaviour, row["token"])
                groups.setdefault(key, []).append(row)
    names = ("model", "prompt", "rule", "behaviour", "token")
    return [dict(zip(names, key, strict=True)) | _token(rows) for key, rows in groups.items()]


def _token(rows: Sequence[Row]) -> Row:
    layers = Counter(row["layer"] for row in rows)
    return {
        "n": len(rows),
        "concepts": len({row["concept_id"] for row in rows}),
        "layer": min(layers.items(), key=lambda pair: (-pair[1], pair[0]))[0],
        "prob": sum(row["prob"] or 0.0 for row in rows) / len(rows),
    }


def threshold_rows(sensitivity: Sequence[Row]) -> list[Row]:
    """Return the ``trace/thresholds`` rows: means over directions of the shares at other thresholds and ratios.

    A label that no item of a direction has there counts as 0.

    Args:
        sensitivity: Rows of ``trace/sensitivity``, of any models and prompts; those of shot set 0 are averaged.
    """
    shares: dict[tuple[Any, ...], list[float]] = {}
    pairs: dict[tuple[str, str, str], set[tuple[str, str]]] = {}
    for row in sensitivity:
        pair = (row["source_language"], row["target_language"])
        if row["shot_set"] == 0:
            of = (row["model"], row["prompt"], "with_english" if ENGLISH in pair else "neither_english")
            pairs.setdefault(of, set()).add(pair)
            shares.setdefault((*of, row["threshold"], row["ratio"], row["behaviour"]), []).append(row["share"])
    names = ("model", "prompt", "direction_group", "threshold", "ratio", "behaviour")
    return [
        dict(zip(names, key, strict=True)) | {"share": sum(found) / len(pairs[key[0], key[1], key[2]])}
        for key, found in shares.items()
    ]
