"""What `pivotlens count` reads beside the benchmark."""

from __future__ import annotations

from pivotlens.artifacts import RunFolder, Source
from pivotlens.corpus import label_inputs, survey_corpus, unit_plan
from pivotlens.count.config import CountConfig
from pivotlens.errors import ConfigError
from pivotlens.models.resolve import tokenizer_input
from pivotlens.text.longer_words import read_longer_words
from pivotlens.text.segmenters import segmenters_fingerprint


def inputs(config: CountConfig, near: RunFolder) -> dict[str, str | Source]:
    """Return the corpus, and the fingerprints of the tokenizer, the longer words and the segmenters.

    Raises:
        ConfigError: No tokenizer is given, the longer words are in an unknown language, or a segmenter is unknown.
        PrerequisiteError: The tokenizer or corpus is not there, or a segmenter is not installed.
        DataError: The corpus holds no file, or the file of longer words is missing or malformed.
    """
    if not config.tokenizer:
        raise ConfigError(
            "count has no tokenizer to cut the text with",
            "Pass --tokenizer with the model whose tokens are wanted, or set `tokenizer` in [count].",
        )
    unit_plan(config)
    found: dict[str, str | Source] = {
        "corpus": survey_corpus(config.corpus, near),
        "tokenizer": tokenizer_input(config.tokenizer, near),
        **label_inputs(config),
    }
    if longer := read_longer_words(config.longer_words).sha256:
        found["longer_words"] = longer
    if segmenters := segmenters_fingerprint(config.segmenters):
        found["segmenters"] = segmenters
    return found
