"""From a benchmark to the documents of a harness task: one a concept, with all its prompts."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import Any

from pivotlens.artifacts import Benchmark
from pivotlens.artifacts.files import expanded
from pivotlens.bench import BenchConfig, build_benchmark
from pivotlens.errors import ModelError
from pivotlens.harness.config import HarnessConfig
from pivotlens.harness.tokens import HarnessTokenizer
from pivotlens.text import Direction
from pivotlens.translation.items import choices_of
from pivotlens.translation.prompts import answer_text, draw_shot_sets, prompt_text, shot_examples


def open_benchmark(name: str) -> Benchmark:
    """Return the benchmark of a run folder, or make it from a bundled list or a TSV file.

    Raises:
        DataError: There is no such list.
        PrerequisiteError: The folder holds no benchmark.
    """
    if expanded(name).is_dir():
        return Benchmark.load(expanded(name))
    return _made(name)


@functools.lru_cache(maxsize=2)
def _made(words: str) -> Benchmark:
    with tempfile.TemporaryDirectory(prefix="pivotlens-") as folder:
        benchmark = build_benchmark(BenchConfig(words=words), Path(folder) / "run")
        _ = benchmark.concepts  # read, and kept, before the folder goes
    return benchmark


def make_documents(
    benchmark: Benchmark, direction: Direction, options: HarnessConfig, tokenizer: HarnessTokenizer
) -> tuple[list[dict[str, Any]], list[str]]:
    """Make the documents of one direction: the prompts of `pivotlens score`, with the same shots.

    Args:
        benchmark: Concepts, words and distractors.
        direction: Source and target language.
        options: The task's options.
        tokenizer: That of the model.

    Returns:
        The documents, and the ids of the concepts left out because the harness would read them
        otherwise.
        ``contexts`` and ``tokens`` of a document run through the shot sets, and in each through the choices, the
        right source word first.

    Raises:
        ConfigError: The shot pool is too small, or concepts have different numbers of distractors.
        ModelError: The harness would read a document otherwise and the options do not say to leave it out, or an
            answer has no token.
    """
    items = benchmark.test_concepts(options.limit_concepts)
    pool = [concept.concept_id for concept in benchmark.shot_concepts()]
    shot_sets = draw_shot_sets(pool, options.shots, options.shot_sets, options.seed)
    words = {key: concept.words for key, concept in benchmark.concepts.items()}
    examples = [shot_examples(words, shots, direction) for shots in shot_sets]
    documents, left_out = [], []
    for item, choices in zip(items, choices_of(items), strict=True):
        contexts = [
            prompt_text(direction, shots, words[choice][direction.source], options.prompt)
            for shots in examples
            for choice in choices
        ]
        answer = answer_text(item.words[direction.target])
        exact = tokenizer.exact(contexts, answer)
        if exact != tokenizer.as_harness(contexts, answer):
            left_out.append(item.concept_id)
            continue
        documents.append(
            {
                "concept_id": item.concept_id,
                "direction": str(direction),
                "same_spelling": item.same_spelling(direction),
                "choices": choices,
                "contexts": contexts,
                "gold": 0,
                "answer": answer,
                "tokens": [len(encoded.answer) for encoded in exact],
            }
        )
    if left_out and (options.boundary == "refuse" or not documents):
        raise ModelError(
            f"lm-evaluation-harness would give the model other tokens than pivotlens does, or cut them elsewhere, for "
            f"{len(left_out)} of the {len(items)} concepts of {direction}, such as {left_out[0]!r}",
            "Leave add_bos_token to the tokenizer (with a remote model, pass add_bos_token=True), score with "
            '`pivotlens score`, or take the other concepts alone with the option "boundary": "leave_out".',
        )
    return documents, left_out
