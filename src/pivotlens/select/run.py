"""Select documents: reads ``mine`` and the corpus, writes ``select``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from pivotlens.artifacts import Pivots, Selection, StageRun, schema_of, upstream_inputs, write_bytes
from pivotlens.corpus import (
    BadRows,
    LocalExecutor,
    PartStore,
    Shard,
    check_bad_share,
    corpus_fingerprint,
    merged_bad_rows,
    shards_of,
    survey_corpus,
    unit_plan,
)
from pivotlens.corpus.packing import write_arrays
from pivotlens.errors import ConfigError
from pivotlens.select.card import data_card
from pivotlens.select.choosing import Arm
from pivotlens.select.config import SelectConfig
from pivotlens.select.scoring import Booleans, Mode, ScoredUnits
from pivotlens.select.summary import Summary, scores_table
from pivotlens.text.matching import missed_beside_particles

if TYPE_CHECKING:
    from pivotlens.models.tokenizer import TextTokenizer
    from pivotlens.select.scored_corpus import ScoredCorpus

VERSION = 2


def stage_run(
    config: SelectConfig,
    run: Path | str,
    *,
    planned: Mapping[str, str] | None = None,
    passed: Mapping[str, str] | None = None,
) -> StageRun:
    """Return the stage as it would run, with the fingerprints of all it reads; writes nothing.

    Raises:
        ConfigError: No tokenizer is given.
        PrerequisiteError: ``mine`` has not run, or the tokenizer or corpus is not there.
        DataError: The corpus holds no file.
    """
    from pivotlens.models.resolve import tokenizer_fingerprint

    inputs = upstream_inputs(run, ["mine"], planned=planned, reader="select")
    if not config.tokenizer:
        raise ConfigError(
            "select has no tokenizer to cut the text with",
            "Pass --tokenizer with the model that `pivotlens count` was given, or set `tokenizer` in [select].",
        )
    unit_plan(config)
    inputs["corpus"] = corpus_fingerprint(config.corpus)
    inputs["tokenizer"] = tokenizer_fingerprint(config.tokenizer)
    return StageRun(run, config, version=VERSION, inputs=inputs, passed=passed)


def select_documents(
    config: SelectConfig | None = None, run: Path | str = "run", *, passed: Mapping[str, str] | None = None
) -> Selection:
    """Rebuild the corpus from its pivot-rich units (METHOD §6), or return the selection that is there and fits.

    Args:
        config: The settings; defaults where None.
        run: The run folder.
        passed: Where each setting that is not a default came from, for the record.

    Raises:
        DataError: The corpus is empty, damaged or has too many unreadable rows.
        PivotLensError: As `stage_run`.
    """
    config = config or SelectConfig()
    stage = stage_run(config, run, passed=passed)
    if stage.reason_to_run() is not None:
        with stage:
            _select(stage, config)
    return Selection.load(run)


def _select(stage: StageRun, config: SelectConfig) -> None:
    from pivotlens.models.tokenizer import load_tokenizer
    from pivotlens.select.passes import ScorePass, WritePass
    from pivotlens.select.scored_corpus import ScoredCorpus

    tokenizer = load_tokenizer(config.tokenizer)
    for warning in tokenizer.warnings:
        stage.warn(warning)
    pivots = _pivots(Pivots.load(stage.run), config, tokenizer)
    token_ids = tuple(sorted({token for variants in pivots for token in variants}))
    corpus, plan, executor = survey_corpus(config.corpus), unit_plan(config), LocalExecutor(config.workers)
    shards = shards_of(corpus.files, plan, executor, stage.parts_folder("cuts"))

    scores = PartStore(stage.parts_folder("scores"))
    executor.run(shards, ScorePass(plan, config.tokenizer, token_ids, config.seed), scores, "Scoring units")
    bad = merged_bad_rows(shards, scores, config.max_bad_share)
    check_bad_share(bad, config.max_bad_share, config.corpus)

    # No array over all units is made: what the corpus holds is read shard by shard, several times.
    scored = ScoredCorpus(shards, scores, config.min_tokens)
    arms = _arms(scored, config, len(pivots))
    modes = tuple(arm.mode for arm in arms)
    summary = Summary(modes, config.budget_tokens)
    chosen = PartStore(stage.parts_folder("chosen"))
    holding = _chosen(scored, arms, chosen, summary)
    documents = PartStore(stage.parts_folder("documents"))
    executor.run(holding, WritePass(plan, modes, chosen, scores), documents, "Writing documents")

    stage.write_blocks("scores", (scores_table(units, modes, _taken(arms, units)) for _, units in scored))
    rows = summary.rows()
    stage.write_table("summary", pa.Table.from_pylist(rows, schema=schema_of("select", "summary")))
    _put_documents(stage, modes, holding, documents)
    for mode in modes:
        card = data_card(mode, config.meaning(), [row for row in rows if row["mode"] == mode], len(pivots))
        write_bytes(stage.staged(f"{mode}/README.md"), card.encode())
    for warning in corpus.warnings:
        stage.warn(warning)
    _warn(stage, config, bad, summary, len(pivots))
    stage.finish(
        {
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
    )


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
    return tuple(tuple(sorted({row["token_id"], *(row.get("variant_ids") or ())})) for row in rows)


def _arms(scored: ScoredCorpus, config: SelectConfig, n_pivots: int) -> list[Arm]:
    # Without pivots nothing ranks the units: arm top stays empty rather than random by another name.
    arms = [
        Arm(mode, config.budget_tokens if n_pivots or mode == "random" else 0) for mode in dict.fromkeys(config.modes)
    ]
    for _, units in scored:
        for arm in arms:
            arm.add(units)
    return arms


def _taken(arms: Sequence[Arm], units: ScoredUnits) -> Booleans:
    """Return which units are in each arm, shape ``(arms, units)``."""
    return np.stack([arm.takes(units) for arm in arms])


def _chosen(scored: ScoredCorpus, arms: Sequence[Arm], chosen: PartStore, summary: Summary) -> list[Shard]:
    """Keep for `WritePass` which units of each shard are in which arm, sum them up, and return the shards with any."""
    holding = []
    for shard, units in scored:
        taken = _taken(arms, units)
        summary.add(units, taken)
        if taken.any():
            write_arrays(chosen.path(shard), {"chosen": taken})
            holding.append(shard)
    return holding


def _put_documents(stage: StageRun, modes: Sequence[Mode], shards: Sequence[Shard], documents: PartStore) -> None:
    """Put what the workers wrote in place, numbered in the order of the corpus."""
    from pivotlens.select.passes import documents_path, no_documents, written

    numbers = dict.fromkeys(modes, 0)
    for shard in shards:
        part = documents.path(shard)
        for mode, output in written(part).items():
            stage.adopt(_documents_name(mode, numbers[mode]), documents_path(part, mode), output)
            numbers[mode] += 1
    for mode in (mode for mode, number in numbers.items() if number == 0):
        write_bytes(stage.staged(_documents_name(mode, 0), 0), no_documents())


def _documents_name(mode: Mode, number: int) -> str:
    return f"{mode}/documents-{number:05d}.jsonl.zst"


def _warn(stage: StageRun, config: SelectConfig, bad: BadRows, summary: Summary, n_pivots: int) -> None:
    if config.limit is not None:
        stage.warn(f"only the first {config.limit:,} documents of each file were read (--limit)")
    if bad.count:
        first = bad.first[0]
        stage.warn(
            f"{bad.count:,} rows of the corpus could not be read, the first {first.file}, line {first.row}: "
            f"{first.problem}"
        )
    missed = missed_beside_particles(summary.languages)
    if not n_pivots:
        stage.warn(
            "`mine` found no pivots to select by, so arm top holds nothing: pivots live in documents that mix "
            f"languages; count a corpus with some{f'. {missed}' if missed else ', or lower --min-df of mine'}"
        )
    elif n_pivots < config.pivots:
        stage.warn(f"{n_pivots:,} pivots were mined, fewer than the {config.pivots:,} asked for; all of them count")
    rows = summary.rows()
    short = f"no unit is long enough: none has {config.min_tokens:,} tokens (--min-tokens)"
    for row in (row for row in rows if row["units"] == 0 and (n_pivots or row["mode"] != "top")):
        why = short if row["available"] == 0 else f"its first unit exceeds {config.budget_tokens:,}"
        stage.warn(f"arm {row['mode']} holds nothing in {row['language']}: {why}")
    exhausted = sorted({row["language"] for row in rows if 0 < row["available"] <= row["budget"]})
    if exhausted:
        stage.warn(
            f"the budget of {config.budget_tokens:,} tokens takes everything there is in {', '.join(exhausted)}: "
            f"the arms do not differ there"
        )
    if summary.without_pivots:
        stage.warn(
            f"{summary.without_pivots.total():,} of the {summary.units_of('top'):,} units of arm top hold none "
            f"({', '.join(sorted(summary.without_pivots))}): the budget is larger than what the pivots reach"
        )
