"""Select documents: reads ``bench``, ``count``, ``mine`` and the corpus, writes ``select``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from pivotlens.arrays import Booleans
from pivotlens.artifacts import Benchmark, write_bytes
from pivotlens.corpus import Listing, PartStore
from pivotlens.corpus.writing import ArmFiles, how_to_train, joined_files
from pivotlens.models.tokenizer import load_tokenizer
from pivotlens.select.card import CardTables, data_card
from pivotlens.select.chosen import ChosenArms
from pivotlens.select.config import SelectConfig
from pivotlens.select.facts import Facts, matching_rows
from pivotlens.select.files import file_warnings, writing_plan
from pivotlens.select.scores import obtain_scores, weighed
from pivotlens.select.warnings import warnings_of
from pivotlens.select.writing import WritePass, ended_within, keep_chosen, merged_examples
from pivotlens.stage import Work


def run(work: Work[SelectConfig]) -> dict[str, Any]:
    """Score every unit, or take the scores that are there; choose the arms and write their documents."""
    config, workspace, writer = work.config, work.workspace, work.writer
    executor = work.executor
    found = obtain_scores(work)
    corpus = weighed(work, found)
    dropped = sum(line["dropped"] for line in found.boilerplate)
    arms = ChosenArms(corpus, config, Benchmark.load(work.run).languages, dropped)
    arms.refuse_shortage()

    names = tuple(arms.choosers)
    facts = Facts(
        names,
        {name: chooser.budgets for name, chooser in arms.choosers.items()},
        corpus.codes,
        corpus.sources,
        arms.lengths,
        config.score != "bridge",
        arms.exchanged,
    )
    chosen, fragments, joined = (PartStore(workspace.parts_folder(key)) for key in ("chosen", "fragments", "joined"))
    files = ArmFiles(names, config.file_tokens, config.sequence_length, fragments)
    holding = []
    for shard, units in corpus:
        taken = arms.takes(units)
        facts.add(units, taken)
        if taken.any():
            keep_chosen(chosen.path(shard), units, files.place(shard, units.cost, taken), corpus.codes)
            holding.append(shard)
    tokenizer = load_tokenizer(config.tokenizer, work.near)
    writing = writing_plan(config, tokenizer)
    work_of_shard = WritePass(found.plan, writing, str(tokenizer.folder), names, chosen)
    executor.run(holding, work_of_shard, fragments, "Writing documents")
    for name, path, output in joined_files(files.files(), writing, executor, joined):
        writer.adopt(name, path, output)
    parts = [fragments.path(shard) for shard in holding]

    writer.write_table_blocks(
        "scores", (_with_arms(table, names, arms.takes(units)) for table, units in corpus.tables())
    )
    tables = {
        "summary": facts.summary_rows(),
        "arms": facts.arm_rows(config.sequence_length),
        "composition": facts.composition_rows(),
        "overlap": facts.overlap_rows(),
        "losses": facts.loss_rows(),
        "boilerplate": found.boilerplate,
        "matching": matching_rows(arms.matched, corpus.codes),
        "examples": merged_examples(parts),
    }
    for name, rows in tables.items():
        writer.write_rows(name, rows)
    warnings = [
        *found.warnings,
        *warnings_of(config, facts, arms, tables),
        *file_warnings(config, writing, files, sum(ended_within(part) for part in parts)),
    ]
    for warning in (*work.plan.source("corpus", Listing).warnings, *warnings):
        writer.warn(warning)
    card = CardTables(tables, facts, config.meaning(), found.pivots, warnings)
    for name in names:
        use = how_to_train(writing, files.tokens(name), config.sequence_length, f"select/{name}")
        write_bytes(writer.staged(f"{name}/README.md"), f"{data_card(name, card)}\n{use}".encode())
    return {
        **found.details,
        "units": facts.units,
        "tokens": facts.tokens,
        "duplicates": facts.lost("duplicate"),
        "near_duplicates": facts.lost("near_duplicate"),
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
