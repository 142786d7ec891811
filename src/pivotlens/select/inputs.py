"""What `pivotlens select` reads beside the mined pivots."""

from __future__ import annotations

from pivotlens.artifacts import RunFolder, Source
from pivotlens.corpus import label_inputs, survey_corpus, unit_plan
from pivotlens.corpus.writing import TOKEN_FORMATS
from pivotlens.errors import ConfigError
from pivotlens.models.end_of_document import end_of_document_input
from pivotlens.models.resolve import tokenizer_input
from pivotlens.select.budgets import wanted_languages
from pivotlens.select.config import SelectConfig


def inputs(config: SelectConfig, near: RunFolder) -> dict[str, str | Source]:
    """Return the corpus, the fingerprint of the tokenizer, and for token files what ends a document.

    Raises:
        ConfigError: No tokenizer is given, or a language or its weight is none.
        PrerequisiteError: The tokenizer or corpus is not there.
        DataError: The corpus holds no file.
    """
    if not config.tokenizer:
        raise ConfigError(
            "select has no tokenizer to cut the text with",
            "Pass --tokenizer with the model that `pivotlens count` was given, or set `tokenizer` in [select].",
        )
    unit_plan(config)
    wanted_languages(config)
    found: dict[str, str | Source] = {
        "corpus": survey_corpus(config.corpus, near),
        "tokenizer": tokenizer_input(config.tokenizer, near),
        **label_inputs(config),
    }
    if not config.end_of_document and set(config.formats) & set(TOKEN_FORMATS):
        found["end_of_document"] = end_of_document_input(config.tokenizer, near)
    return found
