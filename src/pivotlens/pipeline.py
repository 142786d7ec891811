"""The whole chain from one configuration: plan it, run it, resume it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pivotlens.extras import missing_for_models, require_models
from pivotlens.settings.base import StageConfig
from pivotlens.settings.sources import check_environment, origins, read_toml, settings_layers
from pivotlens.stages import STAGES, Stage

if TYPE_CHECKING:
    from pivotlens.artifacts import StageResult


@dataclass(frozen=True)
class PlannedStage:
    """What would happen to a stage.

    Attributes:
        reason: Why it would run; None where its result is reused.
        fingerprint: Of the result it has or will have.
    """

    name: str
    reason: str | None
    fingerprint: str


def stage_configs() -> dict[str, type[StageConfig]]:
    """Return the settings of every stage by name."""
    return {name: stage.config_class for name, stage in STAGES.items()}


@dataclass(frozen=True)
class Pipeline:
    """A run folder with the settings of every stage.

    Attributes:
        folder: The run folder.
        configs: Settings by stage, in the order of work; optional stages only where the file has a table for them.
        passed: By stage, where each setting that is not a default came from.
    """

    folder: Path
    configs: dict[str, StageConfig]
    passed: dict[str, dict[str, str]]

    @classmethod
    def from_toml(cls, path: Path | str, run: Path | str | None = None, flags: Mapping[str, Any] | None = None) -> Self:
        """Read a configuration file.

        Args:
            path: The TOML file.
            run: The run folder; the file's ``run``, or ``runs/`` and the file's name, when None.
            flags: Settings that every stage which has them takes over the file's.

        Raises:
            ConfigError: An unknown key or an impossible value.
        """
        path = Path(path)
        return cls.from_mapping(read_toml(path, stage_configs()), str(path), run, flags)

    @classmethod
    def from_mapping(
        cls,
        content: Mapping[str, Any],
        name: str,
        run: Path | str | None = None,
        flags: Mapping[str, Any] | None = None,
    ) -> Self:
        """Make a pipeline from the content of a configuration file; see `from_toml`."""
        classes = stage_configs()
        check_environment(classes)
        configs, passed = {}, {}
        for stage, config in classes.items():
            if config.optional and stage not in content:
                continue
            layers = settings_layers(config, content, name, _flags_of(config, flags or {}))
            configs[stage] = config.build(layers)
            passed[stage] = origins(layers)
        folder = run or content.get("run") or Path("runs") / Path(name).stem
        return cls(Path(folder), configs, passed)

    def _planned(self, stage: Stage, planned: Mapping[str, str]) -> PlannedStage:
        found = stage.plan(self.configs[stage.name], self.folder, planned, self.passed[stage.name])
        return PlannedStage(stage.name, found.reason_to_run(), found.fingerprint)

    def plan(self) -> list[PlannedStage]:
        """Return what each stage would do, in order; computes and writes nothing."""
        planned: dict[str, str] = {}
        result = []
        for stage in (STAGES[name] for name in self.configs):
            found = self._planned(stage, planned)
            planned[stage.name] = found.fingerprint
            result.append(found)
        return result

    def run(self, watch: Callable[[PlannedStage], None] | None = None) -> dict[str, StageResult]:
        """Run what has to run and return every stage's result.

        Args:
            watch: Called before each stage with what will happen to it.

        Raises:
            PrerequisiteError: A stage that has to run needs a package that is not installed.
        """
        if missing_for_models():  # said before the first stage, not by the one that is the first to need it
            for found in self.plan():
                if found.reason is not None and self.configs[found.name].runs_model:
                    require_models(f"`pivotlens {found.name}`")
        results: dict[str, StageResult] = {}
        planned: dict[str, str] = {}
        for stage in (STAGES[name] for name in self.configs):
            found = self._planned(stage, planned)
            planned[stage.name] = found.fingerprint
            if watch is not None:
                watch(found)
            results[stage.name] = stage.run(self.configs[stage.name], self.folder, self.passed[stage.name])
        return results


def _flags_of(config: type[StageConfig], flags: Mapping[str, Any]) -> dict[str, Any]:
    chosen = {key: value for key, value in flags.items() if key in config.model_fields}
    if "tokenizer" in config.model_fields and "model" in flags:
        chosen.setdefault("tokenizer", flags["model"])
    return chosen
