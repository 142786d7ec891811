"""From concepts to the items that are read: contexts, positions and token sets."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pivotlens.arrays import Booleans, Integers
from pivotlens.artifacts import Concept
from pivotlens.models.encoding import Ids
from pivotlens.models.scorer import AnswerScorer
from pivotlens.text import ENGLISH, fold, is_accepted, is_word
from pivotlens.trace.behaviours import ItemView
from pivotlens.trace.comparison import MinedPivots
from pivotlens.trace.reading import LayerReadings, ReadItem
from pivotlens.trace.token_sets import TokenSets, WordTokens, token_sets
from pivotlens.translation.words import WordPrompts, greedy_answers


@dataclass(frozen=True)
class TracedItem:
    """An item of a direction, ready to be read.

    Attributes:
        concept: Its concept.
        read: Where to read and what to look for.
        content: Tokens of the target word after the position that is read.
        n_target_tokens: Tokens of the target word, bare space pieces among them.
        n_space_tokens: Tokens that the answer begins with and that write no more of it than space: the position read
            is after them.
        generated: What the model answers by itself.
        correct: Whether that is an accepted word.
    """

    concept: Concept
    read: ReadItem
    content: Ids
    n_target_tokens: int
    n_space_tokens: int
    generated: str
    correct: bool


def prepare_items(
    scorer: AnswerScorer,
    prompts: WordPrompts,
    concepts: Sequence[Concept],
    words: WordTokens,
    mined: MinedPivots | None,
    answers: Mapping[str, Collection[str]],
) -> list[TracedItem]:
    """Prepare the items of one direction and shot set.

    Args:
        scorer: Of the model; it also answers each prompt by itself.
        prompts: Direction, examples and prompt.
        concepts: The concepts to trace.
        words: Tokens of words.
        mined: Mined pivots, where there are any.
        answers: What is right after each folded source word.
    """
    direction = prompts.direction
    encoded = prompts.encode(
        [(concept.words[direction.source], concept.words[direction.target]) for concept in concepts]
    )
    accepted = [concept.accepted[direction.target] for concept in concepts]
    contexts = prompts.contexts([concept.words[direction.source] for concept in concepts])
    generated = greedy_answers(scorer, contexts, words.texts, accepted)
    items = []
    for concept, answer, text in zip(concepts, encoded, generated, strict=True):
        spaces = answer.spaces
        key = (concept.concept_id, direction.source, direction.target)
        sets = token_sets(
            words,
            concept,
            direction,
            mined.tokens.get(key, ()) if mined else (),
            mined.random.get(key, ()) if mined else (),
        )
        first = answer.answer[spaces]
        read = ReadItem(answer.context + answer.answer[:spaces], first, with_target(sets, first), concept.calibration)
        correct = is_accepted(text, answers[fold(concept.words[direction.source])])
        items.append(TracedItem(concept, read, answer.answer[spaces:], len(answer.answer), spaces, text, correct))
    return items


def with_target(sets: TokenSets, first: int) -> TokenSets:
    """Return an item's token sets with the first content piece of its answer among the target's.

    Where that piece is a whole source word it stays the source's.
    """
    if sets.links.is_whole_source(first):
        return sets
    # The answer's own first piece in this prompt may differ from every spelling tokenised alone.
    return TokenSets(
        target=sets.target | {first},
        source=sets.source - {first},
        english=sets.english - {first},
        pivots=sets.pivots - {first},
        random=sets.random - {first},
        links=sets.links,
        shares_token=sets.shares_token or first in sets.source,
        ambiguous=sets.ambiguous or first in sets.source,
    )


def item_views(items: Sequence[TracedItem], readings: LayerReadings, words: WordTokens, source: str) -> list[ItemView]:
    """Return each item as the rules read it."""
    views = []
    for number, item in enumerate(items):
        ids = readings.token_ids[number]
        unique, inverse = np.unique(ids, return_inverse=True)
        inverse = inverse.reshape(ids.shape)
        sets = item.read.sets
        of_target, of_source = _flags(unique, sets.is_target), _flags(unique, sets.is_source)
        linked = _flags(unique, _is_linked(sets))
        word = np.array(
            [
                can_be_word(words.texts[token], known, words.begins_word(token))
                for token, known in zip(unique.tolist(), of_target | of_source | linked, strict=True)
            ]
        )
        views.append(
            ItemView(
                token_ids=ids,
                probs=readings.probs[number],
                baseline=readings.baseline[number],
                target=of_target[inverse],
                source=of_source[inverse],
                linked=linked[inverse],
                word=word[inverse],
                shares_token=sets.shares_token,
                source_is_english=source == ENGLISH,
            )
        )
    return views


def can_be_word(text: str, known: bool, begins: bool) -> bool:
    """Tell whether a token can be a word of its own.

    Args:
        text: What it writes.
        known: Whether it is of either side or linked with the concept: then it may continue a word.
        begins: Whether it can begin one.
    """
    return is_word(text) and (known or begins)


def _is_linked(sets: TokenSets) -> Callable[[int], bool]:
    return lambda token: sets.link(token) is not None


def _flags(token_ids: Integers, test: Callable[[int], bool]) -> Booleans:
    return np.array([test(int(token)) for token in token_ids], dtype=np.bool_)


def role_of(sets: TokenSets, token_id: int) -> tuple[str, str]:
    """Return what a token is to an item (target, source, english, pivot or nothing), and how it is linked."""
    if sets.is_target(token_id):
        return "target", ""
    if sets.is_source(token_id):
        return "source", ""
    link = sets.link(token_id)
    relation = link.relation if link else ""
    if token_id in sets.english:
        return "english", relation
    if relation or token_id in sets.pivots:
        return "pivot", relation or "mined"
    return "", ""
