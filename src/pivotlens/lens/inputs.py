"""What `pivotlens lens` is trained on."""

from __future__ import annotations

from pivotlens.artifacts import RunFolder, Source
from pivotlens.corpus import label_inputs, survey_corpus
from pivotlens.lens.config import LensConfig
from pivotlens.models.resolve import model_input


def inputs(config: LensConfig, near: RunFolder) -> dict[str, str | Source]:
    """Return the fingerprint of the model, and the corpus.

    Raises:
        PrerequisiteError: One of them is not there.
        DataError: The corpus holds no file.
    """
    return {
        "model": model_input(config.model, near),
        "corpus": survey_corpus(config.corpus, near),
        **label_inputs(config),
    }
