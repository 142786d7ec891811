"""From prompt and answer texts to token ids; the boundary is found by character offset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pivotlens.errors import ModelError
from pivotlens.models.tokenizer import token_text

Ids = tuple[int, ...]


@dataclass(frozen=True)
class EncodedAnswer:
    """A prompt with its answer, as one tokenisation cut in two.

    Attributes:
        context: Token ids before the answer, with whatever the tokenizer puts at the beginning by default.
        answer: Token ids of the answer; a token that spans the boundary belongs to it.
        spaces: Tokens of it before the first that writes more of the answer than space, as those in zh and ja often
            begin with a bare space piece; what predicts that first one is read after them.
    """

    context: Ids
    answer: Ids
    spaces: int = field(default=0, compare=False)


def encode_answers(tokenizer: Any, prompts: Sequence[str], answers: Sequence[str]) -> list[EncodedAnswer]:
    """Tokenise each prompt with its answer once and cut at the character where the answer begins.

    Where that is follows from the tokens alone: some tokenizers trim offsets of the space that a token ends with.

    Args:
        tokenizer: A fast transformers tokenizer.
        prompts: The prompts.
        answers: What follows each.

    Raises:
        ModelError: An answer has no token of its own.
    """
    if not prompts:
        return []
    encoded = tokenizer(
        [prompt + answer for prompt, answer in zip(prompts, answers, strict=True)],
        return_offsets_mapping=True,
        return_special_tokens_mask=True,
        return_attention_mask=False,
    )
    texts = TokenTexts(tokenizer)
    result = []
    for prompt, answer, ids, offsets, special in zip(
        prompts, answers, encoded["input_ids"], encoded["offset_mapping"], encoded["special_tokens_mask"], strict=True
    ):
        end = _end(special)
        text = prompt + answer
        begin = next((i for i in range(end) if not special[i] and offsets[i][1] > len(prompt)), end)
        if 0 < begin < end and not special[begin - 1]:
            begin -= _untrimmed(texts[ids[begin - 1]], offsets[begin - 1][1], text) > len(prompt)
        if begin == end or begin == 0:
            raise ModelError(
                f"the tokenizer gives no token for {answer!r} after its prompt",
                "The word cannot be scored with this model; take it out of the benchmark.",
            )
        content = len(text) - len(answer.lstrip())
        spaces = 0
        while spaces < end - begin - 1 and (
            offsets[begin + spaces][1] <= content or texts[ids[begin + spaces]].strip() == ""
        ):
            spaces += 1
        result.append(EncodedAnswer(tuple(ids[:begin]), tuple(ids[begin:end]), spaces))
    return result


def encode_prompts(tokenizer: Any, prompts: Sequence[str]) -> list[Ids]:
    """Tokenise prompts that the model goes on from by itself, with what the tokenizer puts at the beginning."""
    encoded = tokenizer(list(prompts), return_special_tokens_mask=True, return_attention_mask=False)
    return [
        tuple(ids[: _end(special)])
        for ids, special in zip(encoded["input_ids"], encoded["special_tokens_mask"], strict=True)
    ]


def _end(special: Sequence[int]) -> int:
    """Return where a text's tokens end: a closing special token is the tokenizer's, not the text's."""
    end = len(special)
    while end and special[end - 1]:
        end -= 1
    return end


def _untrimmed(written: str, end: int, text: str) -> int:
    """Return where a token ends that writes something, and whose offset may leave out its closing spaces."""
    return end if text[end - 1 : end] == " " else end + len(written) - len(written.rstrip(" "))


class TokenTexts:
    """What each token writes, with its leading space; remembers what it was asked."""

    def __init__(self, tokenizer: Any) -> None:
        self._backend = tokenizer.backend_tokenizer
        self._texts: dict[int, str] = {}

    def __getitem__(self, token_id: int) -> str:
        if token_id not in self._texts:
            self._texts[token_id] = token_text(self._backend, token_id)
        return self._texts[token_id]


def first_content_piece(tokenizer: Any, text: str, texts: TokenTexts) -> int | None:
    """Return the first token of a text that is no bare space piece; None where the tokenizer does not know one."""
    ids = tuple(tokenizer(text, add_special_tokens=False)["input_ids"])
    first = ids[leading_space_tokens(ids, texts)] if ids else None
    return None if first == tokenizer.unk_token_id else first


def leading_space_tokens(answer: Ids, texts: TokenTexts) -> int:
    """Return how many bare space pieces an answer begins with, as zh and ja answers often do."""
    count = 0
    while count < len(answer) - 1 and texts[answer[count]].strip() == "":
        count += 1
    return count
