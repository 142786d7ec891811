"""What a stage of the method is: declared once in its room, and all else about it follows from that."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pivotlens.errors import ConfigError, PrerequisiteError
from pivotlens.extras import require_extra, require_models
from pivotlens.settings import StageConfig

if TYPE_CHECKING:
    from pivotlens.artifacts import Plan, ResultWriter, RunFolder, Source, StageResult, Workspace
    from pivotlens.corpus import Executor
    from pivotlens.corpus.estimate import Estimate

C = TypeVar("C", bound=StageConfig)
R = TypeVar("R", bound="StageResult")


@dataclass(frozen=True)
class Work(Generic[C]):
    """What the work of a stage gets.

    Attributes:
        plan: Run folder, settings, and the inputs as they were found.
        workspace: Keeps finished parts, so that a kill loses none.
        writer: Takes tables, further files and warnings.
        executor: Does what is done shard by shard of a corpus.
    """

    plan: Plan[C]
    workspace: Workspace
    writer: ResultWriter
    executor: Executor

    @property
    def config(self) -> C:
        """The settings."""
        return self.plan.config

    @property
    def run(self) -> Path:
        """The run folder."""
        return self.plan.run

    @property
    def near(self) -> RunFolder:
        """Where references to what other stages made lead."""
        return self.plan.near


@dataclass(frozen=True)
class Stage(Generic[C, R]):
    """A stage of the method; `pivotlens.stages` lists them.

    Its name is that of its settings. What needs more than the standard library to be imported is named as
    ``module:name`` and imported when it is used, so that declaring a stage costs nothing.

    Attributes:
        config: Its settings.
        result: Class of its result.
        version: Of its algorithm: raised whenever the same input gives other numbers.
        function: Name of its public function, which stands beside this declaration.
        work: Function that takes a `Work`, writes the tables and returns what else the reader must know.
        examples: Command lines to copy.
        reads: Stages that must have run.
        reads_if_there: Stages that are read where they have run; of several in a tuple, each only beside the one
            before.
        reads_all: Whether it reads every other stage of `pivotlens.stages` that has run, of which there must be one.
        inputs: Function that takes the settings and the run folder and returns what else is read, each by name: its
            fingerprint, or what was opened and has one.
        follows: Function that takes the plan in the further processes of a launcher, such as ``accelerate launch``: it
            works beside the first one, which alone writes, and ends its process. Without one a stage is not launched.
        estimate: Function that takes the plan and returns what the work on its corpus will take, by a measured sample.
    """

    config: type[C]
    result: str
    version: int
    function: str
    work: str
    examples: tuple[str, ...]
    reads: tuple[str, ...] = ()
    reads_if_there: tuple[str | tuple[str, ...], ...] = ()
    reads_all: bool = False
    inputs: str | None = None
    follows: str | None = None
    estimate: str | None = None

    @property
    def name(self) -> str:
        """Of its room, its verb, its table in the configuration file and its folder in a run."""
        return self.config.stage

    def public_names(self) -> dict[str, str]:
        """Return the modules of its settings, its function and the class of its result, by name."""
        module, _, result = self.result.partition(":")
        room = self.config.__module__.rpartition(".")[0]
        return {self.config.__name__: self.config.__module__, self.function: f"{room}.stage", result: module}

    def result_class(self) -> type[R]:
        """Return the class of its result."""
        found: type[R] = _named(self.result)
        return found

    def plan(
        self,
        config: C,
        run: Path | str,
        *,
        planned: Mapping[str, str] | None = None,
        origins: Mapping[str, str] | None = None,
    ) -> Plan[C]:
        """Return the stage as it would run; computes and writes nothing.

        Args:
            config: The settings.
            run: The run folder.
            planned: Fingerprints that other stages will have, when a whole chain is planned.
            origins: Where each setting that is not a default came from.

        Raises:
            ConfigError: The settings are not this stage's.
            PrerequisiteError: A stage that is read has not run, or a model or corpus is not there.
            PivotLensError: A setting names something that cannot be read.
        """
        if not isinstance(config, self.config):  # those of another stage would put this result in that one's place
            raise ConfigError(
                f"{self.function} was given {type(config).__name__} as its settings",
                f"Give it a {self.config.__name__}: pivotlens.{self.function}({self.config.__name__}(…), run).",
            )
        # The command line's help needs no table, and pyarrow takes longer to import than all else.
        from pivotlens.artifacts import RunFolder, make_plan, upstream_inputs

        optional = self.reads_if_there
        if self.reads_all:
            optional = tuple(name for name in _named("pivotlens.stages:STAGES") if name != self.name)
        inputs: dict[str, str | Source] = {**upstream_inputs(run, self.reads, optional, planned, reader=self.name)}
        if self.reads_all and not inputs:
            raise PrerequisiteError(
                f"{self.name} needs the result of at least one stage, and {run} has none",
                f"Run `pivotlens run --run {run}`, or a single stage such as `pivotlens bench --run {run}`, first.",
            )
        if self.inputs is not None:
            found: Callable[[C, RunFolder], Mapping[str, str | Source]] = _named(self.inputs)
            inputs |= found(config, RunFolder(Path(run), planned or {}, self.name))
        return make_plan(run, config, version=self.version, inputs=inputs, origins=origins)

    def estimated(self, plan: Plan[C]) -> Estimate | None:
        """Return what a planned stage will take, measured on a sample of its corpus; None where nothing tells it.

        Raises:
            PivotLensError: The corpus or something else that it needs cannot be read.
        """
        if self.estimate is None or plan.reason is None:
            return None
        found: Callable[[Plan[C]], Estimate | None] = _named(self.estimate)
        return found(plan)

    def execute(self, plan: Plan[C]) -> R:
        """Do the work that was planned, or none where the result is there and fits; return the result.

        Raises:
            PrerequisiteError: It has to run and a package that it needs is not installed.
            UnfinishedError: Only a portion of the work was asked for.
            PivotLensError: Whatever the work finds wrong.
        """
        from pivotlens.artifacts import ResultWriter, Workspace  # as above
        from pivotlens.corpus.launching import done_elsewhere, executor_of

        if plan.reason is not None:
            self.check_packages()
            if self.follows is not None and int(os.environ.get("RANK") or 0) > 0:
                _named(self.follows)(plan)
            if not done_elsewhere(plan):
                work: Callable[[Work[C]], Mapping[str, Any]] = _named(self.work)
                with Workspace(plan) as workspace, executor_of(plan) as executor:
                    writer = ResultWriter(plan, workspace)
                    writer.finish(work(Work(plan, workspace, writer, executor)))
        else:
            Workspace(plan).clear()
        return self.result_class().load(plan.run)

    def __call__(
        self, config: C | None = None, run: Path | str = "run", *, origins: Mapping[str, str] | None = None
    ) -> R:
        """Plan the stage and do what has to be done: what its public function does; arguments as there."""
        return self.execute(self.plan(self.config() if config is None else config, run, origins=origins))

    def check_packages(self) -> None:
        """Check that what it runs on is installed.

        Raises:
            PrerequisiteError: Something is missing.
        """
        if self.config.runs_model:
            require_models(f"`pivotlens {self.name}`")
        require_extra(f"`pivotlens {self.name}`", self.config.extra, self.config.packages)


def _named(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)
