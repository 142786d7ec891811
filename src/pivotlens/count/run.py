"""Count a corpus: reads ``bench`` and the corpus, writes ``count``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pivotlens.arrays import Integers
from pivotlens.artifacts import Benchmark, ResultWriter
from pivotlens.corpus import (
    BadRows,
    Boilerplate,
    Listing,
    OpenedCorpus,
    PartStore,
    Shard,
    check_bad_share,
    merged_bad_rows,
    open_corpus,
    unit_plan,
)
from pivotlens.corpus.packing import read_arrays
from pivotlens.corpus.vocabulary import CountedWords
from pivotlens.count import tables
from pivotlens.count.config import CountConfig
from pivotlens.count.occurrences import Cell, CooccurrenceCounter
from pivotlens.count.passes import ContextPass, OccurrencePass
from pivotlens.count.runs import Runs
from pivotlens.count.units import UNIT_ARRAYS, UnitKinds
from pivotlens.errors import ConfigError
from pivotlens.models.tokenizer import load_tokenizer
from pivotlens.stage import Work
from pivotlens.text import english_name, has_spaces_between_words
from pivotlens.text.clitics import written_together
from pivotlens.text.longer_words import BUNDLED, LongerWords, read_longer_words
from pivotlens.text.segmenters import segmented_languages

_WITH_LONGER_WORDS = ("everyday-nouns", "word-translation")


def run(work: Work[CountConfig]) -> dict[str, Any]:
    """Count words, pairs and tokens of the corpus."""
    config, workspace, writer = work.config, work.workspace, work.writer
    benchmark = Benchmark.load(work.run)
    longer = read_longer_words(config.longer_words)
    segmenters = segmented_languages(config.segmenters)
    words = CountedWords.of(benchmark.test_concepts(), benchmark.concepts.values(), longer.words, segmenters)
    tokenizer = load_tokenizer(config.tokenizer, work.near)
    for warning in tokenizer.warnings:
        writer.warn(warning)
    corpus, executor = work.plan.source("corpus", Listing), work.executor
    opened = open_corpus(corpus.files, unit_plan(config), executor, workspace.parts_folder)
    shards, plan = opened.shards, opened.plan

    find = OccurrencePass(words, plan, config.sample, config.background, config.seed)
    found = PartStore(workspace.parts_folder("occurrences"))
    executor.run(shards, find, found, "Finding words")
    bad = merged_bad_rows(shards, found, config.max_bad_share)
    check_bad_share(bad, config.max_bad_share, config.corpus)
    counter, kinds = _merged_occurrences(words, config, shards, found), _merged_kinds(opened, found)
    for warning in (*corpus.warnings, *opened.warnings):
        writer.warn(warning)
    _warn(writer, config, counter, bad)
    for warning in kinds.warnings():
        writer.warn(warning)
    _warn_of_shorter_words(writer, config, benchmark, words, longer)

    backgrounds = {cell: threshold for cell, (_, threshold) in counter.backgrounds().items()}
    cut = ContextPass(words, plan, config.sample, config.seed, found, counter.thresholds, backgrounds,
                      str(tokenizer.folder), config.cells_held)  # fmt: skip
    contexts_of_shards = PartStore(workspace.parts_folder("contexts"))
    executor.run(shards, cut, contexts_of_shards, "Counting tokens")
    contexts = _merged_contexts(shards, contexts_of_shards, tuple(sorted(backgrounds)), tokenizer.vocab_size)

    _write(writer, words, counter, contexts)
    _write_units(writer, kinds, plan.boilerplate)
    tokens = np.flatnonzero(contexts.met).tolist()
    writer.write_table("token_texts", {"token_id": tokens, "token": [tokenizer.text(token) for token in tokens]})
    writer.write_table(
        "problems",
        {
            "file": [row.file for row in bad],
            "row": [row.row for row in bad],
            "problem": [row.problem for row in bad],
        },
    )
    return {
        "corpus_files": len(corpus.files),
        "corpus_bytes": sum(file.size for file in corpus.files),
        "documents": bad.documents,
        "units": sum(row.units for row in counter.languages.values()),
        "bad_rows": bad.count,
        "boilerplate_lines": len(plan.boilerplate.lines),
        "boilerplate_dropped": kinds.dropped.total(),
        "boilerplate_by_source": plan.boilerplate.by_source,
        "words": len(words.words),
        "longer_words": {code: len(listed) for code, listed in longer.words.items()},
        "segmenters": dict(words.segmenters),
        "concepts": len(words.concepts),
        "tokenizer": tokenizer.fingerprint,
        "seed": config.seed,
    }


def _merged_occurrences(
    words: CountedWords, config: CountConfig, shards: Sequence[Shard], parts: PartStore
) -> CooccurrenceCounter:
    counter = CooccurrenceCounter(words, config.sample, config.background)
    for shard in shards:
        counter.merge_arrays(read_arrays(parts.path(shard)))
    return counter


def _merged_kinds(opened: OpenedCorpus, parts: PartStore) -> UnitKinds:
    kinds = UnitKinds()
    for shard in opened.shards:
        kinds.merge_arrays(read_arrays(parts.path(shard), UNIT_ARRAYS), opened.plan.boilerplate)
    return kinds


def _merged_contexts(
    shards: Sequence[Shard], parts: PartStore, cells: tuple[Cell, ...], vocabulary: int
) -> tables.ContextCounts:
    runs: list[tuple[Path, Integers]] = []
    names = ("units", "background_units", "background_tokens")
    sums: dict[str, Integers] = {}
    for shard in shards:
        arrays = read_arrays(parts.path(shard))
        runs.append((parts.path(shard), arrays["offsets"].astype(np.int64)))
        sums = {name: sums.get(name, 0) + arrays[name].astype(np.int64) for name in names}
    units, background_units, background_tokens = (sums[name] for name in names)
    return tables.ContextCounts(Runs(runs, vocabulary), units, background_units, background_tokens, cells)


def _warn(writer: ResultWriter, config: CountConfig, counter: CooccurrenceCounter, bad: BadRows) -> None:
    if config.limit_documents is not None:
        writer.warn(f"only the first {config.limit_documents:,} documents of each file were read (--limit-documents)")
    if bad.count:
        named = "names them" if bad.count == len(bad.first) else f"names the first {len(bad.first)}"
        writer.warn(f"{bad.count:,} rows of the corpus could not be read; the table `problems` {named}")
    absent = [code for code in counter.words.languages if code not in counter.languages]
    if absent:
        writer.warn(f"the corpus holds no document in {', '.join(absent)}")
    if together := written_together([*counter.words.languages, *counter.languages]):
        writer.warn(
            f"{_found_words(counter, together)}in {', '.join(together)} particles, articles or prepositions are "
            "written together with the word, which is not found beside one: what is counted there is too low"
        )


def _found_words(counter: CooccurrenceCounter, languages: Sequence[str]) -> str:
    """Say how many of the benchmark's words in each language were found at all, in text of any language."""
    words = counter.words
    _, found, counts = counter.word_counts()
    met = np.zeros(len(words.words), dtype=bool)
    met[found[counts > 0]] = True
    said = []
    for place, code in enumerate(words.languages):
        if code in languages:
            of_language = words.language_of_word == place
            said.append(f"{int(met[of_language].sum()):,} of {int(of_language.sum()):,} {_english_name(code)} words")
    return f"{' and '.join(said)} were found: " if said else ""


def _english_name(code: str) -> str:
    try:
        return english_name(code)
    except ConfigError:
        return code


def _warn_of_shorter_words(
    writer: ResultWriter, config: CountConfig, benchmark: Benchmark, words: CountedWords, longer: LongerWords
) -> None:
    cut = dict(words.segmenters)
    unspaced = [code for code in words.languages if not has_spaces_between_words(code) and code not in cut]
    bare = [code for code in unspaced if code not in longer.words]
    if bare:
        writer.warn(f"no longer words are known in {', '.join(bare)}: a word is also counted within longer ones")
    made_from = benchmark.manifest.config
    known = str(made_from.get("words")).partition("@")[0] in _WITH_LONGER_WORDS and not made_from.get("lexicon")
    if config.longer_words == BUNDLED and not known and len(bare) < len(unspaced):
        writer.warn("the bundled longer words are those around words of the bundled lists; around others many miss")


def _write(
    writer: ResultWriter, words: CountedWords, counter: CooccurrenceCounter, contexts: tables.ContextCounts
) -> None:
    writer.write_table("languages", tables.languages_table(counter, contexts))
    writer.write_table("strata", tables.strata_table(counter, contexts))
    writer.write_table("words", tables.words_table(counter, contexts))
    pairs = tables.pairs_table(counter)
    writer.write_table("pairs", pairs)
    for name, rows in (("coverage", tables.coverage_rows(pairs)), ("pair_summary", tables.pair_summary_rows(pairs))):
        writer.write_rows(name, rows)
    writer.write_table_blocks("tokens", tables.tokens_blocks(contexts))
    writer.write_table("word_strata", tables.word_strata_table(words, contexts))
    writer.write_table("pair_strata", tables.pair_strata_table(words, contexts))
    writer.write_table_blocks("word_tokens", tables.word_tokens_blocks(words, contexts))
    writer.write_table_blocks("pair_tokens", tables.pair_tokens_blocks(words, contexts))


def _write_units(writer: ResultWriter, kinds: UnitKinds, boilerplate: Boilerplate) -> None:
    for name, rows in (
        ("units", kinds.rows()),
        ("boilerplate", kinds.boilerplate_rows(boilerplate)),
        ("boilerplate_sources", kinds.source_rows(boilerplate)),
    ):
        writer.write_rows(name, rows)
