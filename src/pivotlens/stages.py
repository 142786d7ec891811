"""The stages in the order of the method, by name; nothing is imported until a stage is used."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pivotlens.artifacts import StageResult, StageRun
    from pivotlens.settings import StageConfig


@dataclass(frozen=True)
class Stage:
    """A stage of the method.

    Attributes:
        name: Of its room, its verb and its table in the configuration file.
        function: Name of its public function.
    """

    name: str
    function: str

    @property
    def config_class(self) -> type[StageConfig]:
        """Its settings."""
        module = importlib.import_module(f"pivotlens.{self.name}.config")
        found: type[StageConfig] = getattr(module, f"{self.name.capitalize()}Config")
        return found

    def plan(
        self, config: StageConfig, run: Path, planned: Mapping[str, str] | None, passed: Mapping[str, str]
    ) -> StageRun:
        """Return the stage as it would run, with its fingerprint; computes and writes nothing."""
        module = importlib.import_module(f"pivotlens.{self.name}.run")
        found: StageRun = module.stage_run(config, run, planned=planned, passed=passed)
        return found

    def run(self, config: StageConfig, run: Path, passed: Mapping[str, str]) -> StageResult:
        """Run the stage, or load its result where it is there and fits."""
        module = importlib.import_module(f"pivotlens.{self.name}.run")
        function: Callable[..., Any] = getattr(module, self.function)
        result: StageResult = function(config, run, passed=passed)
        return result


# The order of work: trace also compares with the mined pivots, so mining comes before it.
STAGES = {
    stage.name: stage
    for stage in (
        Stage("bench", "build_benchmark"),
        Stage("count", "count_corpus"),
        Stage("mine", "mine_pivots"),
        Stage("score", "score_model"),
        Stage("lens", "train_lens"),
        Stage("trace", "trace_model"),
        Stage("ablate", "ablate_pivots"),
        Stage("attribute", "attribute_behaviour"),
        Stage("select", "select_documents"),
        Stage("report", "write_report"),
    )
}
