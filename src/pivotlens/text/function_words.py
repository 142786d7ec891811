"""Words of grammar, which go with everything and say nothing about a concept: *his*, *the*, *的*."""

from __future__ import annotations

import functools
from importlib import resources

from pivotlens.text.scripts import fold
from pivotlens.text.word_lists import bundled_word_lists

EVERYWHERE = 1e-3
"""What is met more often than once in a thousand words counts as a word of grammar in any language."""


def is_function_word(text: str) -> bool:
    """Tell whether a token writes a word of grammar.

    Those of English, French, German, Spanish, Chinese and Japanese are listed; in other languages, and beside the
    lists, it is a word that is met once in a thousand words or more.
    """
    folded = fold(text).strip().lstrip("▁").strip()
    return folded in _listed() or max(bundled_word_lists().of(folded).values(), default=0.0) >= EVERYWHERE * 1e9


@functools.cache
def _listed() -> frozenset[str]:
    text = (resources.files("pivotlens.text") / "data" / "function_words.tsv").read_text("utf-8")
    return frozenset(fold(word) for line in text.splitlines()[1:] for word in line.split("\t")[1].split())
