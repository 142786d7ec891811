"""A scored model as a side of a comparison (docs/method.md#comparing)."""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow.compute as pc

from pivotlens.arrays import Floats
from pivotlens.artifacts import Benchmark, Scores
from pivotlens.artifacts.fingerprint import canonical_json
from pivotlens.comparison.sides import Document, Side, TaskValues
from pivotlens.score.items import ScoredDirection, ScoredItems, scored_items
from pivotlens.score.summary import FIGURES, ITEM_SETS, kept_items

_FAMILY = "score"


def scored_models(scores: Scores) -> list[tuple[str, str]]:
    """Return what was scored in a run: models with their prompts, the first one first."""
    config = scores.manifest.config
    models = dict.fromkeys((config["model"], *config["also_models"]))
    prompts = dict.fromkeys((config["prompt"], *config["also_prompts"]))
    return [(model, prompt) for model in models for prompt in prompts]


def scored_side(scores: Scores, model: str, prompt: str) -> Side:
    """Return a scored model as a side: a task a direction, a document a concept, which is its cluster too.

    Shot sets are kept apart, so that intervals resample them as well.

    Args:
        scores: The run's score stage.
        model: Its spec.
        prompt: The prompt.

    Raises:
        ArtifactError: A table is damaged.
    """
    items = _items(scores, model, prompt)
    conditions = {
        "the benchmark": scores.manifest.inputs["bench"],
        "the examples": hashlib.sha256(canonical_json(scores.manifest.details["shot_sets"])).hexdigest(),
    }
    tasks = {
        f"{_FAMILY}_{one.direction.source}_{one.direction.target}": _task(items, one, conditions)
        for one in items.directions
    }
    return Side(f"{model} ({prompt} prompt)", str(scores.folder.parent), tasks)


def _task(items: ScoredItems, one: ScoredDirection, conditions: dict[str, str]) -> TaskValues:
    ids = [concept.concept_id for concept in items.concepts]
    metrics: dict[str, Floats] = {}
    for item_set in ITEM_SETS:
        for figure, values in FIGURES.items():
            name = figure if item_set == ITEM_SETS[0] else f"{figure}_{item_set}"
            metrics[name] = np.where(kept_items(one, item_set)[:, None], values(one), np.nan)
    tokens = one.n_tokens.sum(axis=(1, 2)).astype(int).tolist()
    return TaskValues(
        family=_FAMILY,
        documents=tuple(Document(name, name, name, tokens=count) for name, count in zip(ids, tokens, strict=True)),
        metrics=metrics,
        conditions=conditions,
        token_metrics=frozenset({"score", f"score_{ITEM_SETS[1]}"}),
    )


def _items(scores: Scores, model: str, prompt: str) -> ScoredItems:
    """Return the items of a model under a prompt, read back from the run's tables."""
    benchmark = Benchmark.load(scores.folder.parent)
    chosen = {}
    for name in ("answers", "concepts"):
        table = scores.table(name)
        chosen[name] = table.filter(pc.and_(pc.equal(table["model"], model), pc.equal(table["prompt"], prompt)))
    ids = list(dict.fromkeys(chosen["concepts"]["concept_id"].to_pylist()))
    key = ("source_language", "target_language", "concept_id")
    generated = {tuple(row[name] for name in key): row["generated"] for row in chosen["concepts"].to_pylist()}
    texts = [generated[row] for row in zip(*(chosen["answers"][name].to_pylist() for name in key), strict=True)]
    return scored_items(
        chosen["answers"].append_column("generated", [texts]),
        [benchmark.concepts[name] for name in ids],
        list(benchmark.concepts.values()),
        model,
        prompt,
    )
