"""Work over models, wordings, directions and shot sets, a part each, so that an interruption loses none of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
import pyarrow as pa

from pivotlens.artifacts.references import RunFolder
from pivotlens.artifacts.workspace import Workspace
from pivotlens.artifacts.writer import ResultWriter
from pivotlens.settings import SweepStageConfig, Wording
from pivotlens.text import Direction


@dataclass(frozen=True)
class Sweep:
    """What a stage goes through.

    Attributes:
        workspace: It keeps the parts.
        writer: It takes the tables and warnings.
        near: Where references to models lead.
        config: Its settings.
        directions: In order.
        shot_sets: Concept ids of the examples of each.
    """

    workspace: Workspace
    writer: ResultWriter
    near: RunFolder
    config: SweepStageConfig
    directions: list[Direction]
    shot_sets: list[list[str]]

    def keys(self) -> list[tuple[Wording, Direction, int]]:
        """Return what is done with each model: wording, direction and shot set, in order."""
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
        self.workspace.write_part(f"{model}_details", pa.table({"details": [orjson.dumps(details)]}))

    def has_details(self, model: int) -> bool:
        """Tell whether `write_details` was called."""
        return self.workspace.has_part(f"{model}_details")

    def details(self, model: int) -> dict[str, Any]:
        """Return what `write_details` kept."""
        found: dict[str, Any] = orjson.loads(self.workspace.read_part(f"{model}_details")["details"][0].as_py())
        return found

    def keep_memory_warning(self, warning: str | None) -> None:
        """Keep that memory did not suffice, where it did not: a run that goes on elsewhere says it too."""
        if warning:
            self.workspace.write_part("memory", pa.table({"warning": [warning]}))

    def warn_of_memory(self) -> None:
        """Warn of what `keep_memory_warning` kept."""
        if self.workspace.has_part("memory"):
            self.writer.warn(self.workspace.read_part("memory")["warning"][0].as_py())
