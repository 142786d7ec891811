"""The score stage: benchmark and model in, scores out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from pivotlens.artifacts import Benchmark, Concept, Sweep
from pivotlens.artifacts.tables import schema_of
from pivotlens.models.limits import prompt_warnings
from pivotlens.models.load import load_model
from pivotlens.models.prompts import draw_shot_sets
from pivotlens.models.scorer import AnswerScorer
from pivotlens.models.words import WordPrompts, make_scorer, shot_examples
from pivotlens.progress import track
from pivotlens.score.answers import score_direction
from pivotlens.score.config import ScoreConfig
from pivotlens.score.items import choices_of, concept_table, scored_items
from pivotlens.score.summary import strata, summarise
from pivotlens.settings import Wording
from pivotlens.stage import Work
from pivotlens.text import Direction


def run(work: Work[ScoreConfig]) -> dict[str, Any]:
    """Score every model, wording and direction."""
    config, writer = work.config, work.writer
    benchmark = Benchmark.load(work.run)
    directions = benchmark.directions(config.directions)
    items = benchmark.test_concepts(config.limit)
    if config.limit is not None:
        writer.warn(
            f"limit = {config.limit}: only {len(items)} concepts were scored, those of the calibration set first"
        )
    choices_of(items, benchmark)
    pool = [concept.concept_id for concept in benchmark.shot_concepts()]
    sweep = _Sweep(
        workspace=work.workspace,
        writer=writer,
        near=work.near,
        config=config,
        items=items,
        words={key: concept.words for key, concept in benchmark.concepts.items()},
        directions=directions,
        shot_sets=draw_shot_sets(pool, config.shots, config.shot_sets, config.seed),
    )
    for number in range(len(config.models())):
        sweep.score_model(number)
    for number, model in enumerate(config.models()):
        for warning in sweep.details(number)["warnings"]:
            writer.warn(f"{model}: {warning}")
        for caches in sweep.details(number)["caches"].values():
            if caches["shared"] == "nothing":
                writer.warn(f"{model}: every prompt was run in full, which is slower: {caches['reason']}")
    sweep.warn_of_memory()
    _write_tables(sweep, list(benchmark.concepts.values()))
    details = [sweep.details(number) for number in range(len(config.models()))]
    return {
        **details[0]["loaded"],
        "caches": details[0]["caches"],
        "also_models": [{**one["loaded"], "caches": one["caches"]} for one in details[1:]],
        "directions": [str(direction) for direction in directions],
        "concepts": len(items),
        "shot_sets": sweep.shot_sets,
        "shared_caches": all(used["shared"] != "nothing" for one in details for used in one["caches"].values()),
    }


@dataclass(frozen=True)
class _Sweep(Sweep):
    """What is scored; a part a model, wording, direction and shot set survives an interruption."""

    config: ScoreConfig
    items: list[Concept]
    words: Mapping[str, Mapping[str, str]]

    def score_model(self, number: int) -> None:
        """Score what is not scored yet of a model."""
        if self.has_details(number) and all(self.workspace.has_part(self.part(number, *key)) for key in self.keys()):
            return
        config = self.config
        spec = config.models()[number]
        loaded = load_model(spec, config.dtype, config.device, self.near)

        def prompts_of(prompt: Wording, direction: Direction, shot_set: int) -> WordPrompts:
            return WordPrompts(
                loaded, direction, shot_examples(self.words, self.shot_sets[shot_set], direction), prompt
            )

        pairs = {
            direction: [
                (self.words[choice][direction.source], item.words[direction.target])
                for item in self.items
                for choice in (item.concept_id, *item.distractors)
            ]
            for direction in self.directions
        }
        accepted = {one: [word for item in self.items for word in item.accepted[one.target]] for one in self.directions}
        every = [prompts_of(*key) for key in self.keys()]
        too_long = prompt_warnings(every, pairs, "Use fewer `shots`.", accepted)
        scorers = {
            prompt: make_scorer([one for one in every if one.style == prompt], pairs, config.batch_tokens)
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
            if not self.workspace.has_part(part):
                self._score_part(part, scorers[prompt][0], prompts_of(prompt, direction, shot_set), shot_set)

    def _score_part(self, part: str, scorer: AnswerScorer, prompts: WordPrompts, shot_set: int) -> None:
        choices = [(item.concept_id, *item.distractors) for item in self.items]
        scored = score_direction(
            scorer,
            prompts,
            self.items,
            [[self.words[choice][prompts.direction.source] for choice in row] for row in choices],
            line=self.config.newline == "scored",
            generate=shot_set == 0,
        )
        each, rows = len(choices[0]), len(choices) * len(choices[0])
        columns = {
            "concept_id": [item.concept_id for item in self.items for _ in range(each)],
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
        self.workspace.write_part(part, pa.table(columns))

    def answers(self, model: int, prompt: str) -> pa.Table:
        """Return the scored answers of a model under a wording, with the generated texts."""
        tables = []
        for direction in self.directions:
            for shot_set in range(self.config.shot_sets):
                part = self.workspace.read_part(self.part(model, prompt, direction, shot_set))
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


def _write_tables(sweep: _Sweep, every: list[Concept]) -> None:
    config = sweep.config
    answers, concepts, rows, stratified = [], [], [], []
    for number, model in enumerate(config.models()):
        for prompt in config.prompts():
            answers.append(sweep.answers(number, prompt))
            scored = scored_items(answers[-1], sweep.items, every, model, prompt)
            concepts.append(concept_table(scored))
            rows += summarise(scored, config.bootstrap, config.seed)
            stratified += strata(scored, config.bootstrap, config.seed)
    sweep.writer.write_table("answers", pa.concat_tables(answers).drop_columns(["generated"]))
    sweep.writer.write_table("concepts", pa.concat_tables(concepts))
    for name, found in (("summary", rows), ("strata", stratified)):
        sweep.writer.write_table(name, pa.Table.from_pylist(found, schema=schema_of("score", name)))
