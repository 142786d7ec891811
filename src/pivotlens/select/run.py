"""Select documents: reads ``bench``, ``count``, ``mine`` and the corpus, writes ``select``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from pivotlens.arrays import Booleans
from pivotlens.artifacts import Benchmark, ResultWriter, schema_of, write_bytes
from pivotlens.corpus import Listing, LocalExecutor, PartStore, Shard
from pivotlens.select.card import CardTables, data_card
from pivotlens.select.chosen import ChosenArms
from pivotlens.select.config import SelectConfig
from pivotlens.select.facts import Facts, matching_rows
from pivotlens.select.scores import obtain_scores, weighed
from pivotlens.select.warnings import warnings_of
from pivotlens.select.writing import WritePass, documents_path, keep_chosen, merged_examples, no_documents, written
from pivotlens.stage import Work


def run(work: Work[SelectConfig]) -> dict[str, Any]:
    """Score every unit, or take the scores that are there; choose the arms and write their documents."""
    config, workspace, writer = work.config, work.workspace, work.writer
    executor = LocalExecutor(config.workers)
    found = obtain_scores(work, executor)
    corpus = weighed(work, found, executor)
    arms = ChosenArms(corpus, config, Benchmark.load(work.run).languages)
    arms.refuse_shortage()

    names = tuple(arms.choosers)
    facts = Facts(
        names,
        {name: chooser.budgets for name, chooser in arms.choosers.items()},
        corpus.codes,
        corpus.sources,
        arms.lengths,
        config.score != "bridge",
    )
    chosen = PartStore(workspace.parts_folder("chosen"))
    holding = []
    for shard, units in corpus:
        taken = arms.takes(units)
        facts.add(units, taken)
        if taken.any():
            keep_chosen(chosen.path(shard), units, taken, corpus.codes)
            holding.append(shard)
    documents = PartStore(workspace.parts_folder("documents"))
    executor.run(holding, WritePass(found.plan, names, chosen), documents, "Writing documents")

    writer.write_table_blocks(
        "scores", (_with_arms(table, names, arms.takes(units)) for table, units in corpus.tables())
    )
    tables = {
        "summary": facts.summary_rows(),
        "arms": facts.arm_rows(),
        "composition": facts.composition_rows(),
        "overlap": facts.overlap_rows(),
        "losses": facts.loss_rows(),
        "boilerplate": found.boilerplate,
        "matching": matching_rows(arms.matched, corpus.codes),
        "examples": merged_examples([documents.path(shard) for shard in holding]),
    }
    for name, rows in tables.items():
        writer.write_table(name, pa.Table.from_pylist(rows, schema=schema_of("select", name)))
    _put_documents(writer, names, holding, documents)
    warnings = [*found.warnings, *warnings_of(config, facts, arms, tables["summary"])]
    for warning in (*work.plan.source("corpus", Listing).warnings, *warnings):
        writer.warn(warning)
    card = CardTables(tables, config.meaning(), found.pivots, warnings)
    for name in names:
        write_bytes(writer.staged(f"{name}/README.md"), data_card(name, card).encode())
    return {
        **found.details,
        "units": facts.units,
        "tokens": facts.tokens,
        "duplicates": facts.lost("duplicate"),
        "short": facts.lost("short"),
        "repetitive": facts.lost("repetitive"),
        "mislabelled": facts.lost("mislabelled"),
        "seed": config.seed,
    }


def _with_arms(table: pa.Table, names: Sequence[str], chosen: Booleans) -> pa.Table:
    arms_of_unit, arms = np.nonzero(chosen.T)
    offsets = np.searchsorted(arms_of_unit, np.arange(chosen.shape[1] + 1)).astype(np.int32)
    selected = pa.ListArray.from_arrays(pa.array(offsets), pa.array(list(names), pa.string()).take(pa.array(arms)))
    return table.set_column(table.schema.get_field_index("selected"), "selected", selected)


def _put_documents(writer: ResultWriter, arms: Sequence[str], shards: Sequence[Shard], documents: PartStore) -> None:
    """Put what the workers wrote in place, numbered in the order of the corpus."""
    numbers = dict.fromkeys(arms, 0)
    for shard in shards:
        part = documents.path(shard)
        for arm, output in written(part).items():
            writer.adopt(_documents_name(arm, numbers[arm]), documents_path(part, arm), output)
            numbers[arm] += 1
    for arm in (arm for arm, number in numbers.items() if number == 0):
        write_bytes(writer.staged(_documents_name(arm, 0), 0), no_documents())


def _documents_name(arm: str, number: int) -> str:
    return f"{arm}/documents-{number:05d}.jsonl.zst"
