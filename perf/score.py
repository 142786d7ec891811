"""The scorer beside the authors' algorithm and lm-evaluation-harness, on the same items in the same run.

    python -m perf.score                                # Gemma-3-270M: about half an hour on two cores
    python -m perf.score --model demo:smollm2-135m      # about 15 minutes

Both sides are timed from words to log-probabilities, tokenisation included. The last line is one JSON object:

- ``vs_reference``: time of the authors' algorithm over ours
- ``max_abs_diff``: largest difference between their log-probabilities of whole answers, in nats
- ``vs_lm_eval``: time of lm-evaluation-harness (HF backend) over ours, on the requests of the first shot set
- ``max_abs_diff_lm_eval``: largest difference to it, in nats
- ``work_ratio``: floating point work of ours over the least possible: every distinct token sequence encoded once
- ``peak_extra_mb``: most memory above the loaded model while a direction of the whole benchmark is scored (Linux only)
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from perf.memory import peak_extra_mb
from perf.reference_scorer import score_in_full
from pivotlens.arrays import Floats
from pivotlens.artifacts import Benchmark, Concept
from pivotlens.bench.config import BenchConfig
from pivotlens.bench.stage import build_benchmark
from pivotlens.models.encoding import EncodedAnswer
from pivotlens.models.head import OutputHead
from pivotlens.models.lens import find_blocks
from pivotlens.models.load import LoadedModel, load_model
from pivotlens.models.scorer import AnswerScorer
from pivotlens.text import Direction, parse_direction
from pivotlens.translation.answers import score_direction
from pivotlens.translation.checks import make_scorer, sample_prompts
from pivotlens.translation.prompts import answer_text, draw_shot_sets, prompt_text, shot_examples
from pivotlens.translation.words import WordPrompts


@dataclass(frozen=True)
class Items:
    """What is scored: one direction of a benchmark."""

    benchmark: Benchmark
    direction: Direction
    shot_sets: list[list[str]]

    @cached_property
    def concepts(self) -> list[Concept]:
        return self.benchmark.test_concepts()

    @cached_property
    def words(self) -> dict[str, dict[str, str]]:
        return {name: one.words for name, one in self.benchmark.concepts.items()}

    def examples(self, shot_set: int) -> list[tuple[str, str]]:
        return shot_examples(self.words, self.shot_sets[shot_set], self.direction)

    def prompts(self, loaded: LoadedModel, shot_set: int) -> WordPrompts:
        return WordPrompts(loaded, self.direction, self.examples(shot_set), "english")

    def sources(self) -> list[list[str]]:
        return [
            [self.words[choice][self.direction.source] for choice in (one.concept_id, *one.distractors)]
            for one in self.concepts
        ]

    def pairs(self) -> list[list[tuple[str, str]]]:
        return [
            [(source, one.words[self.direction.target]) for source in row]
            for one, row in zip(self.concepts, self.sources(), strict=True)
        ]

    def encoded(self, loaded: LoadedModel, shot_set: int) -> list[list[EncodedAnswer]]:
        prompts = self.prompts(loaded, shot_set)
        return [prompts.encode(row) for row in self.pairs()]


def items_of(words: str, limit: int | None, direction: Direction, shot_sets: int, folder: Path) -> Items:
    benchmark = build_benchmark(BenchConfig(words=words, limit_concepts=limit), folder / f"{words}-{limit}")
    pool = [concept.concept_id for concept in benchmark.shot_concepts()]
    return Items(benchmark, direction, draw_shot_sets(pool, 5, shot_sets, 0))


def ours(scorer: AnswerScorer, items: Items, shot_set: int) -> Floats:
    prompts = items.prompts(scorer.loaded, shot_set)
    return score_direction(scorer, prompts, items.concepts, items.sources(), line=False).sum_logprob


def timed(call: Any, *arguments: Any) -> tuple[float, Any]:
    start = time.perf_counter()
    result = call(*arguments)
    return time.perf_counter() - start, result


def lm_eval_scores(loaded: LoadedModel, items: Items, shot_set: int) -> Floats:
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    harness = HFLM(pretrained=loaded.model, tokenizer=loaded.tokenizer, batch_size=10, device="cpu")
    requests = [
        Instance(
            "loglikelihood",
            {},
            (prompt_text(items.direction, items.examples(shot_set), source, "english"), answer_text(target)),
            number,
        )
        for number, (source, target) in enumerate(pair for row in items.pairs() for pair in row)
    ]
    found = harness.loglikelihood(requests, disable_tqdm=True)
    return np.array([value for value, _ in found]).reshape(len(items.concepts), -1)


@dataclass
class Work:
    """Tokens that went through the blocks and positions that went through the head."""

    tokens: int = 0
    positions: int = 0

    def flops(self, loaded: LoadedModel) -> float:
        """Multiply-adds of the weight matrices."""
        head = sum(weight.numel() for weight in OutputHead(loaded).module.parameters())
        blocks = sum(
            weight.numel() for block in find_blocks(loaded)[2] for weight in block.parameters() if weight.dim() > 1
        )
        return float(self.tokens * blocks + self.positions * head)


@contextmanager
def counted(loaded: LoadedModel) -> Iterator[Work]:
    work = Work()
    head = OutputHead(loaded).module

    def block_ran(module: Any, inputs: Any, named: Any) -> None:
        states = inputs[0] if inputs else named["hidden_states"]
        work.tokens += states.shape[0] * states.shape[1]

    def head_ran(module: Any, inputs: Any, output: torch.Tensor) -> None:
        work.positions += output.numel() // output.shape[-1]

    handles = [
        find_blocks(loaded)[2][0].register_forward_pre_hook(block_ran, with_kwargs=True),
        head.register_forward_hook(head_ran),
    ]
    try:
        yield work
    finally:
        for handle in handles:
            handle.remove()


def least_work(encoded: Sequence[Sequence[EncodedAnswer]]) -> Work:
    """Every distinct beginning of a sequence once; the head once wherever an answer's token is read."""
    begun: set[tuple[int, ...]] = set()
    read: set[tuple[int, ...]] = set()
    for one in (answer for row in encoded for answer in row):
        sequence = one.context + one.answer
        begun.update(sequence[:end] for end in range(1, len(sequence)))
        read.update(sequence[:end] for end in range(len(one.context), len(sequence)))
    return Work(len(begun), len(read))


def peak_of_direction(loaded: LoadedModel, items: Items) -> float | None:
    """Score a whole direction and return the most memory above what the loaded model takes."""
    prompts = items.prompts(loaded, 0)
    # Touches every weight: they are mapped, not read.
    scorer, _ = make_scorer(sample_prompts([prompts], {prompts.direction: items.pairs()[0]}), 8192)
    return peak_extra_mb(lambda: score_direction(scorer, prompts, items.concepts, items.sources(), line=False))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="demo:gemma-3-270m")
    parser.add_argument("--direction", default="en-fr")
    parser.add_argument("--concepts", type=int, default=60)
    parser.add_argument("--shot-sets", type=int, default=5)
    parser.add_argument("--no-peak", action="store_true", help="leave the pass over the whole benchmark out")
    options = parser.parse_args(arguments)
    direction = parse_direction(options.direction, "--direction")
    loaded = load_model(options.model, "float32", "cpu")
    with tempfile.TemporaryDirectory() as name:
        whole = items_of("word-translation", None, direction, 1, Path(name))
        items = items_of("everyday-nouns", options.concepts, direction, options.shot_sets, Path(name))
    peak = None if options.no_peak else peak_of_direction(loaded, whole)
    prompts = items.prompts(loaded, 0)
    scorer, reason = make_scorer(sample_prompts([prompts], {prompts.direction: items.pairs()[0]}), 8192)
    print(f"{options.model}, {direction}, {len(items.concepts)} concepts, {options.shot_sets} shot sets, ", end="")
    print(f"{torch.get_num_threads()} threads; sharing: {scorer.sharing if reason is None else reason}", flush=True)
    ours(scorer, items, 0)  # warm
    our_time = reference_time = worst = 0.0
    first = 0.0
    for shot_set in range(options.shot_sets):
        seconds, found = timed(ours, scorer, items, shot_set)
        slow, expected = timed(lambda k: score_in_full(loaded, items.encoded(loaded, k)), shot_set)
        our_time, reference_time = our_time + seconds, reference_time + slow
        worst = max(worst, float(np.abs(found - expected).max()))
        print(
            f"shot set {shot_set}: ours {seconds:.1f} s, in full {slow:.1f} s, ratio {slow / seconds:.1f}", flush=True
        )
    first, found = timed(ours, scorer, items, 0)
    harness_time, harness = timed(lm_eval_scores, loaded, items, 0)
    with counted(loaded) as work:
        ours(scorer, items, 0)
    least = least_work(items.encoded(loaded, 0))
    result = {
        "vs_reference": round(reference_time / our_time, 1),
        "max_abs_diff": worst,
        "vs_lm_eval": round(harness_time / first, 1),
        "max_abs_diff_lm_eval": float(np.abs(found - harness).max()),
        "work_ratio": round(work.flops(loaded) / least.flops(loaded), 3),
        "peak_extra_mb": None if peak is None else round(peak),
    }
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
