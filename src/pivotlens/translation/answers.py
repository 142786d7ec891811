"""Scoring the answers of one direction under one shot set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pivotlens.arrays import Floats
from pivotlens.artifacts import Concept
from pivotlens.models.encoding import Ids, TokenTexts
from pivotlens.models.scorer import AnswerScorer
from pivotlens.translation.words import WordPrompts, greedy_answers


@dataclass(frozen=True)
class ScoredAnswers:
    """Log-probabilities of one direction and shot set.

    Attributes:
        sum_logprob: Of the whole target, in nats; shape ``(items, choices)``, the right source word first.
        n_tokens: Its tokens.
        sum_logprob_line: The same with the newline that ends the answer; None where it was not scored.
        n_tokens_line: Its tokens; None likewise.
        generated: What the model writes by itself, one text an item; empty where it was not asked.
    """

    sum_logprob: Floats
    n_tokens: Floats
    sum_logprob_line: Floats | None
    n_tokens_line: Floats | None
    generated: list[str]


def score_direction(
    scorer: AnswerScorer,
    prompts: WordPrompts,
    items: Sequence[Concept],
    source_words: Sequence[Sequence[str]],
    *,
    line: bool = True,
    generate: bool = False,
) -> ScoredAnswers:
    """Score every item's target after each of its source words.

    Args:
        scorer: Of the model.
        prompts: Direction, examples and prompt.
        items: The concepts whose target words are scored.
        source_words: For each item its source word, then its distractors' source words.
        line: Whether targets are also scored with the newline that ends them.
        generate: Whether the model also answers by itself.
    """
    target = prompts.direction.target
    pairs = [(word, item.words[target]) for item, words in zip(items, source_words, strict=True) for word in words]
    encoded = [prompts.encode(pairs), *([prompts.encode(pairs, line=True)] if line else [])]
    # A context is encoded once, whichever and however many targets are scored after it.
    wanted: dict[Ids, dict[Ids, None]] = {}
    for answers in encoded:
        for item_answer in answers:
            wanted.setdefault(item_answer.context, {})[item_answer.answer] = None
    contexts = list(wanted)
    scored = scorer.score(contexts, [list(wanted[context]) for context in contexts])
    sums = {
        (context, answer): float(values.sum())
        for context, rows in zip(contexts, scored, strict=True)
        for answer, values in zip(wanted[context], rows, strict=True)
    }
    shape = (len(items), -1)
    tables = [
        (
            np.array([sums[answer.context, answer.answer] for answer in answers]).reshape(shape),
            np.array([float(len(answer.answer)) for answer in answers]).reshape(shape),
        )
        for answers in encoded
    ]
    generated: list[str] = []
    if generate:
        generated = greedy_answers(
            scorer,
            prompts.contexts([words[0] for words in source_words]),
            TokenTexts(scorer.loaded.tokenizer),
            [item.accepted[target] for item in items],
        )
    sums_line, tokens_line = tables[1] if line else (None, None)
    return ScoredAnswers(*tables[0], sums_line, tokens_line, generated)
