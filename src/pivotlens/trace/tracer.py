"""One direction and shot set: from concepts to the rows of every table."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from pivotlens.artifacts import Concept
from pivotlens.models.head_slices import HeadSlices
from pivotlens.models.lens import LogitLens
from pivotlens.models.scorer import AnswerScorer
from pivotlens.models.tuned_lens import TunedLens
from pivotlens.trace.comparison import MinedPivots
from pivotlens.trace.config import TraceConfig
from pivotlens.trace.items import item_views, prepare_items
from pivotlens.trace.pivot_languages import PivotLanguages
from pivotlens.trace.reading import LensStates, SharedReading, read_states, read_words, reduce_states
from pivotlens.trace.tables import (
    behaviours_table,
    items_table,
    layers_table,
    lenses_table,
    sensitivity_table,
    tokens_table,
)
from pivotlens.trace.token_sets import WordTokens
from pivotlens.translation.failures import FailureKinds
from pivotlens.translation.words import WordPrompts


@dataclass(frozen=True)
class Tracer:
    """Traces a model.

    Args:
        lens: Of the model.
        scorer: Of the model; it answers the prompts.
        words: Tokens of words under the model's tokenizer.
        languages: Tells in which language a pivot is written.
        failures: Tells what kind of wrong an answer is.
        mined: Mined pivots, where there are any.
        tuned: A tuned lens, read beside the raw one, where there is one.
        config: The settings.
    """

    lens: LogitLens
    scorer: AnswerScorer
    words: WordTokens
    languages: PivotLanguages
    failures: FailureKinds
    mined: MinedPivots | None
    tuned: TunedLens | None
    config: TraceConfig

    @cached_property
    def head(self) -> HeadSlices:
        """The model's head."""
        return HeadSlices(self.lens.head)

    def tables(
        self, prompts: WordPrompts, concepts: Sequence[Concept], answers: Mapping[str, Collection[str]]
    ) -> dict[str, pa.Table]:
        """Return the rows of each table that a part holds.

        Args:
            prompts: Direction, examples and prompt.
            concepts: The concepts to trace.
            answers: What is right after each folded source word.

        Raises:
            ModelError: A layer gives NaN.
        """
        config, texts = self.config, self.words.texts
        items = prepare_items(self.scorer, prompts, concepts, self.words, self.mined, answers)
        reading = SharedReading(config.batch_tokens, self.scorer.share_cache, self.scorer.memory)
        read = [item.read for item in items]
        states = read_states(self.lens, [item.context for item in read], reading)
        readings = reduce_states(self.head, LensStates(self.lens, states), read, config.top_k)
        views = item_views(items, readings, self.words, prompts.direction.source)
        words = None
        if config.whole_word:
            contexts, content = [item.context for item in read], [item.content for item in items]
            words = read_words(self.lens, self.head, contexts, content, reading)
        told = self.languages, prompts.direction
        tables = {
            "layers": layers_table(items, readings, words),
            "tokens": tokens_table(config, items, readings, texts),
            "behaviours": behaviours_table(config, items, views, texts, told),
            "sensitivity": sensitivity_table(config, views),
            "items": items_table(prompts.direction, items, texts, self.failures),
        }
        if self.tuned is not None:
            corrected = reduce_states(self.head, LensStates(self.lens, states, self.tuned), read, config.top_k)
            corrected_views = item_views(items, corrected, self.words, prompts.direction.source)
            tables["tuned_behaviours"] = behaviours_table(config, items, corrected_views, texts, told)
            tables["lenses"] = lenses_table(readings, corrected)
        return tables
