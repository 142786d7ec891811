"""A small, complete and hostile run folder for the tests of the report, written through `ResultWriter`."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from report_ablation import ablation_tables
from report_trace import TracedItems
from report_words import CONCEPTS, HOSTILE, LANGUAGES

from pivotlens.ablate.config import AblateConfig
from pivotlens.artifacts import SCHEMAS, upstream_inputs
from pivotlens.attribute.config import AttributeConfig
from pivotlens.attribute.joint import bin_rows, joint_rows
from pivotlens.bench.config import BenchConfig
from pivotlens.count.config import CountConfig
from pivotlens.count.tables import coverage_rows, pair_summary_rows
from pivotlens.lens.config import LensConfig
from pivotlens.mine.config import MineConfig
from pivotlens.mine.sums import grammar_rows, summary_rows
from pivotlens.score.config import ScoreConfig
from pivotlens.select.config import SelectConfig
from pivotlens.settings import StageConfig
from pivotlens.text import Direction, parse_direction
from pivotlens.trace.config import TraceConfig
from pivotlens.translation.failures import FAILURES
from stage_by_hand import writing

DIRECTIONS = ("fr-zh", "zh-fr", "en-fr", "fr-en", "ja-fr", "fr-ar")
ALL_STAGES = ("bench", "score", "lens", "trace", "ablate", "count", "attribute", "mine", "select")
ALSO_MODELS = ("demo:gemma-3-270m@step<2>", "demo:gemma-3-270m@step[3]")
Rows = list[dict[str, Any]]


def columns(name: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Rows as the columns of a table of the contract."""
    return {key: [row.get(key) for row in rows] for key in SCHEMAS[name].names}


def write_stage(
    run: Path,
    config: StageConfig,
    tables: Mapping[str, Rows],
    details: Mapping[str, Any] | None = None,
    warnings: Sequence[str] = (),
    origins: Mapping[str, str] | None = None,
) -> None:
    """Write a finished stage with these tables."""
    inputs = upstream_inputs(run, (), [stage for stage in ALL_STAGES if stage != config.stage])
    with writing(run, config, inputs=inputs, origins=origins) as stage:
        for message in warnings:
            stage.warn(message)
        for name, rows in tables.items():
            stage.write_table(name, columns(f"{config.stage}/{name}", rows))
        stage.finish(details or {})


def build_run(
    run: Path,
    stages: Sequence[str] = ALL_STAGES,
    directions: Sequence[str] = DIRECTIONS,
    concepts: int = 16,
    layers: int = 19,
    *,
    sweep: bool = False,
) -> Path:
    """Write a run folder with these stages and return it; with a sweep, the trace has other models and prompts.

    A run with all stages takes a second to make: it is made once, and copied.
    """
    if (stages, directions, concepts, layers) == (ALL_STAGES, DIRECTIONS, 16, 19):
        return Path(shutil.copytree(_whole_run(sweep), run, dirs_exist_ok=True))
    return _write_run(run, stages, directions, concepts, layers, sweep)


@functools.cache
def _whole_run(sweep: bool) -> Path:
    folder = tempfile.mkdtemp(prefix="pivotlens-report-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return _write_run(Path(folder), ALL_STAGES, DIRECTIONS, 16, 19, sweep)


def _write_run(
    run: Path, stages: Sequence[str], directions: Sequence[str], concepts: int, layers: int, sweep: bool
) -> Path:
    pairs = [parse_direction(text) for text in directions]
    words = dict(list(CONCEPTS.items())[:concepts])
    rng = np.random.default_rng(7)
    trace = TracedItems(words, pairs, layers, rng)
    writers = {
        "bench": lambda: _bench(run, words),
        "score": lambda: _score(run, words, pairs, rng, trace),
        "lens": lambda: _lens(run, layers),
        "trace": lambda: _trace(run, trace, directions, "lens" in stages, sweep),
        "ablate": lambda: write_stage(run, AblateConfig(), ablation_tables(pairs, list(words), rng)),
        "count": lambda: _count(run, words, pairs, rng),
        "attribute": lambda: _attribute(run, pairs, rng),
        "mine": lambda: _mine(run, words, pairs, rng),
        "select": lambda: _select(run, rng),
    }
    for stage in stages:
        writers[stage]()
    return run


def _bench(run: Path, words: Mapping[str, Mapping[str, str]]) -> None:
    items = [
        {"concept_id": key, "split": "test", "calibration": True, "pos": "noun", "synset": "", "language": language}
        | {"band": None, "word": word, "accepted": [word], "flags": []}
        for key, row in words.items()
        for language, word in row.items()
    ]
    details = {"test_concepts": len(words), "shot_concepts": 4, "languages": list(LANGUAGES)}
    tables: dict[str, Rows] = {"items": items, "distractors": [], "links": []}
    write_stage(run, BenchConfig(limit_concepts=len(words)), tables, details)


def _score(
    run: Path, words: Mapping[str, Mapping[str, str]], pairs: Sequence[Direction], rng: Any, trace: TracedItems
) -> None:
    concepts: Rows = []
    summary: Rows = []
    failed: Rows = []
    for index, pair in enumerate((None, *pairs)):
        names = ("all", "all") if pair is None else tuple(pair)
        for items in ("all", "different_spelling"):
            value = 0.31 - 0.03 * index - 0.01 * (items != "all")
            summary.append(
                _languages(names)
                | {"model": "demo:gemma-3-270m", "prompt": "english", "item_set": items, "n": 16}
                | {"score": value, "ci_low": value - 0.035, "ci_high": value + 0.04, "probability_share": value + 0.3}
                | {"probability_share_low": value + 0.22, "probability_share_high": value + 0.36}
                | {"probability_share_line": value + 0.28, "margin": 2.5}
                | {"accuracy_10way": value + 0.45, "accuracy_10way_low": value + 0.4}
                | {"accuracy_10way_high": value + 0.5, "accuracy_generated": value + 0.2}
                | {"accuracy_generated_low": value + 0.12, "accuracy_generated_high": value + 0.28}
            )
            failed += [
                {"model": "demo:gemma-3-270m", "prompt": "english", "item_set": items, "failure": kind, "n": n}
                | {"items": 16, "share": n / 16, "ci_low": n / 32, "ci_high": n / 12}
                | _languages(names)
                for n, kind in enumerate(FAILURES[: 5 + (pair is None)], start=1)
            ]
        if pair is None:
            continue
        for number, (key, row) in enumerate(words.items()):
            correct = trace.correct[pair, key]
            generated = row[pair.target] if correct else HOSTILE[number % len(HOSTILE)]
            concepts.append(
                _languages(pair)
                | {"model": "demo:gemma-3-270m", "prompt": "english", "concept_id": key}
                | {
                    "same_spelling": False,
                    "p_source": 0.4,
                    "p_distractors": 0.1,
                    "score": 0.3,
                    "probability_share": 0.5,
                }
                | {"probability_share_line": 0.5, "margin": 1.0, "rank": 1.0, "accuracy_10way": 1.0}
                | {"generated": generated, "correct": correct, "failure": None if correct else "other"}
            )
    write_stage(
        run,
        ScoreConfig(model="demo:gemma-3-270m", directions=tuple(str(pair) for pair in pairs)),
        {"answers": [], "concepts": concepts, "summary": summary, "failures": failed},
        details={"model": {"revision": "f00d", "dtype": "float32"}, "concepts": len(words)},
        origins={"model": "command line"},
    )


def _lens(run: Path, layers: int) -> None:
    rows = []
    for layer in range(layers):
        row: dict[str, Any] = {"model": "demo:gemma-3-270m", "layer": layer, "n": 24, "kept_change": 1.0}
        left = 1 - layer / (layers - 1)
        for name, value in (("kl_raw", 9 * left), ("kl_tuned", 3 * left), ("agrees_raw", 1 - left)):
            row |= {name: value, f"{name}_low": 0.9 * value, f"{name}_high": 1.1 * value}
        rows.append(row | {"agrees_tuned": 1 - left / 2, "agrees_tuned_low": 0.4, "agrees_tuned_high": 1.0})
    write_stage(run, LensConfig(model="demo:gemma-3-270m"), {"layers": rows})


def _trace(run: Path, trace: TracedItems, directions: Sequence[str], lens: bool, sweep: bool) -> None:
    tables = trace.tables()
    config = TraceConfig(model="demo:gemma-3-270m", directions=tuple(directions), limit_concepts=len(trace.words))
    if lens:
        tables = trace.with_lens(tables)
    if sweep:
        config = config.model_copy(update={"also_models": ALSO_MODELS, "also_prompts": ("native",)})
        tables = trace.swept(tables, config.models(), config.prompts())
    write_stage(
        run,
        config,
        tables,
        details={
            "early_exit_oracle": "passed",
            "calibration_concepts": len(trace.words),
            "agreement_between_shot_sets": 0.91,
        },
        warnings=["calibration set has 16 concepts, fewer than 100: `calibrated` labels are rough <b>here</b>"],
        origins={"model": "command line", "limit_concepts": "run.toml"},
    )


def _count(run: Path, words: Mapping[str, Mapping[str, str]], pairs: Sequence[Direction], rng: Any) -> None:
    languages = [
        {"language": language, "documents": 4000 - 700 * i, "units": 4200 - 700 * i, "units_sampled": 2000}
        | {"tokens_sampled": 60_000, "characters": 900_000 - i * 90_000, "bytes": 1_000_000 - i * 90_000}
        for i, language in enumerate(LANGUAGES)
    ]
    frequency = {(key, language): int(rng.integers(2, 400)) for key in words for language in LANGUAGES}
    rows = [
        _languages(pair)
        | {"concept_id": key, "df_source": frequency[key, pair.source]}
        | {"df_target": frequency[key, pair.target], "df_both": int(max(0, rng.integers(-6, 9)))}
        for pair in pairs
        for key in words
    ]
    word_rows = [
        {"word_language": language, "word": words[key][language], "document_language": language, "df": df}
        | {"n_sampled": df}
        for (key, language), df in frequency.items()
    ]
    counted = columns("count/pairs", rows)
    sums = {"coverage": coverage_rows(counted), "pair_summary": pair_summary_rows(counted)}
    problems = [{"file": "shard-0001.jsonl.zst", "row": 17, "problem": "not JSON"}]
    names = ("strata", "tokens", "word_strata", "pair_strata", "word_tokens", "pair_tokens", "token_texts")
    empty: dict[str, Rows] = {name: [] for name in names}
    write_stage(
        run,
        CountConfig(tokenizer="demo:gemma-3-270m"),
        {"languages": languages, "words": word_rows, "pairs": rows, "problems": problems, **sums, **empty},
        details={"corpus": "demo:tatoeba", "files": 5, "rows_read": 14_000},
        warnings=["1 of 14,000 rows could not be read"],
    )


def _attribute(run: Path, pairs: Sequence[Direction], rng: Any) -> None:
    auc: Rows = []
    tests: Rows = []
    for rule in ("calibrated", "onset"):
        for items in ("correct", "all"):
            for predictor in ("log_joint", "log_target", "npmi", "llr"):
                for index, pair in enumerate((*pairs, ("all", "all"))):
                    enough = index % 3 != 2
                    value = float(rng.uniform(0.45, 0.75)) if enough else None
                    auc.append(
                        _languages(pair)
                        | {"rule": rule, "item_set": items, "predictor": predictor, "auc": value}
                        | {"ci_low": value and value - 0.1, "ci_high": value and value + 0.1}
                        | {"n_direct": 30 if enough else 4, "n_pivot": 24}
                        | {"note": "" if enough else "fewer than 20 items in a class"}
                    )
    for index, pair in enumerate(pairs):
        tests.append(
            _languages(pair)
            | {"test": "joint_beyond_marginals", "rule": "calibrated" if index % 2 else "onset", "item_set": "all"}
            | {"statistic": 3.2, "p_value": 0.0735 / (index + 1), "n": 54, "note": ""}
        )
    constant = {"test": "spearman_joint_score", "rule": "", "item_set": "all", "n": 2, "note": "predictor constant"}
    tests.append(_languages(pairs[0]) | constant)
    pooled = {"statistic": 0.2, "ci_low": 0.1, "ci_high": 0.3, "note": "mean of 2 of 3 directions"}
    tests.append(_languages(("all", "all")) | constant | pooled)
    predictors = [
        _languages(pair)
        | {"concept_id": f"c{number}", "df_source": 90, "df_target": 90, "df_both": int(rng.integers(0, 40))}
        | {"score": float(rng.uniform(-0.1, 0.9)) if number % 5 else None, "correct": number % 3 != 0}
        | {"behaviour": ("direct", "semantic_pivot", "copy")[number % 3], "same_spelling": number == 7}
        for pair in pairs
        for number in range(30)
    ]
    with_auc = {row["item_set"]: set() for row in auc}
    for row in auc:
        if (row["rule"], row["predictor"]) == ("calibrated", "log_joint") and row["auc"] is not None:
            with_auc[row["item_set"]].add((row["source_language"], row["target_language"]))
    joint = joint_rows(predictors, lambda row: False, with_auc)
    tables = {"auc": auc, "predictors": predictors, "tests": tests, "bins": bin_rows(predictors), "joint": joint}
    write_stage(run, AttributeConfig(), tables, details={"association": True})


def _mine(run: Path, words: Mapping[str, Mapping[str, str]], pairs: Sequence[Direction], rng: Any) -> None:
    rows: Rows = []
    for pair in pairs:
        for number, (key, row) in enumerate(words.items()):
            candidates = [f" {key}", f" {key.capitalize()}s", HOSTILE[number % len(HOSTILE)], " thing"]
            for rank in range(int(rng.integers(0, 5))):
                strength = 0.7 / (rank + 1)
                rows.append(
                    _languages(pair)
                    | {"concept_id": key, "source_word": row[pair.source], "rank": rank}
                    | {"target_word": row[pair.target], "token_id": 100 + rank, "token": candidates[rank]}
                    | {"df_source": 40 - rank, "df_target": 22 + rank, "df_both": 0, "npmi_source": strength + 0.05}
                    | {"npmi_target": strength + 0.02, "llr_source": 90.0, "llr_target": 61.5, "q_value": 1e-9}
                    | {"strength": strength, "relation": "translation" if rank == 0 else ""}
                )
    pivots = [
        {"token_id": i, "token": token, "degree": 40 - 2 * i, "degree_shuffled": 1.5 + i / 4, "language_pairs": 5}
        | {"stability": 1 - i / 40, "score": (38.5 - 2 * i) * (1 - i / 40)}
        for i, token in enumerate([*(f" {key}" for key in words), *HOSTILE[:3]])
    ]
    details = {"corpus": "demo:tatoeba", "mode": "npmi", "pairs_mined": 40}
    details |= {"shuffled_share_with_pivots": 0.04, "share_with_pivots": 0.85}
    write_stage(
        run,
        MineConfig(),
        {
            "pair_pivots": rows,
            "pivots": pivots,
            "summary": summary_rows(rows, len(pivots), details),
            "grammar": grammar_rows(pivots, (), ()),
        },
        details=details,
    )


def _select(run: Path, rng: Any) -> None:
    arms = ("top", "matched", "random")
    summary = [
        {"arm": arm, "language": language, "units": 600 - 80 * i - 40 * (arm == "top"), "tokens": 99_950 - 7 * i}
        | {
            "budget": 100_000,
            "available": 240_000 - 30_000 * i,
            "pivot_share": (0.14 if arm == "top" else 0.06) - i / 100,
            "bridges": (40.0 if arm == "top" else 12.0) - i,
            "language_share": 0.9,
            "explained": 0.1,
            "exchanged": 3 * (arm == "matched"),
        }
        for arm in arms
        for i, language in enumerate(LANGUAGES)
    ]
    totals = [
        {
            "arm": arm,
            "units": 2000,
            "tokens": 399_000,
            "packed": 397_312,
            "pivot_share": 0.1,
            "bridges": 38.0 if arm == "top" else 11.0,
        }
        for arm in arms
    ]
    parts = (("text_language", "en"), ("document_type", "monolingual"), ("length_decile", "01"), ("source", HOSTILE[0]))
    composition = [
        {"arm": arm, "language": language, "facet": facet, "value": value, "units": 9, "tokens": 900}
        | {"share": 0.5, "corpus_share": 0.4}
        for arm in ("corpus", *arms)
        for language in LANGUAGES
        for facet, value in parts
    ]
    tables: dict[str, Rows] = {"scores": [], "summary": summary, "arms": totals, "composition": composition}
    tables["overlap"] = [{"arm": "top", "other": "random", "units": 12, "share": 0.02}]
    tables["losses"] = [{"language": "fr", "reason": "duplicate", "units": 7, "tokens": 700}]
    tables["matching"] = [{"language": "fr", "matched_on": "composition", "taken": 700, "share": 1.0}]
    write_stage(run, SelectConfig(budget_tokens=100_000), tables, origins={"pivots": "flag"})


def _languages(pair: Sequence[str]) -> dict[str, str]:
    return {"source_language": pair[0], "target_language": pair[1]}
