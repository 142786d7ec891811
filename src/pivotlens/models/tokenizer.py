"""A model's tokenizer for cutting corpus text: fast, and without torch."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import orjson
from tokenizers import Tokenizer

from pivotlens.arrays import Integers
from pivotlens.artifacts import RunFolder
from pivotlens.artifacts.fingerprint import sha256_of_file
from pivotlens.errors import ModelError
from pivotlens.models.fast_tokenizers import EncodeFlat, fastest
from pivotlens.models.resolve import tokenizer_file

# Old Mistral tokenizers with a pattern other than theirs, as transformers tells them, and what theirs alone holds.
_MISTRAL, _MENDED_VERSION = ("mistral", "mistral3", "voxtral", "ministral", "pixtral"), 5
_RIGHT_PATTERN = rb"[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*"


@dataclass(frozen=True)
class TextTokenizer:
    """Cuts text into token ids, all of it and nothing else: no special tokens, even where a text writes one.

    Attributes:
        folder: Where its ``tokenizer.json`` is; a worker process loads it from there.
        fingerprint: sha256 of that file.
        vocab_size: One more than the largest id it can give.
        encode_flat: Cuts texts: returns the ids of all of them one after another, shape ``(tokens,)``, and the number
            of tokens of each, shape ``(texts,)``. A fast package does it where one is installed.
        warnings: What of its file was switched off, what its normaliser takes out of every text, and which fast
            package cuts differently.
    """

    tokenizer: Tokenizer
    folder: Path
    fingerprint: str
    vocab_size: int
    encode_flat: EncodeFlat
    warnings: tuple[str, ...] = ()

    def encode_batch(self, texts: Sequence[str]) -> list[Integers]:
        """Return the token ids of each text, shape ``(tokens,)``."""
        ids, lengths = self.encode_flat(texts)
        return np.split(ids, np.cumsum(lengths)[:-1]) if lengths.size else []

    def text(self, token_id: int) -> str:
        """Return what a token writes, with its leading space; a piece of a character shows as ``�``."""
        return token_text(self.tokenizer, token_id)


def switch_off_saved_state(tokenizer: Tokenizer) -> list[str]:
    """Switch off what was saved with a tokenizer and is not the model's: truncation, padding, dropout of merges.

    Returns:
        What each was, for a warning.
    """
    found = []
    if tokenizer.truncation is not None:
        found.append(f"truncation to {tokenizer.truncation['max_length']} tokens")
        tokenizer.no_truncation()
    if tokenizer.padding is not None:
        found.append("padding")
        tokenizer.no_padding()
    if dropout := getattr(tokenizer.model, "dropout", None):
        found.append(f"dropout of {dropout:g}, with which a text is cut differently each time")
        tokenizer.model.dropout = None
    return [f"tokenizer.json was saved with {state}: it was switched off" for state in found]


def _normaliser_warnings(tokenizer: Tokenizer) -> list[str]:
    if tokenizer.normalizer is None:
        return []
    seen = unicodedata.normalize("NFD", tokenizer.normalizer.normalize_str("É"))
    changes = [change for change, mark in (("lower-cases", "E"), ("strips accents from", "\u0301")) if mark not in seen]
    return [f"the tokenizer {' and '.join(changes)} every text: words that differ in that alone are one"] * bool(
        changes
    )


def _pattern_warnings(tokenizer: Tokenizer, folder: Path) -> list[str]:
    """Warn of the pattern that Mistral's tokenizers were once saved with, as transformers does of a model's own."""
    try:
        config = orjson.loads((folder / "config.json").read_bytes())
        old = int(str(config.get("transformers_version") or 4).partition(".")[0]) < _MENDED_VERSION
        kind = config.get("model_type")
    except (OSError, ValueError, AttributeError):
        return []
    steps = b"" if tokenizer.pre_tokenizer is None else tokenizer.pre_tokenizer.__getstate__()
    if not old or kind not in _MISTRAL or b"ByteLevel" not in steps or _RIGHT_PATTERN in steps:
        return []
    return ["tokenizer.json may hold an incorrect pattern, by which words are cut into too many tokens: mend it with "
            "AutoTokenizer.from_pretrained(…, fix_mistral_regex=True).save_pretrained(…)"]  # fmt: skip


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


def load_tokenizer(spec: str, near: RunFolder | None = None) -> TextTokenizer:
    """Load the tokenizer of a model spec to cut a corpus with: the only place where one is made.

    Args:
        spec: As `resolve_model`.
        near: The run folder that a reference leads into.

    Raises:
        ModelError: The model has no fast tokenizer.
        PrerequisiteError: The model is not there and cannot be fetched.
    """
    path = tokenizer_file(spec, near)
    loaded = _loaded(path, sha256_of_file(path))
    return replace(loaded, warnings=(*loaded.warnings, *_pattern_warnings(loaded.tokenizer, path.parent)))


@functools.lru_cache(maxsize=4)
def _loaded(path: Path, sha256: str) -> TextTokenizer:
    """Make the tokenizer of a file of this content."""
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:
        raise ModelError(f"{path} is not a readable tokenizer: {error}", "Fetch or convert the model again.") from error
    vocabulary = tokenizer.get_vocab(with_added_tokens=True)
    if not vocabulary:
        raise ModelError(f"{path} has an empty vocabulary", "Fetch or convert the model again.")
    switched_off = switch_off_saved_state(tokenizer)
    tokenizer.encode_special_tokens = True  # where a text writes one it is text: no document ends or begins there
    encode, dropped = fastest(tokenizer)
    warnings = (*switched_off, *_normaliser_warnings(tokenizer), *dropped)
    return TextTokenizer(tokenizer, path.parent, sha256, max(vocabulary.values()) + 1, encode, warnings)
