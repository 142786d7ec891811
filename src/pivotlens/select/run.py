"""Select documents: reads ``mine`` and the corpus, writes ``select``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from pivotlens.arrays import Booleans
from pivotlens.artifacts import Pivots, ResultWriter, schema_of, write_bytes
from pivotlens.corpus import (
    BadRows,
    Listing,
    LocalExecutor,
    PartStore,
    Shard,
    check_bad_share,
    merged_bad_rows,
    open_corpus,
    unit_plan,
)
from pivotlens.corpus.packing import write_arrays
from pivotlens.errors import ConfigError
from pivotlens.models.tokenizer import TextTokenizer, load_tokenizer
from pivotlens.select.card import data_card
from pivotlens.select.choosing import Chooser
from pivotlens.select.config import SelectConfig
from pivotlens.select.passes import ScorePass, WritePass, documents_path, no_documents, written
from pivotlens.select.scored_corpus import ScoredCorpus
from pivotlens.select.scoring import Mode, ScoredUnits
from pivotlens.select.summary import Summary, arm_rows, scores_table
from pivotlens.stage import Work
from pivotlens.text.matching import missed_beside_particles


def run(work: Work[SelectConfig]) -> dict[str, Any]:
    """Score every unit, choose the arms and write their documents."""
    config, workspace, writer = work.config, work.workspace, work.writer
    tokenizer = load_tokenizer(config.tokenizer, work.near)
    for warning in tokenizer.warnings:
        writer.warn(warning)
    pivots = _pivots(Pivots.load(work.run), config, tokenizer)
    token_ids = tuple(sorted({token for variants in pivots for token in variants}))
    corpus, executor = work.plan.source("corpus", Listing), LocalExecutor(config.workers)
    opened = open_corpus(corpus.files, unit_plan(config), executor, workspace.parts_folder)
    shards, plan = opened.shards, opened.plan

    scores = PartStore(workspace.parts_folder("scores"))
    executor.run(shards, ScorePass(plan, str(tokenizer.folder), token_ids, config.seed), scores, "Scoring units")
    bad = merged_bad_rows(shards, scores, config.max_bad_share)
    check_bad_share(bad, config.max_bad_share, config.corpus)

    # No array over all units is made: what the corpus holds is read shard by shard, several times.
    scored = ScoredCorpus(shards, scores, config.min_tokens)
    arms = _arms(scored, config, len(pivots))
    modes = tuple(arm.mode for arm in arms)
    summary = Summary(modes, config.budget_tokens)
    chosen = PartStore(workspace.parts_folder("chosen"))
    holding = _chosen(scored, arms, chosen, summary)
    documents = PartStore(workspace.parts_folder("documents"))
    executor.run(holding, WritePass(plan, modes, chosen, scores), documents, "Writing documents")

    writer.write_table_blocks("scores", (scores_table(units, modes, _taken(arms, units)) for _, units in scored))
    rows = summary.rows()
    for name, table in (("summary", rows), ("arms", arm_rows(rows))):
        writer.write_table(name, pa.Table.from_pylist(table, schema=schema_of("select", name)))
    _put_documents(writer, modes, holding, documents)
    for mode in modes:
        card = data_card(mode, config.meaning(), [row for row in rows if row["mode"] == mode], len(pivots))
        write_bytes(writer.staged(f"{mode}/README.md"), card.encode())
    for warning in corpus.warnings:
        writer.warn(warning)
    _warn(writer, config, bad, summary, len(pivots))
    return {
        "corpus_files": len(corpus.files),
        "documents": bad.documents,
        "units": summary.units,
        "tokens": summary.tokens,
        "bad_rows": bad.count,
        "duplicates": summary.duplicates,
        "short": summary.short,
        "pivots": len(pivots),
        "pivot_tokens": len(token_ids),
        "tokenizer": tokenizer.fingerprint,
        "seed": config.seed,
    }


def _pivots(mined: Pivots, config: SelectConfig, tokenizer: TextTokenizer) -> tuple[tuple[int, ...], ...]:
    """Return the token ids of each of the best pivots: all those that `mine` merged into one."""
    rows = sorted(mined.rows("pivots"), key=lambda row: (-row["score"], row["token_id"]))[: config.pivots]
    for row in rows:
        if row["token_id"] >= tokenizer.vocab_size or tokenizer.text(row["token_id"]) != row["token"]:
            raise ConfigError(
                f"token {row['token_id']} is {row['token']!r} in the mined pivots but not in the tokenizer of "
                f"{config.tokenizer!r}",
                "Give --tokenizer the model that `pivotlens count` was given.",
            )
    return tuple(tuple(row["variant_ids"]) for row in rows)


def _arms(scored: ScoredCorpus, config: SelectConfig, n_pivots: int) -> list[Chooser]:
    # Without pivots nothing ranks the units: arm top stays empty rather than random by another name.
    arms = [
        Chooser(mode, config.budget_tokens if n_pivots or mode == "random" else 0)
        for mode in dict.fromkeys(config.modes)
    ]
    for _, units in scored:
        for arm in arms:
            arm.add(units)
    return arms


def _taken(arms: Sequence[Chooser], units: ScoredUnits) -> Booleans:
    """Return which units are in each arm, shape ``(arms, units)``."""
    return np.stack([arm.takes(units) for arm in arms])


def _chosen(scored: ScoredCorpus, arms: Sequence[Chooser], chosen: PartStore, summary: Summary) -> list[Shard]:
    """Keep for `WritePass` which units of each shard are in which arm, sum them up, and return the shards with any."""
    holding = []
    for shard, units in scored:
        taken = _taken(arms, units)
        summary.add(units, taken)
        if taken.any():
            write_arrays(chosen.path(shard), {"chosen": taken})
            holding.append(shard)
    return holding


def _put_documents(writer: ResultWriter, modes: Sequence[Mode], shards: Sequence[Shard], documents: PartStore) -> None:
    """Put what the workers wrote in place, numbered in the order of the corpus."""
    numbers = dict.fromkeys(modes, 0)
    for shard in shards:
        part = documents.path(shard)
        for mode, output in written(part).items():
            writer.adopt(_documents_name(mode, numbers[mode]), documents_path(part, mode), output)
            numbers[mode] += 1
    for mode in (mode for mode, number in numbers.items() if number == 0):
        write_bytes(writer.staged(_documents_name(mode, 0), 0), no_documents())


def _documents_name(mode: Mode, number: int) -> str:
    return f"{mode}/documents-{number:05d}.jsonl.zst"


def _warn(writer: ResultWriter, config: SelectConfig, bad: BadRows, summary: Summary, n_pivots: int) -> None:
    if config.limit_documents is not None:
        writer.warn(f"only the first {config.limit_documents:,} documents of each file were read (--limit-documents)")
    if bad.count:
        first = bad.first[0]
        writer.warn(
            f"{bad.count:,} rows of the corpus could not be read, the first {first.file}, line {first.row}: "
            f"{first.problem}"
        )
    missed = missed_beside_particles(summary.languages)
    if not n_pivots:
        writer.warn(
            "`mine` found no pivots to select by, so arm top holds nothing: pivots live in documents that mix "
            f"languages; count a corpus with some{f'. {missed}' if missed else ', or lower --min-df of mine'}"
        )
    elif n_pivots < config.pivots:
        writer.warn(f"{n_pivots:,} pivots were mined, fewer than the {config.pivots:,} asked for; all of them count")
    rows = summary.rows()
    short = f"no unit is long enough: none has {config.min_tokens:,} tokens (--min-tokens)"
    for row in (row for row in rows if row["units"] == 0 and (n_pivots or row["mode"] != "top")):
        why = short if row["available"] == 0 else f"its first unit exceeds {config.budget_tokens:,}"
        writer.warn(f"arm {row['mode']} holds nothing in {row['language']}: {why}")
    exhausted = sorted({row["language"] for row in rows if 0 < row["available"] <= row["budget"]})
    if exhausted:
        writer.warn(
            f"the budget of {config.budget_tokens:,} tokens takes everything there is in {', '.join(exhausted)}: "
            f"the arms do not differ there"
        )
    if summary.without_pivots:
        writer.warn(
            f"{summary.without_pivots.total():,} of the {summary.units_of('top'):,} units of arm top hold none "
            f"({', '.join(sorted(summary.without_pivots))}): the budget is larger than what the pivots reach"
        )
