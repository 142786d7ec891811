"""One training from beginning to end, wherever it is done: in this process, in a worker, or in several at once."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import torch

from pivotlens.artifacts import Benchmark, Plan, RunFolder, read_manifest, write_bytes
from pivotlens.corpus import PartStore, Shard
from pivotlens.errors import ConfigError
from pivotlens.progress import Teller
from pivotlens.train.arms import Training, arm_specs, step_folder
from pivotlens.train.budget import Budget
from pivotlens.train.card import Described, model_card
from pivotlens.train.checkpoint import files_of, write_checkpoint
from pivotlens.train.config import TrainConfig
from pivotlens.train.evaluation import Evaluation, Rows
from pivotlens.train.kept import History, KeptWork
from pivotlens.train.log import StepLog, log_path
from pivotlens.train.loop import Loop, Reading, Recipe, threads
from pivotlens.train.packed import Order, Packed
from pivotlens.train.placement import Placement, processes
from pivotlens.train.schedule import Schedule, checkpoints
from pivotlens.train.source import Source, Tokenizer, open_model

# Where further processes find what they are to do, and how often they look.
_TASK, _PAUSE = "task", 0.5


@dataclass(frozen=True)
class TrainPass:
    """Trains on an arm with a seed; the part is what was found, as JSON, and tells which checkpoints there are.

    The work is dealt out like that on a corpus: a shard is the sequences of an arm, by the name of the training.

    Attributes:
        config: The settings.
        run: The run folder.
        fingerprint: Of the plan: what is kept of another one is refused.
        parts: Folder of the stage's parts.
        tokenizer: What the documents were cut with.
        arms: The sequences of each arm.
        budget: How much of them is read.
        trainings: All of them, by name.
        held_out: Pieces of held-out text by language.
        tell: Takes a line of a training now and then.
    """

    config: TrainConfig
    run: Path
    fingerprint: str
    parts: Path
    tokenizer: Tokenizer
    arms: dict[str, Packed]
    budget: Budget
    trainings: dict[str, Training]
    held_out: dict[str, list[str]]
    tell: Teller

    def __call__(self, shard: Shard, part: Path) -> None:
        """Do a training, or go on with it, and write its part."""
        with threads(self.config.threads):
            self._train(self.trainings[shard.file.name], part)

    def announce(self, shards: Sequence[Shard]) -> None:
        """Let the further processes of a launcher begin: they wait for what the first one alone has prepared."""
        if processes() > 1:
            write_bytes(self.parts / _TASK, pickle.dumps((self, list(shards))))

    def folder(self, training: Training, step: int) -> Path:
        """Return where a checkpoint is written."""
        return self.parts / "checkpoints" / training.name / step_folder(step)

    @property
    def step_tokens(self) -> int:
        """Tokens of a step."""
        return self.config.batch_sequences * self.config.sequence_length

    def checkpoints(self) -> list[int]:
        """Return the steps after which the model is written."""
        asked = self.config.checkpoint_steps, self.config.checkpoint_tokens
        return checkpoints(self.budget.steps, self.step_tokens, *asked)

    def _train(self, training: Training, part: Path) -> None:
        config, arm = self.config, self.arms[training.arm]
        placement = Placement.of(config.device)
        if config.batch_sequences % (config.accumulation * placement.processes):
            raise ConfigError(
                f"batch_sequences = {config.batch_sequences} cannot be dealt out to {placement.processes} processes "
                f"in accumulation = {config.accumulation} equal parts",
                "Give another batch_sequences or accumulation.",
            )
        near = RunFolder(self.run, reader=config.stage)
        source = open_model(config, near, placement.device, self.tokenizer, training.seed)
        source.check_tokens(arm.largest)
        recipe = self._recipe()
        loop = Loop(
            training.name,
            source.model,
            Reading(arm, Order(arm.sequences, self.budget.used[training.arm], training.seed)),
            recipe,
            placement,
            KeptWork(self.parts / "kept" / f"{training.name}.safetensors",
                     {"plan": self.fingerprint, "training": training.name}),
            training.seed,
        )  # fmt: skip
        settings = config.meaning()
        log = StepLog(
            log_path(self.run, training.name) if placement.rank == 0 else None,
            self.step_tokens, config.log_to, training.name, settings, self.budget.steps, self.tell,
        )  # fmt: skip
        write = partial(self._checkpoint, training, source, placement)
        at: dict[int, Callable[[History], None]] = {step: partial(write, step) for step in self.checkpoints()}
        try:
            history = loop.run(at, log, config.keep_minutes * 60)
        finally:
            log.close()
        if placement.rank == 0:
            write_bytes(part, orjson.dumps(self._found(training, source, history)))
        placement.wait()

    def _recipe(self) -> Recipe:
        config = self.config
        schedule = Schedule(
            config.schedule, self.budget.steps, config.learning_rate, config.final_rate, config.warmup, config.decay
        )
        return Recipe(
            schedule, config.batch_sequences, config.accumulation, config.weight_decay, config.beta2,
            config.gradient_clip, config.precision == "bfloat16",
        )  # fmt: skip

    def _checkpoint(
        self, training: Training, source: Source, placement: Placement, step: int, history: History
    ) -> None:
        """Write the model as it is after a step and measure it, unless that was done before an interruption."""
        weights = placement.weights(source.model)
        if placement.rank == 0:
            folder, config = self.folder(training, step), self.config
            card = ""
            if step == self.budget.steps:
                begun = config.configuration or config.model
                of = Described(
                    training, arm_specs(config.arms)[training.arm], begun, bool(config.configuration),
                    self.arms[training.arm], config.meaning(), step * self.step_tokens,
                )  # fmt: skip
                card = model_card(of, history)
            write_checkpoint(folder, source.model, self.tokenizer, weights, card)
            measured = self._measured_path(training, step)
            if not measured.exists():
                benchmark = Benchmark.load(self.run) if config.score_concepts else None
                found = Evaluation(config, benchmark, self.held_out, self.tokenizer.frame)
                with torch.random.fork_rng():
                    write_bytes(measured, orjson.dumps(found.measure(folder, placement.device) if found else {}))
        placement.wait()

    def _measured_path(self, training: Training, step: int) -> Path:
        return self.parts / "measured" / training.name / f"{step_folder(step)}.json"

    def _found(self, training: Training, source: Source, history: History) -> dict[str, Any]:
        measured: dict[str, dict[str, Rows]] = {
            str(step): orjson.loads(self._measured_path(training, step).read_bytes()) for step in self.checkpoints()
        }
        files = {
            str(step): {name: output.model_dump() for name, output in files_of(self.folder(training, step)).items()}
            for step in self.checkpoints()
        }
        return {
            "losses": history.losses,
            "rates": history.rates,
            "norms": history.norms,
            "measured": measured,
            "files": files,
            "model": source.details,
            "warnings": source.warnings,
        }


def follow(plan: Plan[TrainConfig]) -> None:
    """Train beside the first process of a launcher, wait until it has put the result in place, and end this one.

    What is to be done is read from the work folder, which both see: the first process writes it when all is packed.
    """
    parts = plan.work_folder / "parts"
    path, store = parts / "trainings" / _TASK, PartStore(parts / "found")
    while not path.exists() and not _is_finished(plan):
        time.sleep(_PAUSE)
    task, shards = pickle.loads(path.read_bytes()) if path.exists() else (None, [])
    for shard in shards:
        # What is done already no process does; whether it is there is asked before whether all of it was put in place.
        if not store.path(shard).exists() and not _is_finished(plan):
            replace(task, config=plan.config)(shard, store.path(shard))
    raise SystemExit(0)


def _is_finished(plan: Plan[TrainConfig]) -> bool:
    manifest = read_manifest(plan.folder)
    return manifest is not None and manifest.fingerprint == plan.fingerprint
