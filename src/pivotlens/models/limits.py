"""What a model can take at all: as many positions as it has, and the tokens that it embeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from heapq import nlargest
from typing import Any

import torch

from pivotlens.errors import ModelError
from pivotlens.models.checks import embedded_tokens
from pivotlens.models.encoding import Ids
from pivotlens.models.load import LoadedModel
from pivotlens.models.memory import is_out_of_memory, one_row
from pivotlens.models.prompts import answer_text
from pivotlens.models.words import Pairs, WordPrompts
from pivotlens.text import Direction

# Prompts of a direction that are encoded to find the longest, and tokens generated beyond the longest accepted answer.
_LONGEST, _GENERATED = 8, 2
_LIMITS = ("max_position_embeddings", "max_seq_len")


def prompt_warnings(
    every: Sequence[WordPrompts],
    pairs: Mapping[Direction, Pairs],
    shorter: str,
    accepted: Mapping[Direction, Iterable[str]] | None = None,
) -> list[str]:
    """Check before any work that a model can take all prompts of a stage; of each direction the longest are tried.

    Args:
        every: Of each wording, direction and shot set; all of one model.
        pairs: Source and target words that are run in each direction.
        shorter: What makes prompts shorter, for the message.
        accepted: Answers of each direction, by which the model may go on as long by itself.

    Returns:
        Warnings: that prompts are longer than the model was made for.

    Raises:
        ModelError: A prompt is longer than the model can read, or a token is none of those that it embeds.
    """
    longest: list[Ids] = []
    loaded = every[0].loaded
    generated = {
        direction: max(map(len, loaded.tokenizer([answer_text(word) for word in sorted(set(words))],
                                                 add_special_tokens=False)["input_ids"]))
        for direction, words in (accepted or {}).items()
    }  # fmt: skip
    for prompts in every:
        chosen = nlargest(_LONGEST, set(pairs[prompts.direction]), key=lambda pair: len("".join(pair).encode()))
        for one in prompts.encode(chosen):
            more = max(0, generated.get(prompts.direction, 0) - len(one.answer)) + _GENERATED
            longest.append(one.context + one.answer + one.answer[-1:] * more)
    words = sorted({f" {word}" for prompts in every for pair in pairs[prompts.direction] for word in pair})
    encoded = loaded.tokenizer(words, add_special_tokens=False)["input_ids"] if words else []
    check_tokens(loaded, encoded)
    return [
        *_unknown_warnings(loaded.tokenizer, words, encoded),
        *length_warnings(loaded, longest, "a prompt with its answer", shorter),
    ]


def _unknown_warnings(tokenizer: Any, words: Sequence[str], encoded: Iterable[Sequence[int]]) -> list[str]:
    """Warn of words of which the tokenizer lacks a part: what is read is then the token that stands for anything."""
    model = tokenizer.backend_tokenizer.model
    named = getattr(model, "unk_token", None)
    unknown = {tokenizer.unk_token_id, getattr(model, "unk_id", None), named and tokenizer.convert_tokens_to_ids(named)}
    lost = [word.strip() for word, ids in zip(words, encoded, strict=True) if not unknown.isdisjoint(ids)]
    if not lost:
        return []
    return [
        f"{len(lost):,} of {len(words):,} words hold what the tokenizer does not know, such as {lost[0]!r}: their "
        "figures are of its token for anything unknown"
    ]


def check_tokens(loaded: LoadedModel, sequences: Iterable[Sequence[int]]) -> None:
    """Check that a model embeds every token.

    Raises:
        ModelError: It does not.
    """
    rows = embedded_tokens(loaded.model)
    for ids in sequences:
        if ids and max(ids) >= rows:
            raise ModelError(
                f"the tokenizer of {loaded.resolved.spec!r} gives token {max(ids)} "
                f"({loaded.tokenizer.convert_ids_to_tokens(max(ids))!r}), but the model embeds only {rows} tokens",
                "They do not belong together: put the tokenizer that the model was trained with into its folder.",
            )


def length_warnings(loaded: LoadedModel, sequences: Sequence[Ids], what: str, shorter: str) -> list[str]:
    """Check that a model can take sequences.

    Args:
        loaded: The model.
        sequences: Token ids.
        what: What a sequence is, for the message.
        shorter: What makes them shorter.

    Returns:
        A warning where one is longer than the model was made for, though it runs.

    Raises:
        ModelError: One is longer than the model can read, or has a token that it does not embed.
    """
    check_tokens(loaded, sequences)
    config, spec = loaded.model.config.get_text_config(), loaded.resolved.spec
    limit = next((value for key in _LIMITS if (value := getattr(config, key, None))), None)
    longest = max(sequences, key=len, default=())
    if limit is None or len(longest) <= limit:
        return []
    if not _runs(loaded, longest):
        raise ModelError(f"{spec!r} reads {limit} tokens at most, and {what} has {len(longest)}", shorter)
    return [f"{what} has up to {len(longest)} tokens, but by its config the model was made for {limit}: figures of "
            f"longer ones are of a model beyond its training"]  # fmt: skip


def _runs(loaded: LoadedModel, ids: Ids) -> bool:
    row = torch.tensor([ids], device=loaded.device)
    try:
        with torch.inference_mode(), one_row():
            loaded.model(input_ids=row, use_cache=False, **loaded.last_only)
            torch.zeros(1, device=loaded.device).item()  # where kernels run on their own, an error shows only later
    except (IndexError, RuntimeError) as error:
        if is_out_of_memory(error):
            raise
        return False
    return True
