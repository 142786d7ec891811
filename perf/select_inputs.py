"""What selecting needs before it: a benchmark, counts and mined pivots, made without counting or mining."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pivotlens.artifacts import Benchmark, ResultWriter, Workspace, make_plan, schema_of
from pivotlens.bench.config import BenchConfig
from pivotlens.bench.stage import build_benchmark
from pivotlens.count.config import CountConfig
from pivotlens.mine.config import MineConfig
from pivotlens.models.tokenizer import load_tokenizer
from pivotlens.settings import StageConfig

_PIVOTS_A_PAIR = 20


def write_mined(run: Path, tokenizer: str, limit_concepts: int | None = None) -> Benchmark:
    """Write a run of the bundled word list in which each pair has as many pivots as `mine` keeps.

    The pivots of a pair are its English word and, drawn by seed, those of other concepts: whole words, which stand in
    text as mined ones do.

    Args:
        run: Where to.
        tokenizer: A model spec.
        limit_concepts: Most concepts; all where None.
    """
    build_benchmark(BenchConfig(words="word-translation", limit_concepts=limit_concepts), run)
    benchmark = Benchmark.load(run)
    concepts = benchmark.test_concepts()
    cut = load_tokenizer(tokenizer)
    cuts = {concept.concept_id: cut.encode_batch([f" {concept.words['en']}"])[0].tolist() for concept in concepts}
    known = [ids[0] for ids in cuts.values() if len(ids) == 1]
    rng = np.random.default_rng(0)
    pairs: dict[str, list[object]] = {name: [] for name in schema_of("mine", "pair_pivots").names}
    for concept in concepts:
        for source in concept.words:
            for target in (other for other in concept.words if other != source):
                own = cuts[concept.concept_id]
                drawn = rng.choice(known, _PIVOTS_A_PAIR, replace=False).tolist()
                for token in dict.fromkeys([*(own if len(own) == 1 else []), *drawn]):
                    row = dict.fromkeys(pairs, 0) | {"concept_id": concept.concept_id, "relation": ""}
                    row |= {"source_language": source, "source_word": concept.words[source]}
                    row |= {"target_language": target, "target_word": concept.words[target]}
                    row |= {"token_id": token, "token": cut.text(token), "variant_ids": [token]}
                    for name, column in pairs.items():
                        column.append(row[name])
    n = len(known)
    pivots: dict[str, list[object]] = {"token_id": known, "token": [cut.text(token) for token in known]}
    pivots |= {"degree": [3] * n, "degree_shuffled": [0.5] * n, "language_pairs": [2] * n, "stability": [1.0] * n}
    pivots |= {"score": [1.0] * n, "variant_ids": [[token] for token in known]}
    named = [(language, word) for concept in concepts for language, word in concept.words.items()]
    counted = {"word_language": [code for code, _ in named], "word": [word for _, word in named]}
    counted |= {"document_language": counted["word_language"], "df": [9] * len(named), "n_sampled": [9] * len(named)}
    _write(run, CountConfig(), {"words": counted})
    _write(run, MineConfig(), {"pair_pivots": pairs, "pivots": pivots})
    return benchmark


def _write(run: Path, config: StageConfig, tables: dict[str, dict[str, list[object]]]) -> None:
    plan = make_plan(run, config, version=1, inputs={})
    with Workspace(plan) as workspace:
        writer = ResultWriter(plan, workspace)
        for name, columns in tables.items():
            schema = schema_of(config.stage, name)
            rows = len(next(iter(columns.values())))
            filled = {field.name: columns.get(field.name, [0] * rows) for field in schema}
            writer.write_table(name, filled)
        writer.finish()
