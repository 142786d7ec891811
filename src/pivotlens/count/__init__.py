"""The count stage: words, pairs and tokens in a corpus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pivotlens.count.config import CountConfig

if TYPE_CHECKING:
    from pivotlens.count.occurrences import CooccurrenceCounter
    from pivotlens.count.run import count_corpus
    from pivotlens.count.vocabulary import CountedWords

__all__ = ["CooccurrenceCounter", "CountConfig", "CountedWords", "count_corpus"]

_HOMES = {"CooccurrenceCounter": "occurrences", "CountedWords": "vocabulary", "count_corpus": "run"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
