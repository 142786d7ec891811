"""What `pivotlens select` reads beside the mined pivots."""

from __future__ import annotations

from pivotlens.corpus import corpus_fingerprint, unit_plan
from pivotlens.errors import ConfigError
from pivotlens.models.resolve import tokenizer_fingerprint
from pivotlens.select.config import SelectConfig


def inputs(config: SelectConfig) -> dict[str, str]:
    """Return the fingerprints of the corpus and the tokenizer.

    Raises:
        ConfigError: No tokenizer is given.
        PrerequisiteError: The tokenizer or corpus is not there.
        DataError: The corpus holds no file.
    """
    if not config.tokenizer:
        raise ConfigError(
            "select has no tokenizer to cut the text with",
            "Pass --tokenizer with the model that `pivotlens count` was given, or set `tokenizer` in [select].",
        )
    unit_plan(config)
    return {"corpus": corpus_fingerprint(config.corpus), "tokenizer": tokenizer_fingerprint(config.tokenizer)}
