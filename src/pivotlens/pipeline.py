"""The whole chain from one configuration: plan it, run it, resume it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pivotlens.settings.base import StageConfig
from pivotlens.settings.sources import check_content, check_environment, origins_of, read_toml, settings_layers
from pivotlens.stages import STAGES

if TYPE_CHECKING:
    from pivotlens.artifacts import Plan, StageResult


def stage_configs() -> dict[str, type[StageConfig]]:
    """Return the settings of every stage by name."""
    return {name: stage.config for name, stage in STAGES.items()}


@dataclass(frozen=True)
class Pipeline:
    """A run folder with the settings of every stage.

    Attributes:
        folder: The run folder.
        configs: Settings by stage, in the order of work; optional stages only where the file has a table for them.
        origins: By stage, where each setting that is not a default came from.
    """

    folder: Path
    configs: dict[str, StageConfig]
    origins: dict[str, dict[str, str]]

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
        return cls.from_mapping(read_toml(path), str(path), run, flags)

    @classmethod
    def of_stage(cls, name: str, run: Path, file: Path | None, flags: Mapping[str, Any]) -> Self:
        """Make a pipeline of one stage, which reads the others' results from the run folder.

        Args:
            name: The stage.
            run: The run folder.
            file: A configuration file for the whole chain, or None.
            flags: Settings that go over the file's.

        Raises:
            ConfigError: An unknown key or an impossible value.
        """
        classes = stage_configs()
        check_environment(classes)
        content = {} if file is None else read_toml(file)
        check_content(content, str(file), classes)
        layers = settings_layers(classes[name], content, str(file or "defaults"), flags)
        return cls(run, {name: classes[name].build(layers)}, {name: origins_of(layers)})

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
        check_content(content, name, classes)
        check_environment(classes)
        configs, origins = {}, {}
        for stage, config in classes.items():
            if config.optional and stage not in content:
                continue
            layers = settings_layers(config, content, name, _flags_of(config, flags or {}))
            configs[stage] = config.build(layers)
            origins[stage] = origins_of(layers)
        folder = run or content.get("run") or Path("runs") / Path(name).stem
        return cls(Path(folder), configs, origins)

    def plan(self) -> list[Plan[Any]]:
        """Return what each stage would do, in order; computes and writes nothing.

        Raises:
            ConfigError: A stage reads by name what the stage before it that it names will not make.
            PrerequisiteError: A stage reads what neither is there nor comes before it.
            PivotLensError: A setting names something that cannot be read.
        """
        from pivotlens.planned import refuse_unmade  # reads references, which need pyarrow; help does without

        fingerprints: dict[str, str] = {}
        plans: list[Plan[Any]] = []
        for name, config in self.configs.items():
            refuse_unmade(config, {stage: self.configs[stage] for stage in fingerprints})
            plans.append(STAGES[name].plan(config, self.folder, planned=fingerprints, origins=self.origins[name]))
            fingerprints[name] = plans[-1].fingerprint
        return plans

    def run(
        self, watch: Callable[[Plan[Any]], None] | None = None, plans: Sequence[Plan[Any]] | None = None
    ) -> dict[str, StageResult]:
        """Run what has to run and return every stage's result.

        Args:
            watch: Called before each stage with what will happen to it.
            plans: What `plan` returned, so that it is done as it was told; planned now when None.

        Raises:
            PrerequisiteError: A stage that has to run needs a package that is not installed.
        """
        plans = self.plan() if plans is None else plans
        for plan in plans:  # said before the first stage, not by the one that is the first to need it
            if plan.reason is not None:
                STAGES[plan.stage].check_packages()
        results: dict[str, StageResult] = {}
        finished: dict[str, str] = {}
        for plan in plans:
            stage = STAGES[plan.stage]
            if not plan.fits(finished):  # it names what another stage has made only now
                plan = stage.plan(plan.config, plan.run, origins=plan.origins)
            if watch is not None:
                watch(plan)
            results[stage.name] = stage.execute(plan)
            finished[stage.name] = plan.fingerprint
        return results


def _flags_of(config: type[StageConfig], flags: Mapping[str, Any]) -> dict[str, Any]:
    chosen = {key: value for key, value in flags.items() if key in config.model_fields}
    if "tokenizer" in config.model_fields and "model" in flags:
        chosen.setdefault("tokenizer", flags["model"])
    return chosen
