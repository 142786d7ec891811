"""Items and directions: from scored answers to the tables that are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pivotlens.artifacts import Concept
from pivotlens.score.config import ScoreConfig
from pivotlens.score.measures import ItemMeasures, measure_items
from pivotlens.statistics.bootstrap import bootstrap_mean
from pivotlens.text import Direction

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ScoredConcepts:
    """Items of all directions.

    Attributes:
        table: The ``score/concepts`` table: one row an item.
        directions: The directions.
        measures: Of each direction, arrays of shape ``(items, shot_sets)``.
        line_share: Share with the closing newline, likewise.
        correct: Of each direction, whether the generated answer is accepted; shape ``(items,)``.
        same_spelling: Of each direction, shape ``(items,)``.
    """

    table: pa.Table
    directions: list[Direction]
    measures: list[ItemMeasures]
    line_share: list[Floats]
    correct: list[Floats]
    same_spelling: list[npt.NDArray[np.bool_]]


def concept_table(answers: pa.Table, items: Mapping[str, Concept], config: ScoreConfig) -> ScoredConcepts:
    """Turn scored answers into measures of items.

    Args:
        answers: The ``score/answers`` table with the generated texts; rows of a direction and shot set are together,
            and within them those of an item, the right source word first.
        items: The scored concepts by id, in the order of the rows.
        config: The settings.
    """
    from pivotlens.models.words import is_accepted

    directions = list(
        dict.fromkeys(
            Direction(source, target)
            for source, target in zip(
                answers["source_language"].to_pylist(), answers["target_language"].to_pylist(), strict=True
            )
        )
    )
    concepts = list(items.values())
    result = ScoredConcepts(pa.table({}), directions, [], [], [], [])
    tables = []
    for direction in directions:
        chosen = answers.filter(
            pc.and_(
                pc.equal(answers["source_language"], direction.source),
                pc.equal(answers["target_language"], direction.target),
            )
        )

        def cube(name: str, chosen: pa.Table = chosen) -> Floats:
            values = chosen[name].to_numpy().astype(np.float64)
            shaped: Floats = np.moveaxis(values.reshape(config.shot_sets, len(concepts), -1), 0, -1)
            return shaped

        measures = measure_items(cube("sum_logprob"), cube("n_tokens"))
        line = measure_items(cube("sum_logprob_line"), cube("n_tokens_line"))
        choices = chosen.num_rows // (config.shot_sets * len(concepts))
        generated = chosen["generated"].to_pylist()[: len(concepts) * choices : choices]
        correct = np.array(
            [
                is_accepted(text, item.accepted[direction.target])
                for text, item in zip(generated, concepts, strict=True)
            ],
            dtype=np.float64,
        )
        same = np.array([item.same_spelling(direction) for item in concepts])
        result.measures.append(measures)
        result.line_share.append(line.share)
        result.correct.append(correct)
        result.same_spelling.append(same)
        tables.append(
            pa.table(
                {
                    "model": [config.model] * len(concepts),
                    "prompt": [config.prompt] * len(concepts),
                    "source_language": [direction.source] * len(concepts),
                    "target_language": [direction.target] * len(concepts),
                    "concept_id": list(items),
                    "same_spelling": same,
                    "p_source": measures.p_source.mean(axis=1),
                    "p_distractors": measures.p_distractors.mean(axis=1),
                    "score": measures.score.mean(axis=1),
                    "share": measures.share.mean(axis=1),
                    "share_line": line.share.mean(axis=1),
                    "margin": measures.margin.mean(axis=1),
                    "rank": measures.rank.mean(axis=1),
                    "accuracy_10way": measures.accuracy.mean(axis=1),
                    "generated": generated,
                    "correct": correct.astype(bool),
                }
            )
        )
    return ScoredConcepts(
        pa.concat_tables(tables),
        directions,
        result.measures,
        result.line_share,
        result.correct,
        result.same_spelling,
    )


def summary_table(scored: ScoredConcepts, config: ScoreConfig) -> dict[str, list[Any]]:
    """Summarise each direction and all of them, with and without same-spelling items.

    Intervals resample concepts jointly over directions, and shot sets with replacement within each resample.
    """
    rows: list[dict[str, Any]] = []
    everything = list(range(len(scored.directions)))
    for items in ("all", "different_spelling"):
        groups = [([index], str_pair(scored.directions[index])) for index in everything]
        if len(everything) > 1:
            groups.append((everything, ("all", "all")))
        for indices, (source, target) in groups:
            kept = [np.where(scored.same_spelling[i] & (items != "all"), np.nan, 1.0) for i in indices]
            measured = {
                "score": [scored.measures[i].score for i in indices],
                "share": [scored.measures[i].share for i in indices],
                "accuracy_10way": [scored.measures[i].accuracy for i in indices],
                "accuracy_generated": [scored.correct[i][:, None] for i in indices],
            }
            values = {
                name: np.stack([array * mask[:, None] for array, mask in zip(arrays, kept, strict=True)], axis=1)
                for name, arrays in measured.items()
            }
            found = {name: bootstrap_mean(array, config.bootstrap, config.seed) for name, array in values.items()}
            line = [scored.line_share[i] * mask[:, None] for i, mask in zip(indices, kept, strict=True)]
            margin = [scored.measures[i].margin * mask[:, None] for i, mask in zip(indices, kept, strict=True)]
            rows.append(
                {
                    "model": config.model,
                    "prompt": config.prompt,
                    "source_language": source,
                    "target_language": target,
                    "items": items,
                    "n": int(sum(np.nansum(mask) for mask in kept)),
                    "score": found["score"].value,
                    "ci_low": found["score"].low,
                    "ci_high": found["score"].high,
                    "share": found["share"].value,
                    "share_low": found["share"].low,
                    "share_high": found["share"].high,
                    "share_line": _mean(line),
                    "margin": _mean(margin),
                    "accuracy_10way": found["accuracy_10way"].value,
                    "accuracy_10way_low": found["accuracy_10way"].low,
                    "accuracy_10way_high": found["accuracy_10way"].high,
                    "accuracy_generated": found["accuracy_generated"].value,
                    "accuracy_generated_low": found["accuracy_generated"].low,
                    "accuracy_generated_high": found["accuracy_generated"].high,
                }
            )
    return {name: [row[name] for row in rows] for name in rows[0]}


def str_pair(direction: Direction) -> tuple[str, str]:
    """Return a direction as the two columns of a table."""
    return direction.source, direction.target


def _mean(arrays: list[Floats]) -> float:
    means = [float(np.nanmean(array)) for array in arrays if not np.isnan(array).all()]
    return float(np.mean(means)) if means else float("nan")
