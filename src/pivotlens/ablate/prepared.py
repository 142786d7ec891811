"""The items of a direction, encoded once and run chunk by chunk."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow.compute as pc
import torch

from pivotlens.ablate.config import AblateConfig
from pivotlens.ablate.contexts import can_pad, encode_contexts
from pivotlens.ablate.items import (
    SEMANTIC_PIVOT,
    TEST,
    WINDOW,
    AblatedItem,
    ChoiceBasis,
    Controls,
    WordPieces,
    choose_controls,
    choose_items,
    lens_tokens,
)
from pivotlens.ablate.removal import Batch, Case
from pivotlens.ablate.tables import Row, item_rows
from pivotlens.ablate.texts import PlainTexts, known_texts
from pivotlens.ablate.window import Layers
from pivotlens.artifacts import Benchmark, Concept, Trace
from pivotlens.models.encoding import Ids
from pivotlens.models.lens import LogitLens
from pivotlens.models.load import LoadedModel
from pivotlens.models.prefix import SharedPrefix
from pivotlens.models.scorer import AnswerScorer
from pivotlens.text import Direction
from pivotlens.translation.checks import PromptSample, longest_prompts, make_scorer, sample_prompts
from pivotlens.translation.translations import Translations
from pivotlens.translation.words import WordPrompts

RULE = "calibrated"


def sample_traced(
    loaded: LoadedModel, benchmark: Benchmark, trace: Trace, directions: Sequence[Direction]
) -> list[PromptSample]:
    """Return a sample of the prompts of each direction: those that were traced, under the first prompt and shots."""
    items = [benchmark.concepts[name] for name in trace.table("items")["concept_id"].unique().to_pylist()]
    shot_sets, prompt = trace.manifest.details["shot_sets"], trace.manifest.config["prompt"]
    translations = Translations(loaded, benchmark.concepts, items, directions, shot_sets)
    prompts = [translations.prompts(prompt, direction, 0) for direction in directions]
    return sample_prompts(prompts, translations.pairs())


def prepare_directions(
    lens: LogitLens, config: AblateConfig, benchmark: Benchmark, trace: Trace, samples: Sequence[PromptSample]
) -> tuple[list[PreparedDirection], dict[str, Any]]:
    """Choose the items of every direction; nothing is run yet but a check whether caches can be shared.

    Args:
        lens: Of the model.
        config: The settings.
        benchmark: The benchmark.
        trace: What was traced.
        samples: Of the prompts of every direction, as `sample_traced` gives them.

    Returns:
        The directions, and for the manifest how caches are shared and why no faster way is exact.
    """
    settings = trace.manifest.config
    tables = {name: trace.table(name) for name in ("items", "behaviours", "tokens")}
    # A trace may hold several models and prompts: its own settings name the first.
    base = {"model": settings["model"], "prompt": settings["prompt"]}
    pieces = WordPieces(lens.loaded.tokenizer)
    texts: dict[bool, PlainTexts] = {}
    prepared: list[PreparedDirection] = []
    scorer, reason = make_scorer(samples, config.batch_tokens)
    probe = longest_prompts(samples)
    answer = max((one.answer for one in probe), key=len)
    pad = scorer.share_cache and can_pad(lens, [one.context for one in probe], answer, config.batch_tokens)
    for sample in samples:
        prompts, direction = sample.prompts, sample.prompts.direction
        rows = {name: _rows_of(table, base, direction) for name, table in tables.items()}
        labels = {row["concept_id"]: row for row in rows["behaviours"] if row["rule"] == RULE}
        basis = ChoiceBasis(direction, lens_tokens(rows["tokens"], lens.n_layers - 1), pieces, config.seed)
        items = choose_items(rows["items"], labels, benchmark.concepts, basis, config.max_items)
        names = [row["concept_id"] for row in rows["items"] if row["calibration"]]
        names = names if len(names) > 1 else [row["concept_id"] for row in rows["items"]]
        reference = [benchmark.concepts[name] for name in names[: config.reference]]
        prepared.append(PreparedDirection(lens, config, prompts, scorer, items, basis, reference, base, texts, pad))
    return prepared, {"shared": scorer.sharing, "reason": reason}


def _rows_of(table: Any, base: Mapping[str, str], direction: Direction) -> list[dict[str, Any]]:
    wanted = {"shot_set": 0, **base, "source_language": direction.source, "target_language": direction.target}
    for name, value in wanted.items():
        table = table.filter(pc.equal(table[name], value))
    found: list[dict[str, Any]] = table.to_pylist()
    return found


@dataclass
class PreparedDirection:
    """A direction's items with what running them needs.

    Attributes:
        items: Its items.
        basis: What they and their controls are chosen by.
        reference: Concepts whose mean state a component is counted from.
        base: Columns that all rows share.
        texts: The plain texts, made when they are first needed.
        pad: Whether contexts of several lengths share a batch.
    """

    lens: LogitLens
    config: AblateConfig
    prompts: WordPrompts
    scorer: AnswerScorer
    items: list[AblatedItem]
    basis: ChoiceBasis
    reference: list[Concept]
    base: Mapping[str, str]
    texts: dict[bool, PlainTexts]
    pad: bool

    @property
    def direction(self) -> Direction:
        """Source and target language."""
        return self.prompts.direction

    @property
    def key(self) -> str:
        """Its name in the names of parts."""
        return f"{self.direction.source}_{self.direction.target}"

    def cases(self, behaviour: str, half: str) -> list[AblatedItem]:
        """Return the items of a behaviour in a half of the concepts."""
        return [item for item in self.items if (item.behaviour, item.half) == (behaviour, half)]

    def window_rows(self, windows: Sequence[Layers]) -> list[dict[str, Any]]:
        """Return what removing the own pivot and moving another item's did, for each item and candidate window."""
        rows = []
        for batch in self._batches(self.cases(SEMANTIC_PIVOT, WINDOW)):
            valid = [case.controls.other is not None for case in batch.cases]
            for number, window in enumerate(windows):
                result, changes = batch.removal(window)
                norms = {layer: change.norm(dim=-1) for layer, change in changes.items()}
                other = batch.equally_far("other", window, norms)
                rows += [
                    {"window": number, "own": float(own), "other": float(moved)}
                    for own, moved, kept in zip(
                        result.logprob - result.clean, other.logprob - other.clean, valid, strict=True
                    )
                    if kept
                ]
        return rows

    def condition_rows(self, behaviour: str, start: int, end: int, window: Layers, early: Layers) -> list[Row]:
        """Return the ``ablate/items`` rows of some items of a behaviour in the half that is tested."""
        rows: list[Row] = []
        base = dict(self.base)
        done = start
        for batch in self._batches(self.cases(behaviour, TEST)[start:end]):
            results = list(batch.conditions(window, early, self.config.doses, self.config.random_vectors))
            if behaviour == SEMANTIC_PIVOT and len(self._known_texts) > 1:
                results.append(batch.on_texts(self._texts(), window, done))
            for result in results:
                rows += item_rows(base, self.direction, batch.cases, result, self.basis.pieces.texts)
            done += len(batch.cases)
        return rows

    @functools.cached_property
    def _known_texts(self) -> tuple[str, ...]:
        return known_texts(self.lens.loaded.tokenizer)

    def _texts(self) -> PlainTexts:
        share = self.scorer.share_cache
        if share not in self.texts:
            self.texts[share] = PlainTexts(self._known_texts, self.lens, self.config.batch_tokens, share_cache=share)
        return self.texts[share]

    def _batches(self, items: Sequence[AblatedItem]) -> Iterator[Batch]:
        cases = self._encoded(items)
        contexts = [case.context for case in cases]
        if not cases:
            return
        for one in encode_contexts(
            self.lens, contexts, self.config.batch_tokens, share_cache=self.scorer.share_cache, pad=self.pad
        ):
            chosen = [cases[row] for row in one.rows]
            means = torch.stack([self._mean_without(case.item.concept.concept_id) for case in chosen])
            yield Batch(one, chosen, means, self.direction, self.config.seed)

    def _encoded(self, items: Sequence[AblatedItem]) -> list[Case]:
        source, target = self.direction
        controls = [choose_controls(item, self.items, self.basis) for item in items]
        own = self.prompts.encode([(item.concept.words[source], item.concept.words[target]) for item in items])
        swapped = self.prompts.encode(
            [
                (item.concept.words[source], (one.other or item).concept.words[target])
                for item, one in zip(items, controls, strict=True)
            ]
        )
        before = self._spaces(
            [(answer.context, answer.answer[: item.spaces]) for answer, item in zip(own, items, strict=True)]
        )
        cases = []
        for item, one, answer, other, spaces in zip(items, controls, own, swapped, before, strict=True):
            alike = other.context == answer.context and (other.spaces == item.spaces)
            cases.append(
                Case(
                    item=item,
                    controls=one if alike else _without_other(one),
                    context=answer.context + answer.answer[: item.spaces],
                    answer=answer.answer[item.spaces :],
                    other_answer=other.answer[item.spaces :] if alike else answer.answer[item.spaces :],
                    before=spaces,
                )
            )
        return cases

    def _spaces(self, pairs: Sequence[tuple[Ids, Ids]]) -> list[float]:
        contexts = list(dict.fromkeys(context for context, spaces in pairs if spaces))
        wanted = dict(pairs)
        found = self.scorer.score(contexts, [[wanted[context]] for context in contexts])
        sums = {context: float(row[0].sum()) for context, row in zip(contexts, found, strict=True)}
        return [sums[context] if spaces else 0.0 for context, spaces in pairs]

    @functools.cached_property
    def _reference_states(self) -> dict[str, torch.Tensor]:
        source, target = self.direction
        encoded = self.prompts.encode([(one.words[source], one.words[target]) for one in self.reference])
        contexts = [answer.context + answer.answer[: answer.spaces] for answer in encoded]
        distinct = list(dict.fromkeys(contexts))
        states: dict[Ids, torch.Tensor] = {}
        shared = SharedPrefix(self.lens.loaded, distinct, self.config.batch_tokens, share_cache=self.scorer.share_cache)
        for batch in shared.batches():
            found = self.lens.block_states(**batch.arguments())[:, 1:].float().cpu()
            states |= {distinct[row]: found[place] for place, row in enumerate(batch.rows)}
        return {one.concept_id: states[context] for one, context in zip(self.reference, contexts, strict=True)}

    def _mean_without(self, concept_id: str) -> torch.Tensor:
        """Return the mean state of the other concepts, fp32, shape ``(blocks, hidden)``."""
        return torch.stack([state for name, state in self._reference_states.items() if name != concept_id]).mean(0)


def _without_other(controls: Controls) -> Controls:
    return replace(controls, other=None, unrelated=None)
