"""Where the scores come from: the pass over the corpus, or the result that is there for other budgets or arms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pivotlens.artifacts import Pivots, Selection, schema_of
from pivotlens.artifacts.columns import write_parquet_blocks
from pivotlens.artifacts.fingerprint import fingerprint
from pivotlens.artifacts.manifest import read_manifest
from pivotlens.corpus import (
    Listing,
    PartStore,
    Shard,
    UnitPlan,
    check_bad_share,
    merged_bad_rows,
    open_corpus,
    shards_of,
    unit_plan,
)
from pivotlens.corpus.boilerplate import Boilerplate
from pivotlens.corpus.packing import read_arrays, unpack_strings
from pivotlens.models.tokenizer import load_tokenizer
from pivotlens.select.config import SelectConfig
from pivotlens.select.dsir import Folders, weigh
from pivotlens.select.mined import corpus_pivots, is_corpus_pivot, mining_words, refuse_nothing, word_pivots
from pivotlens.select.passes import ScorePass
from pivotlens.select.scored_corpus import ScoredCorpus, score_blocks
from pivotlens.select.units import Guards
from pivotlens.stage import Work

_CHOOSING = frozenset(
    {
        "arms",
        "score",
        "budget_tokens",
        "budget_units",
        "budget_share",
        "languages",
        "shortage",
        "temperature",
        "min_tokens",
        "max_repetition",
        "max_similarity",
        "formats",
        "file_tokens",
        "sequence_length",
        "end_of_document",
    }
)
"""Settings and inputs that scores do not follow from."""


@dataclass(frozen=True)
class Scored:
    """A corpus with scores.

    Attributes:
        path: The table ``scores``.
        shards: The corpus, in its order.
        plan: How it is read, with its boilerplate.
        boilerplate: The rows of the table ``boilerplate``.
        pivots: Number of corpus pivots that count.
        details: What the manifest tells of it.
        warnings: What is to be known of it.
    """

    path: Path
    shards: Sequence[Shard]
    plan: UnitPlan
    boilerplate: list[dict[str, Any]]
    pivots: int
    details: dict[str, Any]
    warnings: list[str]


def obtain_scores(work: Work[SelectConfig]) -> Scored:
    """Score the corpus, or find the scores that are there: they do not depend on budgets, arms and guards.

    Raises:
        ConfigError: The tokenizer is another than the one that the pivots were mined with.
        PrerequisiteError: There are no pivots to select by.
        DataError: The corpus is empty or damaged, or has too many unreadable rows.
    """
    config, workspace, executor = work.config, work.workspace, work.executor
    tokenizer = load_tokenizer(config.tokenizer, work.near)
    mined = Pivots.load(work.run)
    pivots = corpus_pivots(mined, config, tokenizer)
    refuse_nothing(config, mined, len(pivots))
    files, plan = work.plan.source("corpus", Listing).files, unit_plan(config)
    meaning = {name: value for name, value in config.meaning().items() if name not in _CHOOSING}
    signed = config.max_similarity < 1
    meaning |= {"signed": True} if signed else {}
    inputs = {name: value for name, value in work.plan.inputs.items() if name not in _CHOOSING}
    scoring = fingerprint("select scores", work.plan.version, meaning, inputs)
    lasting = workspace.lasting_folder(scoring)
    warnings = [*tokenizer.warnings]
    if 0 < len(pivots) < config.pivots:
        warnings.append(f"{len(pivots):,} pivots were mined, fewer than the {config.pivots:,} asked for; all count")

    def folder(name: str) -> Path:
        path = lasting / name
        path.mkdir(exist_ok=True)
        return path

    there = _there(work, scoring)
    if there is not None:
        details = {name: there.manifest.details[name] for name in _DETAILS}
        lines = there.rows("boilerplate")
        plan = replace(
            plan, boilerplate=Boilerplate.of_rows(lines, "label", by_source=details["boilerplate_by_source"])
        )
        shards = shards_of(files, plan, executor, folder("cuts"))
        return Scored(
            there.folder / "scores.parquet",
            shards,
            plan,
            lines,
            len(pivots),
            details,
            warnings + _told(config, details),
        )
    opened = open_corpus(files, plan, executor, folder)
    words = mining_words(work.run)
    parts = PartStore(folder("scores"))
    is_pivot = is_corpus_pivot(pivots, tokenizer)
    sought = lasting / "sought"
    word_pivots(mined, words, config.seed).sought(words, is_pivot).write(sought)
    executor.run(
        opened.shards, ScorePass(opened.plan, str(tokenizer.folder), words, sought, signed), parts, "Scoring units"
    )
    bad = merged_bad_rows(opened.shards, parts, config.max_bad_share)
    check_bad_share(bad, config.max_bad_share, config.corpus)
    path = lasting / "scores.parquet"
    write_parquet_blocks(path, schema_of("select", "scores"), score_blocks(opened.shards, parts, signed))
    details = {
        "scoring": scoring,
        "corpus_files": len(files),
        "documents": bad.documents,
        "bad_rows": bad.count,
        "first_bad_row": f"{bad.first[0].file}, line {bad.first[0].row}: {bad.first[0].problem}" if bad.count else "",
        "pivots": len(pivots),
        "pivot_tokens": int(is_pivot.sum()),
        "words": len(words.words),
        "tokenizer": tokenizer.fingerprint,
        "boilerplate_by_source": opened.plan.boilerplate.by_source,
        "label_warnings": [*opened.warnings],
    }
    lines = _boilerplate_rows(opened.plan.boilerplate, _dropped(opened.shards, parts))
    return Scored(path, opened.shards, opened.plan, lines, len(pivots), details, warnings + _told(config, details))


_DETAILS = (
    "scoring",
    "corpus_files",
    "documents",
    "bad_rows",
    "first_bad_row",
    "pivots",
    "pivot_tokens",
    "words",
    "tokenizer",
    "boilerplate_by_source",
    "label_warnings",
)


def weighed(work: Work[SelectConfig], found: Scored) -> ScoredCorpus:
    """Return the scores to choose by, with importance weights where arm ``dsir`` is made."""
    config = work.config
    guards = Guards(config.min_tokens, config.max_repetition, config.max_similarity)
    corpus = ScoredCorpus(found.path, found.shards, guards)
    if "dsir" not in config.arms:
        return corpus
    lasting = work.workspace.lasting_folder(found.details["scoring"])
    folders = []
    for name in ("dsir-targets", "dsir-counts", "dsir-weights"):
        (lasting / name).mkdir(exist_ok=True)
        folders.append(PartStore(lasting / name))
    tokenizer = load_tokenizer(config.tokenizer, work.near)
    weigh(corpus, found.plan, str(tokenizer.folder), work.executor, Folders(*folders))
    return replace(corpus, weights=folders[-1])


def _there(work: Work[SelectConfig], scoring: str) -> Selection | None:
    """Return the finished result whose scores fit."""
    manifest = read_manifest(work.plan.folder)
    if manifest is None or manifest.details.get("scoring") != scoring:
        return None
    for name in ("scores.parquet", "boilerplate.parquet"):
        path, output = work.plan.folder / name, manifest.outputs.get(name)
        if output is None or not path.is_file() or path.stat().st_size != output.bytes:
            return None
    return Selection.load(work.run)


def _told(config: SelectConfig, details: Mapping[str, Any]) -> list[str]:
    warnings = [*details["label_warnings"]]
    if config.limit_documents is not None:
        warnings.append(
            f"only the first {config.limit_documents:,} documents of each file were read (--limit-documents)"
        )
    if details["bad_rows"]:
        warnings.append(
            f"{details['bad_rows']:,} rows of the corpus could not be read, the first {details['first_bad_row']}"
        )
    return warnings


def _dropped(shards: Sequence[Shard], parts: PartStore) -> Counter[tuple[str, str, bytes]]:
    """Return how often each line of boilerplate was left out, by source, label and key."""
    counts: Counter[tuple[str, str, bytes]] = Counter()
    for shard in shards:
        arrays = read_arrays(parts.path(shard), ("dropped_source", "dropped_label", "dropped_key", "dropped_count"))
        keys = arrays["dropped_key"].tobytes().split(b"\n")[:-1]
        sources, labels = unpack_strings(arrays["dropped_source"]), unpack_strings(arrays["dropped_label"])
        for source, label, key, n in zip(sources, labels, keys, arrays["dropped_count"].tolist(), strict=True):
            counts[source, label, key] += n
    return counts


def _boilerplate_rows(boilerplate: Boilerplate, dropped: Mapping[tuple[str, str, bytes], int]) -> list[dict[str, Any]]:
    return [
        {
            "source": line.group[0],
            "label": line.group[1],
            "line": line.text,
            "documents": line.documents,
            "documents_sampled": line.sampled,
            "dropped": dropped.get((line.group[0], line.group[1], line.key), 0),
        }
        for line in boilerplate.lines
    ]
