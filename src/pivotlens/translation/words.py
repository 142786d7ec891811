"""Words to translate as token ids, and what a model answers: what the scorer and the lens both read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pivotlens.models.encoding import EncodedAnswer, Ids, TokenTexts, encode_answers, encode_prompts
from pivotlens.models.load import LoadedModel
from pivotlens.models.scorer import AnswerScorer
from pivotlens.settings import PromptTemplate
from pivotlens.text import Direction
from pivotlens.translation.prompts import Pairs, answer_text, prompt_text


@dataclass(frozen=True)
class WordPrompts:
    """The prompts of one direction and one shot set.

    Args:
        loaded: The model.
        direction: Source and target language.
        examples: Pairs of source and target word.
        prompt: Template.
    """

    loaded: LoadedModel
    direction: Direction
    examples: Pairs
    prompt: PromptTemplate

    def encode(self, pairs: Pairs, *, line: bool = False) -> list[EncodedAnswer]:
        """Tokenise pairs of a source word and the target word that is to be scored after it."""
        answers = [answer_text(answer, line=line) for _, answer in pairs]
        return encode_answers(self.loaded.tokenizer, self._texts([word for word, _ in pairs]), answers)

    def contexts(self, words: Sequence[str]) -> list[Ids]:
        """Tokenise the prompts of source words that the model is to answer by itself."""
        return encode_prompts(self.loaded.tokenizer, self._texts(words))

    def _texts(self, words: Sequence[str]) -> list[str]:
        return [prompt_text(self.direction, self.examples, word, self.prompt) for word in words]


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
