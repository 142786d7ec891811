"""What `pivotlens lens` is trained on."""

from __future__ import annotations

from pivotlens.corpus import corpus_fingerprint
from pivotlens.lens.config import LensConfig
from pivotlens.models.resolve import model_fingerprint


def inputs(config: LensConfig) -> dict[str, str]:
    """Return the fingerprints of the model and the corpus.

    Raises:
        PrerequisiteError: One of them is not there.
        DataError: The corpus holds no file.
    """
    return {"model": model_fingerprint(config.model), "corpus": corpus_fingerprint(config.corpus)}
