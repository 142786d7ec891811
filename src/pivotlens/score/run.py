"""The score stage: benchmark and model in, scores out."""

from __future__ import annotations

import functools
from typing import Any

import pyarrow as pa

from pivotlens.models.load import load_model
from pivotlens.models.scorer import AnswerScorer
from pivotlens.progress import track
from pivotlens.score.config import ScoreConfig
from pivotlens.score.failures import failure_rows, item_failures
from pivotlens.score.items import concept_table, scored_items
from pivotlens.score.summary import strata, summarise
from pivotlens.stage import Work
from pivotlens.translation.answers import score_direction
from pivotlens.translation.checks import make_scorer, prompt_warnings, sample_prompts
from pivotlens.translation.failures import FailureKinds
from pivotlens.translation.items import choices_of
from pivotlens.translation.sweep import Sweep
from pivotlens.translation.words import WordPrompts


def run(work: Work[ScoreConfig]) -> dict[str, Any]:
    """Score every model, prompt and direction."""
    config, writer = work.config, work.writer
    sweep = _ScoreSweep.of(work, config.shot_sets, "scored")
    for number in range(len(config.models())):
        sweep.score_model(number)
    for number, model in enumerate(config.models()):
        for warning in sweep.details(number)["warnings"]:
            writer.warn(f"{model}: {warning}")
        for caches in sweep.details(number)["caches"].values():
            if caches["shared"] == "nothing":
                writer.warn(f"{model}: every prompt was run in full, which is slower: {caches['reason']}")
    sweep.warn_of_memory()
    _write_tables(sweep)
    details = [sweep.details(number) for number in range(len(config.models()))]
    return {
        **details[0]["loaded"],
        "caches": details[0]["caches"],
        "also_models": [{**one["loaded"], "caches": one["caches"]} for one in details[1:]],
        "directions": [str(direction) for direction in sweep.directions],
        "concepts": len(sweep.concepts),
        "shot_sets": sweep.shot_sets,
        "shared_caches": all(used["shared"] != "nothing" for one in details for used in one["caches"].values()),
    }


class _ScoreSweep(Sweep[ScoreConfig]):
    """What is scored; a part a model, prompt, direction and shot set survives an interruption."""

    @functools.cached_property
    def choices(self) -> list[list[str]]:
        """Ids of the concepts after whose source words each concept's target is scored, its own first."""
        return choices_of(self.concepts)

    def score_model(self, number: int) -> None:
        """Score what is not scored yet of a model."""
        if self.has_details(number) and all(
            self.work.workspace.has_part(self.part(number, *key)) for key in self.keys()
        ):
            return
        config = self.config
        spec = config.models()[number]
        choices = self.choices  # refused before a model is loaded
        loaded = load_model(spec, config.dtype, config.device, self.work.near)
        translations = self.translations(loaded)
        samples = sample_prompts([translations.prompts(*key) for key in self.keys()], translations.pairs(choices))
        too_long = prompt_warnings(samples, "Use fewer `shots`.", translations.accepted())
        scorers = {
            prompt: make_scorer([one for one in samples if one.prompts.prompt == prompt], config.batch_tokens)
            for prompt in config.prompts()
        }
        recorded = {
            "loaded": loaded.details(),
            "warnings": [*loaded.warnings, *too_long],
            "caches": {
                prompt: {"shared": scorer.sharing, "reason": reason} for prompt, (scorer, reason) in scorers.items()
            },
        }
        self.write_details(number, recorded)
        description = "score" if len(config.models()) == 1 else f"score {spec}"
        for prompt, direction, shot_set in track(self.keys(), description, len(self.keys())):
            part = self.part(number, prompt, direction, shot_set)
            if not self.work.workspace.has_part(part):
                self._score_part(part, scorers[prompt][0], translations.prompts(prompt, direction, shot_set), shot_set)

    def _score_part(self, part: str, scorer: AnswerScorer, prompts: WordPrompts, shot_set: int) -> None:
        choices, source = self.choices, prompts.direction.source
        scored = score_direction(
            scorer,
            prompts,
            self.concepts,
            [[self.benchmark.concepts[choice].words[source] for choice in row] for row in choices],
            line=self.config.newline == "scored",
            generate=shot_set == 0,
        )
        each, rows = len(choices[0]), len(choices) * len(choices[0])
        columns = {
            "concept_id": [concept.concept_id for concept in self.concepts for _ in range(each)],
            "choice_id": [choice for row in choices for choice in row],
            "n_tokens": scored.n_tokens.ravel().astype(int),
            "sum_logprob": scored.sum_logprob.ravel(),
            "n_tokens_line": pa.nulls(rows, pa.int64()),
            "sum_logprob_line": pa.nulls(rows, pa.float64()),
            "generated": pa.nulls(rows, pa.string()),
        }
        if scored.sum_logprob_line is not None and scored.n_tokens_line is not None:
            columns["n_tokens_line"] = scored.n_tokens_line.ravel().astype(int)
            columns["sum_logprob_line"] = scored.sum_logprob_line.ravel()
        if scored.generated:
            columns["generated"] = [text for text in scored.generated for _ in range(each)]
        self.keep_memory_warning(scorer.memory.warning)
        self.work.workspace.write_part(part, pa.table(columns))

    def answers(self, model: int, prompt: str) -> pa.Table:
        """Return the scored answers of a model under a prompt, with the generated texts."""
        tables = []
        for direction in self.directions:
            for shot_set in range(self.config.shot_sets):
                part = self.work.workspace.read_part(self.part(model, prompt, direction, shot_set))
                labels = {
                    "model": self.config.models()[model],
                    "prompt": prompt,
                    "source_language": direction.source,
                    "target_language": direction.target,
                    "shot_set": shot_set,
                }
                named = {name: pa.repeat(value, part.num_rows) for name, value in labels.items()}
                tables.append(pa.table(named | {name: part[name] for name in part.column_names}))
        return pa.concat_tables(tables)


def _write_tables(sweep: _ScoreSweep) -> None:
    config, writer = sweep.config, sweep.work.writer
    every = list(sweep.benchmark.concepts.values())
    kinds = FailureKinds.of(every)
    answers, concepts, rows, stratified, failed = [], [], [], [], []
    for number, model in enumerate(config.models()):
        for prompt in config.prompts():
            answers.append(sweep.answers(number, prompt))
            scored = scored_items(answers[-1], sweep.concepts, every, model, prompt)
            failures = item_failures(scored, kinds)
            concepts.append(concept_table(scored, failures))
            failed += failure_rows(scored, failures, config.bootstrap, config.seed)
            rows += summarise(scored, config.bootstrap, config.seed)
            stratified += strata(scored, config.bootstrap, config.seed)
    writer.write_table("answers", pa.concat_tables(answers).drop_columns(["generated"]))
    writer.write_table("concepts", pa.concat_tables(concepts))
    for name, found in (("summary", rows), ("strata", stratified), ("failures", failed)):
        writer.write_rows(name, found)
