"""Items of a benchmark as a model is asked to translate them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pivotlens.artifacts import Concept
from pivotlens.models.load import LoadedModel
from pivotlens.settings import PromptTemplate
from pivotlens.text import Direction
from pivotlens.translation.prompts import Pairs, shot_examples
from pivotlens.translation.words import WordPrompts


@dataclass(frozen=True)
class Translations:
    """What a stage asks a model to translate.

    Attributes:
        loaded: The model.
        concepts: All concepts of the benchmark, by id.
        items: Those that are translated.
        directions: In order.
        shot_sets: Concept ids of the examples of each.
    """

    loaded: LoadedModel
    concepts: Mapping[str, Concept]
    items: Sequence[Concept]
    directions: Sequence[Direction]
    shot_sets: Sequence[Sequence[str]]

    def prompts(self, prompt: PromptTemplate, direction: Direction, shot_set: int) -> WordPrompts:
        """Return the prompts of a template with the examples of a shot set."""
        words = {name: self.concepts[name].words for name in self.shot_sets[shot_set]}
        return WordPrompts(self.loaded, direction, shot_examples(words, self.shot_sets[shot_set], direction), prompt)

    def pairs(self, choices: Sequence[Sequence[str]] | None = None) -> dict[Direction, Pairs]:
        """Return the source and target words that are run in each direction.

        Args:
            choices: Ids of the concepts whose source words each item's target is run after; its own alone where none
                are given.
        """
        after = choices if choices is not None else [[item.concept_id] for item in self.items]
        return {
            direction: [
                (self.concepts[choice].words[direction.source], item.words[direction.target])
                for item, row in zip(self.items, after, strict=True)
                for choice in row
            ]
            for direction in self.directions
        }

    def accepted(self) -> dict[Direction, list[str]]:
        """Return the accepted answers of all items in each direction."""
        return {
            direction: [word for item in self.items for word in item.accepted[direction.target]]
            for direction in self.directions
        }
