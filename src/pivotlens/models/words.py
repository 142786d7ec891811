"""Word-translation items of one direction as token ids: what the scorer and the lens both read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pivotlens.models.encoding import EncodedAnswer, Ids, TokenTexts, encode_answers, encode_prompts
from pivotlens.models.load import LoadedModel
from pivotlens.models.prefix import fits_window
from pivotlens.models.prompts import answer_text, prompt_text
from pivotlens.models.scorer import AnswerScorer, Sharing, check_sharing
from pivotlens.settings import Wording
from pivotlens.text import Direction

# Prompts that a check runs together; there are more only where they do not fill a row.
_SAMPLE = 20


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
        answers = [answer_text(answer, line=line) for _, answer in pairs]
        return encode_answers(self.loaded.tokenizer, self._texts([word for word, _ in pairs]), answers)

    def contexts(self, words: Sequence[str]) -> list[Ids]:
        """Tokenise the prompts of source words that the model is to answer by itself."""
        return encode_prompts(self.loaded.tokenizer, self._texts(words))

    def _texts(self, words: Sequence[str]) -> list[str]:
        return [prompt_text(self.direction, self.examples, word, self.style) for word in words]


Pairs = Sequence[tuple[str, str]]


def longest_prompts(prompts: Sequence[WordPrompts], pairs: Mapping[Direction, Pairs]) -> list[EncodedAnswer]:
    """Return a sample of the prompts that give the longest sequences of a stage, its longest and shortest among them.

    Args:
        prompts: Of every direction and shot set under one wording.
        pairs: Source and target words that are run in each direction.
    """
    return max(_samples(prompts, pairs), key=_length)


def make_scorer(
    prompts: Sequence[WordPrompts], pairs: Mapping[Direction, Pairs], batch_tokens: int, *, packed: bool = True
) -> tuple[AnswerScorer, str | None]:
    """Make the scorer of a stage, after trying on the longest of its prompts whether caches can be shared.

    Which those are follows from the stage's settings alone, so that a resumed run decides and reports as an
    uninterrupted one.

    Args:
        prompts: Of every direction and shot set under one wording.
        pairs: Source and target words that are run in each direction.
        batch_tokens: Most tokens held in the cache at once.
        packed: Whether answers will be scored; a stage that only reads and generates needs no packing.

    Returns:
        The scorer, and why it does not share caches the fastest way, or not for all prompts; None where it does.
    """
    loaded = prompts[0].loaded
    samples = sorted(_samples(prompts, pairs), key=_length)

    def check(sample: Sequence[EncodedAnswer]) -> tuple[Sharing, str | None]:
        answer = max((one.answer for one in sample), key=len)
        return check_sharing(loaded, [one.context for one in sample], answer, batch_tokens, packed=packed)

    sharing, reason = check(samples[-1])
    if sharing == "packed" and not fits_window(loaded, _length(samples[-1])):
        sharing, reason = check(samples[0])  # only what lies within the window is packed
        reason = reason or "caches are copied where sequences reach beyond the model's window"
    return AnswerScorer(loaded, batch_tokens, sharing), reason


def _samples(prompts: Sequence[WordPrompts], pairs: Mapping[Direction, Pairs]) -> list[list[EncodedAnswer]]:
    spread = {direction: _spread(own) for direction, own in pairs.items()}
    return [one.encode(spread[one.direction]) for one in prompts]


def _spread(pairs: Pairs) -> list[tuple[str, str]]:
    """Return pairs of every length, from the shortest to the longest."""
    ordered = sorted(set(pairs), key=lambda pair: (len("".join(pair).encode()), pair))
    return [ordered[round(place)] for place in np.linspace(0, len(ordered) - 1, min(len(ordered), _SAMPLE))]


def _length(sample: Sequence[EncodedAnswer]) -> int:
    return max(len(one.context) + len(one.answer) for one in sample)


def greedy_answers(
    scorer: AnswerScorer, contexts: Sequence[Ids], texts: TokenTexts, accepted: Sequence[Sequence[str]]
) -> list[str]:
    """Let the model answer each context greedily, to the end of the line.

    Args:
        scorer: Of the model.
        contexts: Prompts, as `WordPrompts.contexts` gives them.
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
