"""Attribute a run's behaviours to its counts: write `auc`, `predictors` and `tests`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from pivotlens.arrays import Floats
from pivotlens.artifacts import Benchmark, Counts, IndexCounts, ResultWriter, Scores, StageResult, Trace
from pivotlens.artifacts.tables import schema_of
from pivotlens.attribute.config import AttributeConfig
from pivotlens.attribute.items import CountedItems, Key, Row, gather, key_of, spelled_as_english
from pivotlens.attribute.joint import bin_rows, joint_rows, significance_rows
from pivotlens.attribute.prediction import (
    PRIMARY_RULE,
    UNLIKE_ENGLISH,
    Auc,
    joint_and_score,
    joint_beyond_marginals,
    predict_behaviour,
)
from pivotlens.errors import ArtifactError
from pivotlens.stage import Work
from pivotlens.text import ENGLISH, fold

_READ = ("items", "behaviours")

_ASSOCIATION = (
    "Unless the counted corpus is what the model was trained on, these figures show association: "
    "the counts stand in for text that the model did not read."
)


def run(work: Work[AttributeConfig]) -> dict[str, Any]:
    """Hold the counts of each traced item against its behaviour."""
    config, writer = work.config, work.writer
    trace, counted = Trace.load(work.run), _counted(work)
    for warning in counted.warnings:
        writer.warn(warning)
    if trace.manifest.inputs.get("bench") != counted.result.manifest.inputs.get("bench"):
        writer.warn("The model was traced on one benchmark and the corpus counted for another.")
    traced, behaviours = ([row for row in trace.first_rows(name) if row["shot_set"] == 0] for name in _READ)
    _warn_of_others(writer, trace)
    scores = _scores(writer, work.run, traced)
    try:
        items = gather(traced, behaviours, counted.pairs, counted.units, scores)
    except ValueError as error:
        raise ArtifactError(
            f"{counted.result.folder / 'pairs.parquet'} and the {counted.units} units of "
            f"{counted.result.folder / 'languages.parquet'} contradict each other: {error}",
            f"Remove the folder and run `pivotlens {config.counts}` again.",
        ) from error
    if len(items.keys) < len(traced):
        writer.warn(f"{len(traced) - len(items.keys)} of {len(traced)} traced items have no counted pair: left out.")
    english = {
        fold(word) for one in Benchmark.load(work.run).concepts.values() for word in one.accepted.get(ENGLISH, ())
    }
    spelled = spelled_as_english(traced, english)
    unlike = [row for row in traced if key_of(row) not in spelled]
    aucs = _aucs(config, items, gather(unlike, behaviours, counted.pairs, counted.units, {}))
    if items.keys and not items.counts[:, 2].any():
        writer.warn(f"{counted.never}: joint frequency is constant.")
    elif not any(row.auc is not None for row in aucs):
        writer.warn(
            f"No direction has {config.min_items} items of each class and a predictor that varies: there is no AUC."
        )
    writer.write_rows("auc", map(dataclasses.asdict, aucs))
    tests = [
        *joint_beyond_marginals(items, config.min_items),
        *joint_and_score(items, config.bootstrap, config.seed),
    ]
    writer.write_rows("tests", map(dataclasses.asdict, tests))
    writer.write_rows("significance", significance_rows(tests))
    predictors = pa.Table.from_pylist(_predictors(items), schema=schema_of("attribute", "predictors"))
    writer.write_table("predictors", predictors)
    rows = predictors.to_pylist()
    writer.write_rows("bins", bin_rows(rows))
    joint = joint_rows(rows, lambda row: key_of(row) in spelled, _directions_with_auc(aucs))
    writer.write_rows("joint", joint)
    return {
        "items": len(items.keys),
        "items_not_counted": len(traced) - len(items.keys),
        "items_without_score": int(sum(key not in scores for key in items.keys)),
        "model": traced[0]["model"] if traced else None,
        "prompt": traced[0]["prompt"] if traced else None,
        "units": counted.units,
        "counted": counted.of,
        "rules": list(items.behaviours),
        "auc_means": "a larger predictor goes with `direct`, a smaller one with `semantic_pivot`",
    }


@dataclass(frozen=True)
class _Counted:
    """Counts of pairs, and what they are of.

    Attributes:
        result: The stage they are of.
        pairs: A concept in a direction, with ``df_source``, ``df_target`` and ``df_both``.
        units: All units; None where these are occurrences.
        of: What is counted, for whoever shows it.
        never: What it means that no pair has a joint count.
        warnings: What is to be known of them.
    """

    result: StageResult
    pairs: list[dict[str, Any]]
    units: int | None
    of: str
    never: str
    warnings: tuple[str, ...]


def _counted(work: Work[AttributeConfig]) -> _Counted:
    if work.config.counts == "count":
        counts = Counts.load(work.run)
        never = "No unit of the corpus holds both words of any pair"
        return _Counted(counts, counts.rows("pairs"), counts.units, "units", never, (_ASSOCIATION,))
    found = IndexCounts.load(work.run)
    rows, most = found.rows("pairs"), found.manifest.config["max_diff_tokens"]
    pairs = [
        {"concept_id": row["concept_id"], "source_language": row["source_language"],
         "target_language": row["target_language"], "df_source": row["occurrences_source"],
         "df_target": row["occurrences_target"], "df_both": row["co_occurrences"]}
        for row in rows
    ]  # fmt: skip
    of = f"occurrences in the index {found.manifest.details['index']}, of both words within {most} tokens"
    approx = sum(row["approx"] or row["subsampled"] for row in rows)
    said = (
        f"What is counted are {of}: token sequences, not words, and not units; NPMI and the log-likelihood ratio need "
        f"units and are left out. {approx:,} of {len(rows):,} joint counts are approximate."
    )
    never = "No pair has both words near each other anywhere in the index"
    return _Counted(found, pairs, None, of, never, (said, _ASSOCIATION))


def _warn_of_others(writer: ResultWriter, trace: Trace) -> None:
    config, items = trace.manifest.config, trace.table("items")
    kinds = len(items.group_by(["model", "prompt"]).aggregate([]))
    if kinds > 1:
        writer.warn(
            f"The trace holds {kinds} models and prompts: "
            f"this is of {config['model']}, prompt {config['prompt']}, alone."
        )


def _scores(writer: ResultWriter, run: Path | str, traced: Sequence[Row]) -> dict[Key, float]:
    scored = Scores.load_if_there(run)
    if scored is None:
        return {}
    rows = scored.rows("concepts")
    wanted = {(row["model"], row["prompt"]) for row in traced}
    found = {key_of(row): row["score"] for row in rows if (row["model"], row["prompt"]) in wanted}
    if rows and not found:
        writer.warn("The scores are of another model or prompt than the trace: they are not compared with counts.")
    return {key: float(score) for key, score in found.items() if score is not None}


def _aucs(config: AttributeConfig, items: CountedItems, unlike: CountedItems) -> list[Auc]:
    """Return the AUCs of all item sets; without look-alikes, concepts are drawn among those that are left."""
    found, left = (predict_behaviour(one, config.min_items, config.bootstrap, config.seed) for one in (items, unlike))
    return [*found, *(dataclasses.replace(row, item_set=f"{row.item_set}{UNLIKE_ENGLISH}") for row in left)]


def _directions_with_auc(aucs: Sequence[Auc]) -> dict[str, set[tuple[str, str]]]:
    """Return by item set in which directions joint frequency has an AUC under the primary rule."""
    found: dict[str, set[tuple[str, str]]] = {}
    for row in aucs:
        if (row.rule, row.predictor) == (PRIMARY_RULE, "log_joint") and row.auc is not None:
            found.setdefault(row.item_set, set()).add((row.source_language, row.target_language))
    return found


def _numbers(values: Floats) -> list[float | None]:
    return [None if value != value else value for value in values.tolist()]


def _predictors(items: CountedItems) -> list[dict[str, Any]]:
    found = items.predictors
    behaviour = items.behaviours.get(PRIMARY_RULE)
    named = [None] * len(items.keys) if behaviour is None else [label or None for label in behaviour.tolist()]
    columns: dict[str, list[Any]] = {
        "concept_id": [key[0] for key in items.keys],
        "source_language": [key[1] for key in items.keys],
        "target_language": [key[2] for key in items.keys],
        "df_source": items.counts[:, 0].tolist(),
        "df_target": items.counts[:, 1].tolist(),
        "df_both": items.counts[:, 2].tolist(),
        "log_joint": found.log_joint.tolist(),
        "log_target": found.log_target.tolist(),
        "npmi": _numbers(found.npmi),
        "llr": _numbers(found.llr),
        "score": _numbers(items.score),
        "behaviour": named,
        "correct": items.correct.tolist(),
        "same_spelling": items.same_spelling.tolist(),
        "n_target_tokens": items.n_target_tokens.tolist(),
    }
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
