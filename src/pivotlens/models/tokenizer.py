"""A model's tokenizer for cutting corpus text: fast, and without torch."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from pivotlens.artifacts.fingerprint import sha256_of_file
from pivotlens.errors import ModelError
from pivotlens.models.resolve import resolve_model


@dataclass(frozen=True)
class TextTokenizer:
    """Cuts text into token ids; adds no special tokens.

    Attributes:
        fingerprint: sha256 of its ``tokenizer.json``.
        vocab_size: One more than the largest id it can give.
    """

    tokenizer: Tokenizer
    fingerprint: str
    vocab_size: int

    def encode_batch(self, texts: Sequence[str]) -> list[npt.NDArray[np.int64]]:
        """Return the token ids of each text, shape ``(tokens,)``."""
        encodings = self.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [np.asarray(encoding.ids, dtype=np.int64) for encoding in encodings]

    def text(self, token_id: int) -> str:
        """Return what a token writes, with its leading space; a piece of a character shows as ``�``."""
        return token_text(self.tokenizer, token_id)


def token_text(tokenizer: Tokenizer, token_id: int) -> str:
    """Return what a token writes in the middle of a text, with its leading space.

    Decoding a token alone would drop the space that SentencePiece marks with ``▁``.
    """
    piece = tokenizer.id_to_token(token_id)
    if piece is None:
        return f"<{token_id}>"
    if "▁" in piece:
        return piece.replace("▁", " ")
    return tokenizer.decode([token_id], skip_special_tokens=False) or piece


@functools.lru_cache(maxsize=4)
def load_tokenizer(spec: str) -> TextTokenizer:
    """Load the tokenizer of a model spec.

    Raises:
        ModelError: The model has no fast tokenizer.
        PrerequisiteError: The model is not there and cannot be fetched.
    """
    folder = resolve_model(spec, tokenizer_only=True).folder
    path = Path(folder) / "tokenizer.json"
    if not path.is_file():
        raise ModelError(
            f"model {spec!r} has no fast tokenizer (no tokenizer.json in {folder})",
            "Convert it with transformers: AutoTokenizer.from_pretrained(…, use_fast=True).save_pretrained(…).",
        )
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:
        raise ModelError(f"{path} is not a readable tokenizer: {error}", "Fetch or convert the model again.") from error
    vocabulary = tokenizer.get_vocab(with_added_tokens=True)
    return TextTokenizer(tokenizer, sha256_of_file(path), max(vocabulary.values()) + 1)
