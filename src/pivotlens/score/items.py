"""Items: from scored answers to measures of one model under one prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pivotlens.arrays import Booleans, Floats
from pivotlens.artifacts import Concept
from pivotlens.text import Direction, fold, is_accepted
from pivotlens.translation.items import accepted_answers
from pivotlens.translation.measures import ItemMeasures, measure_items


@dataclass(frozen=True)
class ScoredDirection:
    """The items of one direction.

    Attributes:
        direction: Source and target language.
        sum_logprob: Of the target after each choice of source word, the right one first; in nats, shape
            ``(items, choices, shot_sets)``.
        n_tokens: Tokens of the target in each, same shape.
        measures: What follows from both.
        line_probability_share: The same with the closing newline, shape ``(items, shot_sets)``; None where not scored.
        generated: What the model writes by itself, one text an item.
        correct: Whether that is accepted, 1 or 0; shape ``(items,)``.
        same_spelling: Whether source and target are written alike; shape ``(items,)``.
    """

    direction: Direction
    sum_logprob: Floats
    n_tokens: Floats
    measures: ItemMeasures
    line_probability_share: Floats | None
    generated: list[str]
    correct: Floats
    same_spelling: Booleans

    def of_items(self, rows: Sequence[int]) -> ScoredDirection:
        """Return some of the items, in the order given."""
        chosen = list(rows)
        return ScoredDirection(
            direction=self.direction,
            sum_logprob=self.sum_logprob[chosen],
            n_tokens=self.n_tokens[chosen],
            measures=measure_items(self.sum_logprob[chosen], self.n_tokens[chosen]),
            line_probability_share=None if self.line_probability_share is None else self.line_probability_share[chosen],
            generated=[self.generated[row] for row in chosen],
            correct=self.correct[chosen],
            same_spelling=self.same_spelling[chosen],
        )


@dataclass(frozen=True)
class ScoredItems:
    """Items of all directions of one model under one prompt, in the order of ``concepts``."""

    model: str
    prompt: str
    concepts: list[Concept]
    directions: list[ScoredDirection]


def scored_items(
    answers: pa.Table, concepts: Sequence[Concept], every: Sequence[Concept], model: str, prompt: str
) -> ScoredItems:
    """Turn the scored answers of one model under one prompt into measures of items.

    Args:
        answers: Rows of the ``score/answers`` table with the generated texts; rows of a direction and shot set are
            together, and within them those of an item, the right source word first.
        concepts: The scored concepts, in the order of the rows.
        every: All concepts whose words count as right after a source word that they share.
        model: Its spec.
        prompt: The prompt.
    """
    pairs = zip(answers["source_language"].to_pylist(), answers["target_language"].to_pylist(), strict=True)
    directions = [
        _scored_direction(answers, concepts, every, Direction(source, target))
        for source, target in dict.fromkeys(pairs)
    ]
    return ScoredItems(model, prompt, list(concepts), directions)


def _scored_direction(
    answers: pa.Table, concepts: Sequence[Concept], every: Sequence[Concept], direction: Direction
) -> ScoredDirection:
    chosen = answers.filter(
        pc.and_(
            pc.equal(answers["source_language"], direction.source),
            pc.equal(answers["target_language"], direction.target),
        )
    )
    sets = len(pc.unique(chosen["shot_set"]))
    choices = chosen.num_rows // (sets * len(concepts))

    def cube(name: str) -> Floats:
        values = chosen[name].to_numpy().astype(np.float64)
        shaped: Floats = np.moveaxis(values.reshape(sets, len(concepts), choices), 0, -1)
        return shaped

    has_line = chosen["sum_logprob_line"].null_count == 0
    generated = chosen["generated"].to_pylist()[: len(concepts) * choices : choices]
    accepted = accepted_answers(every, direction)
    correct = [
        is_accepted(text, accepted[fold(concept.words[direction.source])])
        for text, concept in zip(generated, concepts, strict=True)
    ]
    return ScoredDirection(
        direction=direction,
        sum_logprob=cube("sum_logprob"),
        n_tokens=cube("n_tokens"),
        measures=measure_items(cube("sum_logprob"), cube("n_tokens")),
        line_probability_share=measure_items(cube("sum_logprob_line"), cube("n_tokens_line")).probability_share
        if has_line
        else None,
        generated=generated,
        correct=np.array(correct, dtype=np.float64),
        same_spelling=np.array([concept.same_spelling(direction) for concept in concepts]),
    )


def concept_table(scored: ScoredItems, failures: Mapping[Direction, Sequence[str | None]]) -> pa.Table:
    """Return the rows of ``score/concepts``: means over the shot sets.

    Args:
        scored: Items of one model under one prompt.
        failures: Kinds of their wrong answers.
    """
    return pa.concat_tables([_concept_rows(scored, one, failures[one.direction]) for one in scored.directions])


def _concept_rows(scored: ScoredItems, one: ScoredDirection, failures: Sequence[str | None]) -> pa.Table:
    count, measures = len(scored.concepts), one.measures
    columns: Mapping[str, object] = {
        "model": [scored.model] * count,
        "prompt": [scored.prompt] * count,
        "source_language": [one.direction.source] * count,
        "target_language": [one.direction.target] * count,
        "concept_id": [concept.concept_id for concept in scored.concepts],
        "same_spelling": one.same_spelling,
        "p_source": measures.p_source.mean(axis=1),
        "p_distractors": measures.p_distractors.mean(axis=1),
        "score": measures.score.mean(axis=1),
        "probability_share": measures.probability_share.mean(axis=1),
        "probability_share_line": pa.nulls(count, pa.float64())
        if one.line_probability_share is None
        else one.line_probability_share.mean(axis=1),
        "margin": measures.margin.mean(axis=1),
        "rank": measures.rank.mean(axis=1),
        "accuracy_10way": measures.accuracy.mean(axis=1),
        "generated": one.generated,
        "correct": one.correct.astype(bool),
        "failure": pa.array(failures, pa.string()),
    }
    return pa.table(columns)
