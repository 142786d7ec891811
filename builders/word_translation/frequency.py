"""Word frequencies of wordfreq; no number of it is shipped."""

from __future__ import annotations

import importlib
import math
from functools import cache


@cache
def _table(language: str) -> dict[str, float]:
    # Imported when needed: only the build needs wordfreq, and it loads slowly.
    table: dict[str, float] = importlib.import_module("wordfreq").get_frequency_dict(language, wordlist="best")
    return table


def zipf(language: str, word: str) -> float:
    """Zipf frequency of a whole word, without a tokenizer: log10 of occurrences in 10^9 words, 0 when unknown."""
    frequency = _table(language).get(word.casefold(), 0.0)
    return math.log10(frequency) + 9 if frequency else 0.0


@cache
def tokenized_zipf(language: str, word: str) -> float:
    """Zipf frequency as wordfreq looks it up, which cuts Chinese and Japanese words into the pieces it knows."""
    return float(importlib.import_module("wordfreq").zipf_frequency(word, language))


def english_zipf(word: str) -> float:
    """Zipf frequency of an English word."""
    return zipf("en", word)
