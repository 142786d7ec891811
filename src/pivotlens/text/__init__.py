"""Text in every script: normalising, matching words, naming languages."""

from pivotlens.text.answers import bare_answer, is_accepted
from pivotlens.text.languages import (
    ENGLISH,
    Direction,
    english_name,
    language_code,
    native_name,
    parse_direction,
)
from pivotlens.text.scripts import (
    begins_unspaced,
    begins_word,
    escape_controls,
    fold,
    has_cjk,
    has_spaces_between_words,
    inline_code,
    is_word,
    normalise,
    truncate_graphemes,
)

__all__ = [
    "ENGLISH",
    "Direction",
    "bare_answer",
    "begins_unspaced",
    "begins_word",
    "english_name",
    "escape_controls",
    "fold",
    "has_cjk",
    "has_spaces_between_words",
    "inline_code",
    "is_accepted",
    "is_word",
    "language_code",
    "native_name",
    "normalise",
    "parse_direction",
    "truncate_graphemes",
]
