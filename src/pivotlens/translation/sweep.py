"""Work over models, prompts, directions and shot sets, a part each, so that an interruption loses none of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar

import orjson
import pyarrow as pa

from pivotlens.artifacts import Benchmark, Concept
from pivotlens.models.load import LoadedModel
from pivotlens.settings import PromptTemplate, SweepStageConfig
from pivotlens.stage import Work
from pivotlens.text import Direction
from pivotlens.translation.prompts import draw_shot_sets
from pivotlens.translation.translations import Translations

C = TypeVar("C", bound=SweepStageConfig)
Key = tuple[PromptTemplate, Direction, int]
"""What is done with each model: prompt, direction and shot set."""


@dataclass(frozen=True)
class Sweep(Generic[C]):
    """What a stage goes through.

    Attributes:
        work: Its settings, and what keeps its parts and takes its tables.
        benchmark: The benchmark.
        concepts: Those of it that are translated.
        directions: In order.
        shot_sets: Concept ids of the examples of each.
    """

    work: Work[C]
    benchmark: Benchmark
    concepts: list[Concept]
    directions: list[Direction]
    shot_sets: list[list[str]]

    @classmethod
    def of(cls, work: Work[C], shot_sets: int, done: str) -> Self:
        """Return what the settings name; warns where a limit leaves concepts out.

        Args:
            work: What the stage gets.
            shot_sets: How many sets of examples.
            done: What happens to concepts, for the warning, such as "scored".

        Raises:
            ConfigError: The benchmark has not the languages or not as many examples as the settings want.
        """
        config, benchmark = work.config, Benchmark.load(work.run)
        directions = benchmark.directions(config.directions)
        concepts = benchmark.test_concepts(config.limit_concepts)
        if config.limit_concepts is not None:
            work.writer.warn(
                f"limit_concepts = {config.limit_concepts}: only {len(concepts)} concepts were {done}, "
                "those of the calibration set first"
            )
        pool = [concept.concept_id for concept in benchmark.shot_concepts()]
        examples = draw_shot_sets(pool, config.shots, shot_sets, config.seed)
        return cls(work, benchmark, concepts, directions, examples)

    @property
    def config(self) -> C:
        """The settings."""
        return self.work.config

    def translations(self, loaded: LoadedModel) -> Translations:
        """Return what a model is asked."""
        return Translations(loaded, self.benchmark.concepts, self.concepts, self.directions, self.shot_sets)

    def keys(self) -> list[Key]:
        """Return what is done with each model: prompt, direction and shot set, in order."""
        return [
            (prompt, direction, number)
            for prompt in self.config.prompts()
            for direction in self.directions
            for number in range(len(self.shot_sets))
        ]

    def part(self, model: int, prompt: str, direction: Direction, shot_set: int) -> str:
        """Return the name of a part."""
        return f"{model}_{prompt}_{direction.source}_{direction.target}_{shot_set}"

    def write_details(self, model: int, details: dict[str, Any]) -> None:
        """Keep what is to be known of a model when it is not loaded any more."""
        self.work.workspace.write_part(f"{model}_details", pa.table({"details": [orjson.dumps(details)]}))

    def has_details(self, model: int) -> bool:
        """Tell whether `write_details` was called."""
        return self.work.workspace.has_part(f"{model}_details")

    def details(self, model: int) -> dict[str, Any]:
        """Return what `write_details` kept."""
        found: dict[str, Any] = orjson.loads(self.work.workspace.read_part(f"{model}_details")["details"][0].as_py())
        return found

    def keep_memory_warning(self, warning: str | None) -> None:
        """Keep that memory did not suffice, where it did not: a run that goes on elsewhere says it too."""
        if warning:
            self.work.workspace.write_part("memory", pa.table({"warning": [warning]}))

    def warn_of_memory(self) -> None:
        """Warn of what `keep_memory_warning` kept."""
        if self.work.workspace.has_part("memory"):
            self.work.writer.warn(self.work.workspace.read_part("memory")["warning"][0].as_py())
