"""What a checkpoint can do: Score on some concepts of the benchmark, and bits per byte of held-out text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pivotlens.arrays import Floats
from pivotlens.artifacts import Benchmark
from pivotlens.models.load import LoadedModel, load_model
from pivotlens.models.scorer import AnswerScorer
from pivotlens.statistics.bootstrap import bootstrap_mean, percentile_interval, resample_indices
from pivotlens.train.config import TrainConfig
from pivotlens.train.packed import Frame
from pivotlens.translation.answers import score_direction
from pivotlens.translation.checks import make_scorer, prompt_warnings, sample_prompts
from pivotlens.translation.items import choices_of
from pivotlens.translation.measures import ItemMeasures, measure_items
from pivotlens.translation.prompts import draw_shot_sets
from pivotlens.translation.translations import Translations

# Every checkpoint of every training is asked with the same examples, and intervals are of the same draws.
_SEED = 0
_BATCH_TOKENS = 8192
_ALL = "all"
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Evaluation:
    """What is measured of each checkpoint.

    Attributes:
        config: The settings.
        benchmark: Concepts to score; None where none are.
        held_out: Pieces of text by language.
        frame: Tokens around every document.
    """

    config: TrainConfig
    benchmark: Benchmark | None
    held_out: Mapping[str, Sequence[str]]
    frame: Frame

    def __bool__(self) -> bool:
        return self.benchmark is not None or bool(self.held_out)

    def check(self) -> None:
        """Check, before any training, that the benchmark has what is asked of it.

        Raises:
            ConfigError: It has not the languages, or not as many examples.
        """
        if self.benchmark is not None:
            self.benchmark.directions(self.config.directions)
            self._examples(self.benchmark)
            choices_of(self.benchmark.test_concepts(self.config.score_concepts))

    def measure(self, folder: Path, device: torch.device) -> dict[str, Rows]:
        """Return the rows of the tables ``evaluations`` and ``held_out`` of a checkpoint.

        It is loaded anew from its folder, so that nothing that is measured touches the training.
        """
        loaded = load_model(str(folder), "float32", str(device))
        return {
            "evaluations": [] if self.benchmark is None else self._scores(loaded, self.benchmark),
            "held_out": self._bits_per_byte(loaded) if self.held_out else [],
        }

    def _scores(self, loaded: LoadedModel, benchmark: Benchmark) -> Rows:
        config = self.config
        concepts = benchmark.test_concepts(config.score_concepts)
        directions = benchmark.directions(config.directions)
        asked = Translations(loaded, benchmark.concepts, concepts, directions, self._examples(benchmark))
        choices = choices_of(concepts)
        prompts = [asked.prompts("english", direction, 0) for direction in directions]
        samples = sample_prompts(prompts, asked.pairs(choices))
        prompt_warnings(samples, "Use fewer `shots`.")
        scorer: AnswerScorer = make_scorer(samples, _BATCH_TOKENS)[0]
        found: list[ItemMeasures] = []
        for one in prompts:
            words = [[benchmark.concepts[name].words[one.direction.source] for name in row] for row in choices]
            scored = score_direction(scorer, one, concepts, words, line=False)
            found.append(measure_items(scored.sum_logprob[..., None], scored.n_tokens[..., None]))
        rows = [self._row(found[place : place + 1], str(pair.source), str(pair.target))
                for place, pair in enumerate(directions)]  # fmt: skip
        return [*rows, self._row(found, _ALL, _ALL)]

    def _examples(self, benchmark: Benchmark) -> list[list[str]]:
        pool = [concept.concept_id for concept in benchmark.shot_concepts()]
        return draw_shot_sets(pool, self.config.shots, 1, _SEED)

    def _row(self, found: Sequence[ItemMeasures], source: str, target: str) -> dict[str, Any]:
        score = bootstrap_mean(np.stack([one.score for one in found], axis=1), self.config.bootstrap, _SEED)
        return {
            "source_language": source,
            "target_language": target,
            "n": sum(len(one.score) for one in found),
            "score": score.value,
            "score_low": score.low,
            "score_high": score.high,
            "probability_share": float(np.mean([one.probability_share.mean() for one in found])),
            "accuracy_10way": float(np.mean([one.accuracy.mean() for one in found])),
        }

    def _bits_per_byte(self, loaded: LoadedModel) -> Rows:
        bits = {language: np.array([self._bits(loaded, text) for text in texts])
                for language, texts in self.held_out.items()}  # fmt: skip
        sizes = {language: np.array([float(len(text.encode())) for text in texts])
                 for language, texts in self.held_out.items()}  # fmt: skip
        bits[_ALL], sizes[_ALL] = np.concatenate(list(bits.values())), np.concatenate(list(sizes.values()))
        return [self._bits_row(language, bits[language], sizes[language]) for language in bits]

    def _bits_row(self, language: str, bits: Floats, sizes: Floats) -> dict[str, Any]:
        value, low, high = ratio(bits, sizes, self.config.bootstrap)
        return {"language": language, "n": len(bits), "bytes": int(sizes.sum()), "bits_per_byte": value,
                "bits_per_byte_low": low, "bits_per_byte_high": high}  # fmt: skip

    def _bits(self, loaded: LoadedModel, text: str) -> float:
        """Return −log2 P of a text as a document of its own, in windows as long as a sequence that overlap by one."""
        tokens = loaded.tokenizer(text, add_special_tokens=False)["input_ids"]
        given = [self.frame.end, *self.frame.before]
        ids, most, total = [*given, *tokens], self.config.sequence_length, 0.0
        for start in range(0, len(ids) - 1, most - 1):
            window = torch.tensor([ids[start : start + most]], device=loaded.device)
            with torch.inference_mode():
                logits = loaded.model(input_ids=window, use_cache=False).logits[0, :-1].float()
                log_p = logits.gather(1, window[0, 1:, None])[:, 0] - logits.logsumexp(dim=-1)
            total -= float(log_p[max(0, len(given) - start - 1) :].double().sum())
        return total / math.log(2)


def ratio(above: Floats, below: Floats, resamples: int) -> tuple[float, float, float]:
    """Return a ratio of sums with its bootstrap interval over what is summed.

    >>> ratio(np.array([2.0, 4.0]), np.array([1.0, 2.0]), 100)
    (2.0, 2.0, 2.0)
    """
    draws = resample_indices(len(above), resamples, _SEED)
    ends = percentile_interval(above[draws].sum(axis=1) / below[draws].sum(axis=1))
    return (float(above.sum() / below.sum()), *ends)
