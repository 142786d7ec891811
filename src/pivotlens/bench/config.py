"""Settings of `pivotlens bench`."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from pivotlens.settings import StageConfig, setting


class BenchConfig(StageConfig):
    """Make the word-translation benchmark: concepts, their words, nine distractors each, shots apart."""

    stage: ClassVar[str] = "bench"
    words: str = setting(
        "word-translation",
        "The bundled list `word-translation` (its first version: `word-translation@1.0`), the small one "
        "`everyday-nouns`, or a TSV file: a column `concept`, then one column a language.",
    )
    lexicon: tuple[str, ...] = setting(
        (),
        "Dictionaries in place of `words`, joined where they share a language: TSV with a column a language, MUSE "
        "pairs, FreeDict dictd, JMdict, CC-CEDICT; `en-fr:FILE` where the file does not tell its languages.",
    )
    languages: tuple[str, ...] = setting((), "Languages to keep, as BCP 47 codes; all of the list when empty.")
    concepts: int = setting(2000, "Test concepts to keep of a `lexicon`, its first or most common ones.", ge=2)
    senses: Literal["first", "all"] = setting(
        "first", "Senses of a word in a `lexicon` whose translations are accepted: the first alone, or all."
    )
    distractors: int = setting(9, "Distractors a concept.", ge=1, le=99)
    shot_pool: int = setting(20, "Concepts put apart for shots where the list has no `split` column.", ge=5)
    calibration: int = setting(
        100, "Test concepts to mark as the calibration set of the trace, where the list marks none itself.", ge=1
    )
    seed: int = setting(0, "Seed of everything that is drawn.", ge=0)
    limit_concepts: int | None = setting(
        None, "Keep only this many test concepts; recorded and shown in the report.", ge=2
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.lexicon and "words" in self.model_fields_set:
            raise ValueError(f"words = {self.words!r} and lexicon = {' '.join(self.lexicon)!r} exclude each other")
        return self
