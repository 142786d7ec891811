"""Word-translation items of one direction as token ids: what the scorer and the lens both read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pivotlens.models.encoding import EncodedAnswer, Ids, TokenTexts, encode_answers
from pivotlens.models.load import LoadedModel
from pivotlens.models.prompts import answer_text, prompt_text
from pivotlens.models.scorer import AnswerScorer, check_sharing
from pivotlens.settings import Wording
from pivotlens.text import Direction


@dataclass(frozen=True)
class WordPrompts:
    """The prompts of one direction and one shot set.

    Args:
        loaded: The model.
        direction: Source and target language.
        examples: Pairs of source and target word.
        style: Wording.
    """

    loaded: LoadedModel
    direction: Direction
    examples: Sequence[tuple[str, str]]
    style: Wording

    def encode(self, pairs: Sequence[tuple[str, str]], *, line: bool = False) -> list[EncodedAnswer]:
        """Tokenise pairs of a source word and the target word that is to be scored after it."""
        prompts = [prompt_text(self.direction, self.examples, word, self.style) for word, _ in pairs]
        return encode_answers(self.loaded.tokenizer, prompts, [answer_text(answer, line=line) for _, answer in pairs])


def make_scorer(
    prompts: WordPrompts, pairs: Sequence[tuple[str, str]], batch_tokens: int
) -> tuple[AnswerScorer, str | None]:
    """Make the scorer of a stage, after trying on the stage's first prompts whether caches can be shared.

    Always on the first prompts, so that a resumed run decides and reports as an uninterrupted one.

    Args:
        prompts: Of the stage's first direction and shot set.
        pairs: A source word and its target word, of its first items.
        batch_tokens: Most tokens held in the cache at once.

    Returns:
        The scorer, and why caches cannot be shared; None where they can.
    """
    probe = prompts.encode(pairs[:2])
    sharing, reason = check_sharing(prompts.loaded, [answer.context for answer in probe], probe[0].answer)
    return AnswerScorer(prompts.loaded, batch_tokens, sharing), reason


def greedy_answers(
    scorer: AnswerScorer, contexts: Sequence[Ids], texts: TokenTexts, accepted: Sequence[Sequence[str]]
) -> list[str]:
    """Let the model answer each context greedily, to the end of the line.

    Args:
        scorer: Of the model.
        contexts: Prompts up to where the answer begins.
        texts: Of the model's tokenizer.
        accepted: Accepted answers of each context; they bound how many tokens are generated.

    Returns:
        What the model writes, without surrounding space.
    """
    tokenizer = scorer.loaded.tokenizer
    longest = max(
        len(ids)
        for words in accepted
        for ids in tokenizer([answer_text(word) for word in words], add_special_tokens=False)["input_ids"]
    )
    special = frozenset(tokenizer.all_special_ids)
    answers = scorer.generate(contexts, longest + 2, lambda token: token in special or "\n" in texts[token])
    return [str(tokenizer.decode(list(ids))).strip() for ids in answers]


def shot_examples(
    words: Mapping[str, Mapping[str, str]], shot_set: Sequence[str], direction: Direction
) -> list[tuple[str, str]]:
    """Return the examples of a shot set in a direction; ``words`` holds each concept's word by language."""
    return [(words[concept][direction.source], words[concept][direction.target]) for concept in shot_set]
