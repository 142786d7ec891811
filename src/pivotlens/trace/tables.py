"""Readings of one direction and shot set as the tables of the trace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from pivotlens.arrays import Floats
from pivotlens.models.encoding import TokenTexts
from pivotlens.text import Direction
from pivotlens.trace.behaviours import OTHER, SEMANTIC_PIVOT, ItemView, above_baseline, rules
from pivotlens.trace.config import TraceConfig
from pivotlens.trace.items import TracedItem, role_of
from pivotlens.trace.pivot_languages import PivotLanguages
from pivotlens.trace.reading import MASSES, LayerReadings
from pivotlens.translation.failures import FailureKinds

THRESHOLDS = (0.1, 0.15, 0.2, 0.3, 0.5)
RATIOS = (3.0, 10.0, 30.0, 50.0, 100.0)


def _ids(items: Sequence[TracedItem], times: int = 1) -> list[str]:
    return [item.concept.concept_id for item in items for _ in range(times)]


def items_table(direction: Direction, items: Sequence[TracedItem], texts: TokenTexts, kinds: FailureKinds) -> pa.Table:
    """Return the ``trace/items`` rows."""
    return pa.table(
        {
            "concept_id": _ids(items),
            "source_word": [item.concept.words[direction.source] for item in items],
            "target_word": [item.concept.words[direction.target] for item in items],
            "same_spelling": [item.concept.same_spelling(direction) for item in items],
            "shares_token": [item.read.sets.shares_token for item in items],
            "ambiguous": [item.read.sets.ambiguous for item in items],
            "target_token_id": [item.read.target for item in items],
            "target_token": [texts[item.read.target] for item in items],
            "n_target_tokens": [item.n_target_tokens for item in items],
            "n_space_tokens": [item.n_space_tokens for item in items],
            "pos": [item.concept.pos for item in items],
            "band": [item.concept.band for item in items],
            "correct": [item.correct for item in items],
            "calibration": [item.read.calibration for item in items],
            "generated": [item.generated for item in items],
            "failure": pa.array(
                [None if item.correct else kinds.kind(item.generated, item.concept, direction) for item in items],
                pa.string(),
            ),
        }
    )


def layers_table(items: Sequence[TracedItem], readings: LayerReadings, words: Floats | None) -> pa.Table:
    """Return the ``trace/layers`` rows; the mass of an empty token set is null, and what was not read."""
    layers = readings.entropy.shape[1]
    masses = {
        f"mass_{name}": pa.array(readings.masses[:, :, index].ravel(), from_pandas=True)
        for index, name in enumerate(MASSES)
    }
    return pa.table(
        {
            "concept_id": _ids(items, layers),
            "layer": np.tile(np.arange(layers), len(items)),
            "entropy": readings.entropy.ravel(),
            "kl_to_final": readings.kl_to_final.ravel(),
            "target_rank": readings.target_rank.ravel(),
            "target_prob": readings.target_prob.ravel(),
            "word_logprob": pa.nulls(readings.entropy.size, pa.float64()) if words is None else words.ravel(),
        }
        | masses
    )


def tokens_table(
    config: TraceConfig, items: Sequence[TracedItem], readings: LayerReadings, texts: TokenTexts
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
        {
            "concept_id": _ids(items, layers * top_k),
            "layer": np.tile(np.repeat(np.arange(layers), top_k), len(items)),
            "rank": np.tile(np.arange(1, top_k + 1), len(items) * layers),
            "token_id": flat,
            "token": [texts[token] for token in flat],
            "prob": readings.probs.ravel(),
            "baseline": pa.array(readings.baseline.ravel(), from_pandas=True),
            "above_baseline": above_baseline(readings.probs, readings.baseline, config.ratio, config.threshold).ravel(),
            "role": [role for role, _ in roles],
            "relation": [relation for _, relation in roles],
        }
    )


_BEHAVIOURS = {
    "concept_id": pa.string(),
    "rule": pa.string(),
    "behaviour": pa.string(),
    "layer": pa.int64(),
    "token_id": pa.int64(),
    "token": pa.string(),
    "prob": pa.float64(),
    "relation": pa.string(),
    "languages": pa.list_(pa.string()),
    "pivot_language": pa.string(),
    "correct": pa.bool_(),
}


def behaviours_table(
    config: TraceConfig,
    items: Sequence[TracedItem],
    views: Sequence[ItemView],
    texts: TokenTexts,
    told: tuple[PivotLanguages, Direction],
) -> pa.Table:
    """Return the ``trace/behaviours`` rows: every item under every rule, with the token that decided.

    Args:
        config: The settings.
        items: The items.
        views: Of the items.
        texts: Of the tokenizer.
        told: What tells the language of pivots, and the items' direction.
    """
    languages, direction = told
    rows: list[tuple[Any, ...]] = []
    for name, rule in rules(config.ratio, config.threshold).items():
        for item, view in zip(items, views, strict=True):
            found = rule(view)
            decided: tuple[Any, ...] = (None,) * 7
            if found.layer >= 0:
                token = int(view.token_ids[found.layer, found.rank])
                link = item.read.sets.link(token)
                linked = (link.relation, list(link.languages)) if link else (None, None)
                is_pivot = found.label in (SEMANTIC_PIVOT, OTHER)
                kind = languages.kind(texts[token], link, direction) if is_pivot else None
                decided = (found.layer, token, texts[token], found.prob, *linked, kind)
            rows.append((item.concept.concept_id, name, found.label, *decided, item.correct))
    columns = list(zip(*rows, strict=True)) or [()] * len(_BEHAVIOURS)
    return pa.table(
        {name: pa.array(column, kind) for (name, kind), column in zip(_BEHAVIOURS.items(), columns, strict=True)}
    )


def sensitivity_table(config: TraceConfig, views: Sequence[ItemView]) -> pa.Table:
    """Return the ``trace/sensitivity`` rows: shares of the default rule over both of its thresholds."""
    rows: list[dict[str, Any]] = []
    for threshold in THRESHOLDS:
        for ratio in RATIOS:
            if config.top_k * threshold < 2:
                continue  # tokens above the threshold might not have been kept
            labels = [rules(ratio, threshold)["calibrated"](view).label for view in views]
            rows += [
                {"threshold": threshold, "ratio": ratio, "behaviour": label, "n": labels.count(label),
                 "share": labels.count(label) / len(labels)}
                for label in sorted(set(labels))
            ]  # fmt: skip
    return pa.Table.from_pylist(rows)


def lenses_table(raw: LayerReadings, tuned: LayerReadings) -> pa.Table:
    """Return the ``trace/lenses`` rows: what the raw and the tuned lens say of each layer, over the items."""
    english = MASSES.index("english")

    def mean_mass(readings: LayerReadings) -> pa.Array:
        known = ~np.isnan(readings.masses[:, :, english])
        total = np.where(known, readings.masses[:, :, english], 0.0).sum(axis=0)
        means = np.divide(total, known.sum(axis=0), out=np.full(total.shape, np.nan), where=known.any(axis=0))
        return pa.array(means, from_pandas=True)

    items, layers = raw.entropy.shape
    return pa.table(
        {
            "layer": np.arange(layers),
            "n": [items] * layers,
            "same_top": (raw.token_ids[:, :, 0] == tuned.token_ids[:, :, 0]).mean(axis=0),
            "kl_to_final_raw": raw.kl_to_final.mean(axis=0),
            "kl_to_final_tuned": tuned.kl_to_final.mean(axis=0),
            "target_prob_raw": raw.target_prob.mean(axis=0),
            "target_prob_tuned": tuned.target_prob.mean(axis=0),
            "mass_english_raw": mean_mass(raw),
            "mass_english_tuned": mean_mass(tuned),
        }
    )
