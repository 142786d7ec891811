"""Which token ends a document: of the tokenizer's own, or the one that is asked for (docs/method.md#token-files)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from pivotlens.artifacts import RunFolder
from pivotlens.errors import ConfigError
from pivotlens.models.resolve import tokenizer_file
from pivotlens.models.tokenizer import TextTokenizer


@dataclass(frozen=True)
class EndOfDocument:
    """The token that follows every document.

    Attributes:
        token: As the tokenizer writes it.
        token_id: Its id.
    """

    token: str
    token_id: int


def end_of_document(tokenizer: TextTokenizer, token: str = "") -> EndOfDocument:
    """Return the token that ends a document.

    It is ``token``; else ``eos_token`` of ``tokenizer_config.json``; else the first ``eos_token_id`` of
    ``config.json``.

    Args:
        tokenizer: The tokenizer, whose folder holds these files.
        token: The token that is asked for; that of the files where empty.

    Raises:
        ConfigError: The tokenizer has no such token, or its files name none.
    """
    found: str | int | None = token or _eos_token(tokenizer.folder)
    if isinstance(found, str):
        token_id = tokenizer.tokenizer.token_to_id(found)
        if token_id is not None:
            return EndOfDocument(found, token_id)
        where = "--end-of-document" if token else "its tokenizer_config.json"
        raise ConfigError(
            f"the tokenizer in {tokenizer.folder} has no token {found!r}, which {where} names as the end of a document",
            "Name one that it has with --end-of-document, such as '<|endoftext|>' or '</s>'.",
        )
    found = _eos_token_id(tokenizer.folder)
    piece = None if found is None else tokenizer.tokenizer.id_to_token(found)
    if found is None or piece is None:
        raise ConfigError(
            f"nothing in {tokenizer.folder} says which token ends a document",
            "Name it with --end-of-document, such as '<|endoftext|>' or '</s>'.",
        )
    return EndOfDocument(piece, found)


def end_of_document_input(spec: str, near: RunFolder) -> str:
    """Return what stands in a fingerprint for the end-of-document token that a model's files name.

    Of a demo model, a GGUF file or a model that is still to be made it is nothing: what stands for their tokenizer
    stands for all of their files. Errors as `tokenizer_input`.
    """
    made = near.made(spec)
    if (made is not None and made.provisional) or spec.startswith("demo:") or spec.endswith(".gguf"):
        return ""
    folder = tokenizer_file(spec, near).parent
    return f"{_eos_token(folder) or _eos_token_id(folder)}"


def _eos_token(folder: Path) -> str | None:
    value = _values(folder / "tokenizer_config.json").get("eos_token")
    if isinstance(value, dict):  # a token with its properties
        value = value.get("content")
    return value if isinstance(value, str) and value else None


def _eos_token_id(folder: Path) -> int | None:
    value = _values(folder / "config.json").get("eos_token_id")
    if isinstance(value, list):
        value = next(iter(value), None)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _values(path: Path) -> dict[str, Any]:
    try:
        values = orjson.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}
