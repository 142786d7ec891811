"""Trainings: each a run folder of its own that goes when its small file is written, one process a core."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from examples.replication.artifacts import Row, Training
from examples.replication.documents import DEV, TEST, UNSEEN, benchmark
from examples.replication.settings import NONE, Settings
from pivotlens import score_model, trace_model, train_model
from pivotlens.artifacts import Scores, Trace, TrainedModels
from pivotlens.artifacts.files import remove_tree
from pivotlens.score.config import ScoreConfig
from pivotlens.trace.config import TraceConfig
from pivotlens.train.config import TrainConfig

_ALL = "all"


@dataclass(frozen=True)
class Job:
    """A training to do.

    Attributes:
        settings: The experiment.
        run: Its folder, with the corpus and the arms.
        to: Where the result is written.
        arm: What is trained on; `NONE` for the model as it is.
        seed: Of the draw of the documents and of their order.
        learning_rate: The highest.
        part: Part of the word list that is scored.
    """

    settings: Settings
    run: Path
    to: Path
    arm: str
    seed: int
    learning_rate: float
    part: str = TEST

    @property
    def name(self) -> str:
        """Of the training, among those of its part of the word list."""
        rate = f"-{self.learning_rate:g}" if self.part == DEV else ""
        return self.arm if self.arm == NONE else f"{self.arm}-{self.seed}{rate}"

    @property
    def traced(self) -> bool:
        """Whether its behaviours are traced."""
        return self.part == TEST and self.arm in (NONE, *self.settings.traced)


def do_all(jobs: Iterable[Job], processes: int) -> Iterable[Training]:
    """Do the jobs whose results are not there, in several processes; yield all results as they are done.

    Raises:
        PivotLensError: As the stages; what is done is kept.
    """
    open_jobs = []
    for job in jobs:
        found = Training.read(job.to, job.settings.fingerprint)
        if found is None:
            open_jobs.append(job)
        else:
            yield found
    if processes == 1 or len(open_jobs) < 2:
        yield from map(do, open_jobs)
        return
    # A process a training: what the one before has left in memory is gone.
    pool = ProcessPoolExecutor(min(processes, len(open_jobs)), get_context("spawn"), max_tasks_per_child=1)
    with pool:
        futures = [pool.submit(do, job) for job in open_jobs]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def do(job: Job) -> Training:
    """Train, score and trace; write the result and remove the checkpoints; go on with what an interruption left."""
    settings, folder = job.settings, job.run / "trainings" / job.part / job.name
    benchmark(settings, job.part, folder)
    trained = train_model(_train_config(job), folder)
    model = settings.model if job.arm == NONE else f"run:train/{job.arm}"
    scored = score_model(settings.stage(ScoreConfig, model=model, device="cpu"), folder)
    behaviours: list[Row] = []
    if job.traced:
        traced = trace_model(settings.stage(TraceConfig, model=model, device="cpu"), folder)
        behaviours = behaviours_of(traced, settings.behaviour_rule)
    result = _result(job, trained, scored, behaviours)
    result.write(job.to)
    remove_tree(folder)
    return result


def _train_config(job: Job) -> TrainConfig:
    """Return the settings of a training; of none at all, those of a step whose beginning alone counts."""
    settings = job.settings
    arm = settings.pilot.arm if job.arm == NONE else job.arm
    config = settings.stage(
        TrainConfig,
        model=settings.model,
        arms=(f"{job.arm}=run:{job.run / f'arms-{job.seed}'}:select/{arm}",),
        seeds=(job.seed,),
        learning_rate=job.learning_rate,
        held_out=str(job.run / "corpus" / UNSEEN),
        device="cpu",
    )
    if job.arm != NONE:
        return config
    step = config.sequence_length * config.batch_sequences
    return config.model_copy(update={"tokens": step, "checkpoint_steps": (0,), "checkpoint_tokens": ()})


def _result(job: Job, trained: TrainedModels, scored: Scores, behaviours: list[Row]) -> Training:
    summary = trained.rows("summary")[0]
    documents = next(name for name in trained.manifest.inputs if name.startswith("arm "))
    first = job.arm == NONE
    concepts = list(dict.fromkeys(scored.table("concepts")["concept_id"].to_pylist()))
    scores: dict[str, dict[str, float]] = {}
    for row in scored.rows("concepts"):
        scores.setdefault(f"{row['source_language']}-{row['target_language']}", {})[row["concept_id"]] = row["score"]
    at = [row for row in trained.rows("evaluations", source_language=_ALL) if not first or row["step"] == 0]
    unseen = [row for row in trained.rows("held_out") if not first or row["step"] == 0]
    return Training(
        job.settings.fingerprint,
        job.arm,
        job.seed,
        0.0 if first else job.learning_rate,
        0 if first else summary["tokens"],
        "" if first else trained.manifest.inputs[documents],
        concepts,
        {direction: [of[concept] for concept in concepts] for direction, of in scores.items()},
        [{name: row[name] for name in ("tokens", "score")} for row in at],
        [{name: row[name] for name in ("tokens", "language", "bits_per_byte")} for row in unseen],
        behaviours,
    )


def behaviours_of(traced: Trace, rule: str) -> list[Row]:
    """Return how many items of each group of directions have which label of a rule."""
    rows = traced.rows("labels", rule=rule)
    names = ("direction_group", "behaviour", "n", "items", "share")
    return [{name: row[name] for name in names} for row in rows if row["direction_group"] != "direction"]
