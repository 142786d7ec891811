"""What a model can take at all: as many positions as it has, and the tokens that it embeds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from transformers import PreTrainedModel

from pivotlens.errors import ModelError
from pivotlens.models.checks import embedded_tokens
from pivotlens.models.encoding import Ids
from pivotlens.models.load import LoadedModel
from pivotlens.models.memory import is_out_of_memory, one_row

_LIMITS = ("max_position_embeddings", "max_seq_len")


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


def positions(model: PreTrainedModel) -> int | None:
    """Return for how many positions a model was made, as its config says; None where it does not."""
    config = model.config.get_text_config()
    return next((int(value) for key in _LIMITS if (value := getattr(config, key, None))), None)


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
    spec, most = loaded.resolved.spec, positions(loaded.model)
    longest = max(sequences, key=len, default=())
    if most is None or len(longest) <= most:
        return []
    if not _runs(loaded, longest):
        raise ModelError(f"{spec!r} reads {most} tokens at most, and {what} has {len(longest)}", shorter)
    return [f"{what} has up to {len(longest)} tokens, but by its config the model was made for {most}: figures of "
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
