"""The train stage: arms and a model in, checkpoints with their losses and scores out."""

from __future__ import annotations

from typing import Any

import orjson

from pivotlens.artifacts import Benchmark
from pivotlens.artifacts.manifest import Output
from pivotlens.corpus import (
    CorpusFile,
    Listing,
    LocalExecutor,
    PartStore,
    Shard,
    UnitPlan,
    check_bad_share,
    columns_of,
    merged_bad_rows,
    shards_of,
)
from pivotlens.corpus.sample import SamplePass, merged_sample
from pivotlens.errors import DataError
from pivotlens.models.tokenizer import load_tokenizer
from pivotlens.progress import current_teller
from pivotlens.stage import Work
from pivotlens.train.arms import arm_specs, step_folder, trainings
from pivotlens.train.budget import equal_budget
from pivotlens.train.config import TrainConfig
from pivotlens.train.evaluation import Evaluation
from pivotlens.train.log import check_service
from pivotlens.train.packed import Packed, PackPass, ids_dtype, put_together
from pivotlens.train.placement import processes
from pivotlens.train.source import Tokenizer, open_tokenizer
from pivotlens.train.tables import tables
from pivotlens.train.task import TrainPass

# Held-out text is read in pieces of so many characters.
_HELD_OUT_CHARACTERS = 2048


def run(work: Work[TrainConfig]) -> dict[str, Any]:
    """Pack the arms, train on each with every seed, and put the checkpoints in place."""
    config, writer = work.config, work.writer
    check_service(config.log_to)
    tokenizer = open_tokenizer(config, work.near)
    for warning in load_tokenizer(str(tokenizer.folder)).warnings:
        writer.warn(warning)
    if config.score_concepts:
        Evaluation(config, Benchmark.load(work.run), {}, tokenizer.frame).check()
    if config.limit_documents is not None:
        writer.warn(f"only the first {config.limit_documents:,} documents of each file were read (--limit-documents)")
    arms = {name: _packed(work, name, tokenizer) for name in arm_specs(config.arms)}
    budget = equal_budget(arms, config.batch_sequences, config.tokens, config.unequal_arms)
    named = {one.name: one for one in trainings(list(arms), config.seeds)}
    parts = work.workspace.parts_folder("trainings")
    task = TrainPass(
        config, work.run, work.plan.fingerprint, parts, tokenizer, arms, budget, named, _held_out(work),
        current_teller.get(),
    )  # fmt: skip
    shards = [Shard.whole(CorpusFile(name, str(arms[one.arm].path), budget.steps, "")) for name, one in named.items()]
    task.checkpoints()  # refuses those that lie beyond the end
    task.announce(shards)
    store = PartStore(work.workspace.parts_folder("found"))
    # A launcher's processes train together, one training after another.
    LocalExecutor(config.workers if processes() == 1 else 1).run(shards, task, store, "Training")
    found = {shard.file.name: orjson.loads(store.path(shard).read_bytes()) for shard in shards}
    for name, table in tables(task, found).items():
        writer.write_table(name, table)
    for name, of in found.items():
        for warning in of["warnings"]:
            writer.warn(warning)
        for step, files in of["files"].items():
            for file, output in files.items():
                place = task.folder(named[name], int(step)) / file
                writer.adopt(f"{name}/{step_folder(int(step))}/{file}", place, Output.model_validate(output))
    return {
        **next(iter(found.values()))["model"],
        "tokenizer": load_tokenizer(str(tokenizer.folder)).fingerprint,
        "end_of_document": tokenizer.frame.end,
        "trainings": list(named),
        "steps": budget.steps,
        "tokens": budget.steps * task.step_tokens,
        "arms": {name: {"documents": arm.documents, "tokens": arm.tokens, "sequences": arm.sequences,
                        "used": budget.used[name]} for name, arm in arms.items()},
        "checkpoints": task.checkpoints(),
    }  # fmt: skip


def _packed(work: Work[TrainConfig], name: str, tokenizer: Tokenizer) -> Packed:
    """Cut an arm's documents into tokens and pack them, unless that was done before an interruption."""
    config, workspace = work.config, work.workspace
    corpus, executor = work.plan.source(f"arm {name}", Listing), LocalExecutor(config.workers)
    plan = UnitPlan(columns_of(config), limit_documents=config.limit_documents, max_bad_share=config.max_bad_share)
    shards = shards_of(corpus.files, plan, executor, workspace.parts_folder(f"cuts-{name}"))
    packing = PackPass(
        plan.columns, str(tokenizer.folder), tokenizer.frame, ids_dtype(tokenizer.size), plan.limit_documents,
        plan.max_bad_share,
    )  # fmt: skip
    store = PartStore(workspace.parts_folder(f"tokens-{name}"))
    executor.run(shards, packing, store, f"Cutting {name} into tokens")
    bad = merged_bad_rows(shards, store, config.max_bad_share)
    check_bad_share(bad, config.max_bad_share, arm_specs(config.arms)[name])
    for warning in corpus.warnings:
        work.writer.warn(f"arm {name}: {warning}")
    if bad.count:
        work.writer.warn(f"arm {name}: {bad.count:,} rows could not be read")
    path = workspace.parts_folder("packed") / f"{name}.tokens"
    return put_together(path, shards, store, bad.documents, packing, config.sequence_length)


def _held_out(work: Work[TrainConfig]) -> dict[str, list[str]]:
    """Draw the pieces of held-out text, by language; none where no corpus is given."""
    config, workspace = work.config, work.workspace
    if not config.held_out:
        return {}
    corpus, executor = work.plan.source("held_out", Listing), LocalExecutor(config.workers)
    plan = UnitPlan(
        columns_of(config), unit_characters=_HELD_OUT_CHARACTERS, limit_documents=config.limit_documents,
        max_bad_share=config.max_bad_share, identify="label",
    )  # fmt: skip
    draw = SamplePass(plan, config.held_out_units, _HELD_OUT_CHARACTERS, 0, "train held out")
    shards = shards_of(corpus.files, plan, executor, workspace.parts_folder("cuts-held-out"))
    store = PartStore(workspace.parts_folder("held-out"))
    executor.run(shards, draw, store, "Drawing held-out text")
    bad = merged_bad_rows(shards, store, config.max_bad_share)
    check_bad_share(bad, config.max_bad_share, config.held_out)
    found = {
        language: [piece.text for piece in pieces]
        for language, pieces in merged_sample(shards, store, config.held_out_units).items()
    }
    if not found:
        raise DataError(f"held-out corpus {config.held_out!r} holds no text", "Give one with text.")
    return found
