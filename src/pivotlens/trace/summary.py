"""Shares of each behaviour, with intervals, and how they agree between shot sets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from pivotlens.statistics.bootstrap import bootstrap_mean
from pivotlens.trace.config import TraceConfig

_KINDS = ("all", "different_spelling", "correct")


def summary_rows(items: pa.Table, behaviours: pa.Table, config: TraceConfig) -> dict[str, list[Any]]:
    """Return the ``trace/summary`` columns, of shot set 0.

    `items` is ``all``, ``different_spelling``, or ``correct`` (answered rightly and spelled differently).
    """
    item_key = ("source_language", "target_language", "concept_id")
    facts = {
        tuple(row[name] for name in item_key): (row["same_spelling"], row["correct"])
        for row in items.to_pylist()
        if row["shot_set"] == 0
    }
    labels: dict[tuple[str, str, str], dict[str, str]] = {}
    for row in behaviours.to_pylist():
        if row["shot_set"] == 0:
            group = (row["source_language"], row["target_language"], row["rule"])
            labels.setdefault(group, {})[row["concept_id"]] = row["behaviour"]
    rows: list[dict[str, Any]] = []
    for (source, target, rule), by_concept in labels.items():
        for kind in _KINDS:
            chosen = []
            for concept, label in by_concept.items():
                same, correct = facts[source, target, concept]
                if kind == "all" or (not same and (kind == "different_spelling" or correct)):
                    chosen.append(label)
            for label in sorted(set(by_concept.values())):
                share = bootstrap_mean(
                    np.array([float(other == label) for other in chosen]).reshape(-1, 1, 1),
                    config.bootstrap,
                    config.seed,
                )
                rows.append(
                    {
                        "model": config.model,
                        "prompt": config.prompt,
                        "source_language": source,
                        "target_language": target,
                        "rule": rule,
                        "behaviour": label,
                        "items": kind,
                        "n": len(chosen),
                        "share": share.value,
                        "ci_low": share.low,
                        "ci_high": share.high,
                    }
                )
    return {name: [row[name] for row in rows] for name in rows[0]}


def agreement_between_shot_sets(behaviours: pa.Table) -> float | None:
    """Return the share of items, under the default rule, with the label of shot set 0 in every other set.

    None where only one shot set was traced.
    """
    first: dict[tuple[str, str, str], str] = {}
    others: list[tuple[tuple[str, str, str], str]] = []
    for row in behaviours.to_pylist():
        if row["rule"] == "calibrated":
            key = (row["source_language"], row["target_language"], row["concept_id"])
            if row["shot_set"] == 0:
                first[key] = row["behaviour"]
            else:
                others.append((key, row["behaviour"]))
    return sum(first[key] == label for key, label in others) / len(others) if others else None
