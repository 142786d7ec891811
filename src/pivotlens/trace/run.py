"""The trace stage: benchmark, model and, where there are any, mined pivots in; layers and behaviours out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from pivotlens.artifacts import Benchmark, Counts, Pivots, StageRun, Trace, accepted_answers, upstream_inputs
from pivotlens.models.resolve import model_fingerprint
from pivotlens.progress import track
from pivotlens.text import Direction
from pivotlens.trace.config import TraceConfig

if TYPE_CHECKING:
    from pivotlens.trace.comparison import MinedPivots

VERSION = 3
_TABLES = ("layers", "tokens", "behaviours", "sensitivity", "items")


def stage_run(
    config: TraceConfig,
    run: Path | str,
    *,
    planned: Mapping[str, str] | None = None,
    passed: Mapping[str, str] | None = None,
) -> StageRun:
    """Return the stage with its fingerprint; computes and writes nothing."""
    inputs = upstream_inputs(run, ["bench"], ["count", "mine"], planned=planned, reader="trace")
    if "mine" not in inputs:
        inputs.pop("count", None)  # counts serve only to compare mined pivots with
    inputs["model"] = model_fingerprint(config.model)
    return StageRun(Path(run), config, version=VERSION, inputs=inputs, passed=passed)


def trace_model(config: TraceConfig, run: Path | str, *, passed: Mapping[str, str] | None = None) -> Trace:
    """Read every layer of a model while it translates the benchmark's words.

    Args:
        config: The settings.
        run: The run folder; its ``bench`` stage is read, ``mine`` and ``count`` where they are there, and its
            ``trace`` stage written.
        passed: Where each setting that is not a default came from, for the manifest.

    Raises:
        ModelError: The model cannot be loaded or not be read exactly.
        PrerequisiteError: The benchmark is not there.
    """
    stage = stage_run(config, run, passed=passed)
    if stage.reason_to_run() is not None:
        with stage:
            _run(stage, config, Benchmark.load(run))
    return Trace.load(run)


def _run(stage: StageRun, config: TraceConfig, benchmark: Benchmark) -> None:
    from pivotlens.models.lens import LogitLens
    from pivotlens.models.load import load_model
    from pivotlens.models.prompts import draw_shot_sets
    from pivotlens.models.words import WordPrompts, make_scorer, shot_examples
    from pivotlens.trace.items import item_views, prepare_items
    from pivotlens.trace.reading import read_layers
    from pivotlens.trace.summary import agreement_between_shot_sets, summary_rows
    from pivotlens.trace.tables import behaviours_table, items_table, layers_table, sensitivity_table, tokens_table
    from pivotlens.trace.token_sets import WordTokens

    directions = benchmark.directions(config.directions)
    concepts = benchmark.test_concepts(config.limit)
    if config.limit is not None:
        stage.warn(f"limit = {config.limit}: only the first {len(concepts)} concepts were traced")
    calibrating = sum(concept.calibration for concept in concepts)
    if calibrating < 100:
        stage.warn(f"the baseline of the calibrated rule rests on {calibrating} concepts; it is steady from 100 on")
    mined = _mined(stage, config)
    pool = [concept.concept_id for concept in benchmark.shot_concepts()]
    shot_sets = draw_shot_sets(pool, config.shots, config.shot_sets, config.seed)
    every = list(benchmark.concepts.values())
    words_of = {key: concept.words for key, concept in benchmark.concepts.items()}
    loaded = load_model(config.model, config.dtype, config.device)
    lens = LogitLens(loaded)
    if lens.check.untestable:
        stage.warn(f"early exit could not be tested: {lens.check.untestable}")
    words = WordTokens(loaded.tokenizer, config.token_sets)
    first = WordPrompts(loaded, directions[0], shot_examples(words_of, shot_sets[0], directions[0]), config.prompt)
    pairs = [(item.words[directions[0].source], item.words[directions[0].target]) for item in concepts]
    scorer, reason = make_scorer(first, pairs, config.batch_tokens)
    steps = [(direction, number) for direction in directions for number in range(config.shot_sets)]
    for direction, number in track(steps, "trace", len(steps)):
        key = f"{direction.source}_{direction.target}_{number}"
        if stage.has_part(f"{key}.{_TABLES[-1]}"):
            continue
        prompts = WordPrompts(loaded, direction, shot_examples(words_of, shot_sets[number], direction), config.prompt)
        items = prepare_items(scorer, prompts, concepts, words, mined, accepted_answers(every, direction))
        readings = read_layers(
            lens, [item.read for item in items], config.top_k, config.batch_tokens, share=scorer.share
        )
        views = item_views(items, readings, words, direction.source)
        tables = {
            "layers": layers_table(config, direction, number, items, readings),
            "tokens": tokens_table(config, direction, number, items, readings, words.texts),
            "behaviours": behaviours_table(config, direction, number, items, views, words.texts),
            "sensitivity": sensitivity_table(config, direction, views),
            "items": items_table(config, direction, number, items, words.texts),
        }
        for name in _TABLES:  # the last one marks the part as finished
            stage.write_part(f"{key}.{name}", tables[name])
    if reason is not None:
        stage.warn(f"every prompt was run in full, which is slower: {reason}")
    joined = {name: _joined(stage, directions, config.shot_sets, name) for name in _TABLES}
    for name, table in joined.items():
        stage.write_table(name, table)
    stage.write_table("summary", summary_rows(joined["items"], joined["behaviours"], config))
    stage.finish(
        {
            **loaded.details(),
            "directions": [str(direction) for direction in directions],
            "concepts": len(concepts),
            "calibration_concepts": calibrating,
            "layers": lens.n_layers,
            "shot_sets": shot_sets,
            "shared_caches": reason is None,
            "self_check": lens.check.details(),
            "mined_pivots": mined is not None,
            "agreement_between_shot_sets": agreement_between_shot_sets(joined["behaviours"]),
        }
    )


def _mined(stage: StageRun, config: TraceConfig) -> MinedPivots | None:
    from pivotlens.models.tokenizer import load_tokenizer
    from pivotlens.trace.comparison import load_mined

    if "mine" not in stage.inputs:
        return None
    counts, pivots = Counts.load(stage.run), Pivots.load(stage.run)
    if counts.manifest.details.get("tokenizer") != load_tokenizer(config.model).fingerprint:
        stage.warn("the corpus was counted with another tokenizer than the model's: mined pivots are left out")
        return None
    return load_mined(pivots, counts, config.seed)


def _joined(stage: StageRun, directions: list[Direction], shot_sets: int, name: str) -> pa.Table:
    numbers = range(1) if name == "sensitivity" else range(shot_sets)
    return pa.concat_tables(
        [
            stage.read_part(f"{direction.source}_{direction.target}_{number}.{name}")
            for direction in directions
            for number in numbers
        ]
    )
