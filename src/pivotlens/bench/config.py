"""Settings of `pivotlens bench`."""

from __future__ import annotations

from typing import ClassVar

from pivotlens.settings import StageConfig, setting


class BenchConfig(StageConfig):
    """Make the word-translation benchmark: concepts, their words, nine distractors each, shots apart."""

    stage: ClassVar[str] = "bench"
    words: str = setting(
        "everyday-nouns",
        "The bundled list `everyday-nouns`, or a TSV file: a column `concept`, then one column a language.",
    )
    languages: tuple[str, ...] = setting((), "Languages to keep, as BCP 47 codes; all of the list when empty.")
    distractors: int = setting(9, "Distractors a concept.", ge=1, le=99)
    shot_pool: int = setting(20, "Concepts put apart for shots where the list has no `split` column.", ge=5)
    calibration: int = setting(100, "Test concepts marked as the calibration set of the trace.", ge=1)
    seed: int = setting(0, "Seed of everything that is drawn.", ge=0)
    limit: int | None = setting(None, "Keep only this many test concepts; recorded and shown in the report.", ge=2)
