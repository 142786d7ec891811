"""The score stage: benchmark and model in, scores out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from pivotlens.artifacts import Benchmark, Concept, Scores, StageRun, upstream_inputs
from pivotlens.errors import ConfigError
from pivotlens.models.resolve import model_fingerprint
from pivotlens.progress import track
from pivotlens.score.config import ScoreConfig
from pivotlens.score.summary import concept_table, summary_table
from pivotlens.text import Direction

VERSION = 1


def stage_run(
    config: ScoreConfig,
    run: Path | str,
    *,
    planned: Mapping[str, str] | None = None,
    passed: Mapping[str, str] | None = None,
) -> StageRun:
    """Return the stage with its fingerprint; computes and writes nothing."""
    inputs = upstream_inputs(run, ["bench"], planned=planned, reader="score")
    inputs["model"] = model_fingerprint(config.model)
    return StageRun(Path(run), config, version=VERSION, inputs=inputs, passed=passed)


def score_model(config: ScoreConfig, run: Path | str, *, passed: Mapping[str, str] | None = None) -> Scores:
    """Score a model on the benchmark in a run folder.

    Args:
        config: The settings.
        run: The run folder; its ``bench`` stage is read and its ``score`` stage written.
        passed: Where each setting that is not a default came from, for the manifest.

    Raises:
        ConfigError: A language is not in the benchmark, or the shot pool is too small.
        ModelError: The model cannot be loaded or gives NaN.
        PrerequisiteError: The benchmark is not there.
    """
    stage = stage_run(config, run, passed=passed)
    if stage.reason_to_run() is not None:
        with stage:
            _run(stage, config, Benchmark.load(run))
    return Scores.load(run)


def choices_of(items: list[Concept], benchmark: Benchmark) -> list[list[str]]:
    """Return for each item its own concept and its distractors.

    Raises:
        ConfigError: An item has no distractors, or items have different numbers of them.
    """
    choices = [[item.concept_id, *item.distractors] for item in items]
    counts = {len(row) for row in choices}
    if len(counts) != 1 or counts == {1}:
        raise ConfigError(
            f"the benchmark gives its concepts {sorted(n - 1 for n in counts)} distractors",
            "Every concept needs the same number, at least one: make the benchmark again with fewer `distractors`.",
        )
    return choices


def _run(stage: StageRun, config: ScoreConfig, benchmark: Benchmark) -> None:
    from pivotlens.models.load import load_model
    from pivotlens.models.prompts import draw_shot_sets
    from pivotlens.models.words import WordPrompts, make_scorer, shot_examples
    from pivotlens.score.answers import score_direction

    directions = benchmark.directions(config.directions)
    items = benchmark.test_concepts(config.limit)
    if config.limit is not None:
        stage.warn(f"limit = {config.limit}: only the first {len(items)} concepts were scored")
    choices = choices_of(items, benchmark)
    pool = [concept.concept_id for concept in benchmark.shot_concepts()]
    shot_sets = draw_shot_sets(pool, config.shots, config.shot_sets, config.seed)
    words = {key: concept.words for key, concept in benchmark.concepts.items()}
    loaded = load_model(config.model, config.dtype, config.device)
    first = WordPrompts(loaded, directions[0], shot_examples(words, shot_sets[0], directions[0]), config.prompt)
    pairs = [(item.words[directions[0].source], item.words[directions[0].target]) for item in items]
    scorer, reason = make_scorer(first, pairs, config.batch_tokens)
    steps = [(direction, number) for direction in directions for number in range(config.shot_sets)]
    for direction, number in track(steps, "score", len(steps)):
        key = _key(direction, number)
        if stage.has_part(key):
            continue
        prompts = WordPrompts(loaded, direction, shot_examples(words, shot_sets[number], direction), config.prompt)
        source_words = [[words[choice][direction.source] for choice in row] for row in choices]
        scored = score_direction(scorer, prompts, items, source_words, generate=number == 0)
        n_choices = len(choices[0])
        stage.write_part(
            key,
            pa.table(
                {
                    "concept_id": [item.concept_id for item in items for _ in range(n_choices)],
                    "choice_id": [choice for row in choices for choice in row],
                    "n_tokens": scored.n_tokens.ravel().astype(int),
                    "sum_logprob": scored.sum_logprob.ravel(),
                    "n_tokens_line": scored.n_tokens_line.ravel().astype(int),
                    "sum_logprob_line": scored.sum_logprob_line.ravel(),
                    "generated": [text for text in scored.generated for _ in range(n_choices)]
                    if scored.generated
                    else pa.nulls(len(items) * n_choices, pa.string()),
                }
            ),
        )
    if reason is not None:
        stage.warn(f"every prompt was run in full, which is slower: {reason}")
    answers = pa.concat_tables(
        [
            _labelled(stage.read_part(_key(direction, number)), config, direction, number)
            for direction in directions
            for number in range(config.shot_sets)
        ]
    )
    concepts = concept_table(answers, {item.concept_id: item for item in items}, config)
    stage.write_table("answers", answers.drop_columns(["generated"]))
    stage.write_table("concepts", concepts.table)
    stage.write_table("summary", summary_table(concepts, config))
    stage.finish(
        {
            **loaded.details(),
            "directions": [str(direction) for direction in directions],
            "concepts": len(items),
            "shot_sets": shot_sets,
            "shared_caches": reason is None,
        }
    )


def _key(direction: Direction, number: int) -> str:
    return f"{direction.source}_{direction.target}_{number}"


def _labelled(part: pa.Table, config: ScoreConfig, direction: Direction, number: int) -> pa.Table:
    rows = part.num_rows
    labels = {
        "model": pa.array([config.model] * rows),
        "prompt": pa.array([config.prompt] * rows),
        "source_language": pa.array([direction.source] * rows),
        "target_language": pa.array([direction.target] * rows),
        "shot_set": pa.array([number] * rows, pa.int64()),
    }
    return pa.table(labels | {name: part[name] for name in part.column_names})
