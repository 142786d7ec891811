"""Readings of one direction and shot set as the tables of the trace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from pivotlens.models.encoding import TokenTexts
from pivotlens.text import Direction
from pivotlens.trace.behaviours import ItemView, rules
from pivotlens.trace.config import TraceConfig
from pivotlens.trace.items import TracedItem, role_of
from pivotlens.trace.reading import MASSES, LayerReadings

THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.5)
RATIOS = (1.5, 2.0, 3.0, 5.0, 10.0)


def _repeat(config: TraceConfig, direction: Direction, shot_set: int, concepts: Sequence[str]) -> dict[str, list[Any]]:
    n = len(concepts)
    return {
        "model": [config.model] * n,
        "prompt": [config.prompt] * n,
        "shot_set": [shot_set] * n,
        "source_language": [direction.source] * n,
        "target_language": [direction.target] * n,
        "concept_id": list(concepts),
    }


def _ids(items: Sequence[TracedItem], times: int = 1) -> list[str]:
    return [item.concept.concept_id for item in items for _ in range(times)]


def items_table(
    config: TraceConfig, direction: Direction, shot_set: int, items: Sequence[TracedItem], texts: TokenTexts
) -> pa.Table:
    """Return the ``trace/items`` rows."""
    return pa.table(
        _repeat(config, direction, shot_set, _ids(items))
        | {
            "source_word": [item.concept.words[direction.source] for item in items],
            "target_word": [item.concept.words[direction.target] for item in items],
            "same_spelling": [item.concept.same_spelling(direction) for item in items],
            "ambiguous": [item.read.sets.ambiguous for item in items],
            "target_token_id": [item.read.target for item in items],
            "target_token": [texts[item.read.target] for item in items],
            "n_target_tokens": [item.n_target_tokens for item in items],
            "n_space_tokens": [item.n_space_tokens for item in items],
            "correct": [item.correct for item in items],
            "calibration": [item.read.calibration for item in items],
            "generated": [item.generated for item in items],
        }
    )


def layers_table(
    config: TraceConfig, direction: Direction, shot_set: int, items: Sequence[TracedItem], readings: LayerReadings
) -> pa.Table:
    """Return the ``trace/layers`` rows; the mass of an empty token set is null."""
    layers = readings.entropy.shape[1]
    masses = {
        f"mass_{name}": pa.array(readings.masses[:, :, index].ravel(), from_pandas=True)
        for index, name in enumerate(MASSES)
    }
    return pa.table(
        _repeat(config, direction, shot_set, _ids(items, layers))
        | {
            "layer": np.tile(np.arange(layers), len(items)),
            "entropy": readings.entropy.ravel(),
            "kl_to_final": readings.kl_to_final.ravel(),
            "target_rank": readings.target_rank.ravel(),
            "target_prob": readings.target_prob.ravel(),
        }
        | masses
    )


def tokens_table(
    config: TraceConfig,
    direction: Direction,
    shot_set: int,
    items: Sequence[TracedItem],
    readings: LayerReadings,
    texts: TokenTexts,
) -> pa.Table:
    """Return the ``trace/tokens`` rows; rank 1 is the most probable token."""
    _, layers, top_k = readings.token_ids.shape
    flat = readings.token_ids.ravel().tolist()
    roles: list[tuple[str, str]] = []
    for number, item in enumerate(items):
        own = readings.token_ids[number]
        known = {token: role_of(item.read.sets, token) for token in np.unique(own).tolist()}
        roles += [known[token] for token in own.ravel().tolist()]
    return pa.table(
        _repeat(config, direction, shot_set, _ids(items, layers * top_k))
        | {
            "layer": np.tile(np.repeat(np.arange(layers), top_k), len(items)),
            "rank": np.tile(np.arange(1, top_k + 1), len(items) * layers),
            "token_id": flat,
            "token": [texts[token] for token in flat],
            "prob": readings.probs.ravel(),
            "baseline": pa.array(readings.baseline.ravel(), from_pandas=True),
            "role": [role for role, _ in roles],
            "relation": [relation for _, relation in roles],
        }
    )


def behaviours_table(
    config: TraceConfig,
    direction: Direction,
    shot_set: int,
    items: Sequence[TracedItem],
    views: Sequence[ItemView],
    texts: TokenTexts,
) -> pa.Table:
    """Return the ``trace/behaviours`` rows: every item under every rule."""
    rows: list[tuple[str, str, str, int | None, int | None, str | None, float | None, bool]] = []
    for name, rule in rules(config.ratio, config.threshold).items():
        for item, view in zip(items, views, strict=True):
            found = rule(view)
            token = int(view.token_ids[found.layer, found.rank]) if found.layer >= 0 else None
            rows.append(
                (
                    item.concept.concept_id,
                    name,
                    found.label,
                    found.layer if found.layer >= 0 else None,
                    token,
                    None if token is None else texts[token],
                    None if token is None else found.prob,
                    item.correct,
                )
            )
    columns = list(zip(*rows, strict=True))
    names = ("concept_id", "rule", "behaviour", "layer", "token_id", "token", "prob", "correct")
    kinds = (pa.string(), pa.string(), pa.string(), pa.int64(), pa.int64(), pa.string(), pa.float64(), pa.bool_())
    arrays = {name: pa.array(column, kind) for name, column, kind in zip(names, columns, kinds, strict=True)}
    return pa.table(_repeat(config, direction, shot_set, list(columns[0])) | arrays)


def sensitivity_table(config: TraceConfig, direction: Direction, views: Sequence[ItemView]) -> pa.Table:
    """Return the ``trace/sensitivity`` rows: shares of the default rule over both of its thresholds."""
    rows: list[dict[str, Any]] = []
    for threshold in THRESHOLDS:
        for ratio in RATIOS:
            if config.top_k * threshold < 1:
                continue  # tokens above the threshold might not have been kept
            labels = [rules(ratio, threshold)["calibrated"](view).label for view in views]
            rows += [
                {"threshold": threshold, "ratio": ratio, "behaviour": label, "n": labels.count(label),
                 "share": labels.count(label) / len(labels)}
                for label in sorted(set(labels))
            ]  # fmt: skip
    same = {"model": config.model, "prompt": config.prompt, "source_language": direction.source,
            "target_language": direction.target}  # fmt: skip
    return pa.Table.from_pylist([same | row for row in rows])
