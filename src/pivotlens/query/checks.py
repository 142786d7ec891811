"""Is the tokenizer that of the index? Asked for the tokens of another one, it gives plausible wrong counts."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import takewhile

import numpy as np

from pivotlens.errors import ConfigError
from pivotlens.models.tokenizer import TextTokenizer
from pivotlens.query.asked import Answer, Query
from pivotlens.query.local import LocalIndex

_DOCUMENTS, _TOKENS = 64, 96
_HINT = "Give the tokenizer that the index was made with; the names of public ones end in it (_llama is Llama 2's)."


def check_tokens(answers: Mapping[Query, Answer], tokenizer: TextTokenizer, spec: str, index: str) -> None:
    """Check that the index writes the tokens it was asked for as the tokenizer does, where it says so.

    Args:
        answers: Answers of single forms.
        tokenizer: What the forms were cut with.
        spec: Its name, for the error.
        index: Name of the index, for the error.

    Raises:
        ConfigError: It writes another token.
    """
    for query, answer in answers.items():
        for number, theirs in zip(query.single, answer.tokens, strict=False):
            if (ours := tokenizer.tokenizer.id_to_token(number)) != theirs:
                raise ConfigError(
                    f"token {number} of index {index!r} is {theirs!r}, and of tokenizer {spec!r} {ours!r}", _HINT
                )


def check_documents(index: LocalIndex, tokenizer: TextTokenizer, spec: str) -> None:
    """Check that most documents of a local index, read as text and cut again, give the tokens that are in it.

    Args:
        index: The index.
        tokenizer: What the forms will be cut with.
        spec: Its name, for the error.

    Raises:
        ConfigError: Most of those looked at give others.
    """
    special = [number for number, token in tokenizer.tokenizer.get_added_tokens_decoder().items() if token.special]
    alike = total = forwards = backwards = 0
    for shard in index.shards:
        for ids in shard.beginnings(_DOCUMENTS, _TOKENS, index.width):
            stored = ids[~np.isin(ids, special)]
            if stored.size and stored.max() < tokenizer.vocab_size:
                same = _alike(tokenizer, stored.tolist())
                forwards, backwards = forwards + same, backwards + _alike(tokenizer, stored[::-1].tolist())
                alike += 2 * same >= stored.size  # where the text was cut off, its last tokens may be others
            total += bool(stored.size)
    if 2 * alike < total:
        raise ConfigError(
            f"of {total} documents of {index.name}, only {alike} give the tokens that are in it when they are read "
            f"and cut again by tokenizer {spec!r}",
            _HINT,
        )
    if backwards > forwards:
        raise ConfigError(
            f"the documents of {index.name} stand backwards: it is of version 5", "Make one of version 4."
        )


def _alike(tokenizer: TextTokenizer, ids: list[int]) -> int:
    """Return how many tokens at the beginning are the same when they are read as text and cut again."""
    text = tokenizer.tokenizer.decode(ids, skip_special_tokens=False)
    again = tokenizer.encode_batch([text])[0].tolist()
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(ids, again, strict=False)))
