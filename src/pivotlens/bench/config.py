"""Settings of `pivotlens bench`."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
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
    parts: tuple[str, ...] = setting(
        (),
        "Parts that the test concepts are dealt out to, as `NAME=SHARE`, such as `mining=0.4 dev=0.2 test=0.4`; "
        "concepts that accept the same word in any language, or have one synset, stay together.",
    )
    part: str = setting(
        "",
        "The part that is kept, with a calibration set of its own; of the words of the others `mine` makes no pivot.",
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

    @model_validator(mode="after")
    def _names_a_part(self) -> Self:
        shares = part_shares(self.parts)
        if self.part not in (shares or ("",)):
            names = " or ".join(shares) or "nothing: there are no `parts`"
            raise ValueError(f"part = {self.part!r} is none of `parts`; it can be {names}")
        return self


def part_shares(parts: Sequence[str]) -> dict[str, float]:
    """Return the share of each part by its name.

    Raises:
        ValueError: One is no ``NAME=SHARE``, is named twice, or the shares do not add up to 1.

    >>> part_shares(["mining=0.4", "dev=0.2", "test=0.4"])
    {'mining': 0.4, 'dev': 0.2, 'test': 0.4}
    """
    found: dict[str, float] = {}
    for entry in parts:
        name, _, text = entry.partition("=")
        try:
            share = float(text)
        except ValueError:
            share = 0.0
        if not name or not isfinite(share) or share <= 0:
            raise ValueError(f"{entry!r} is no part: write NAME=SHARE with a share above 0, such as test=0.4")
        if name in found:
            raise ValueError(f"part {name!r} is named twice")
        found[name] = share
    if found and abs(sum(found.values()) - 1) > 1e-9:
        raise ValueError(f"the shares of {' '.join(parts)} add up to {sum(found.values()):g}, not to 1")
    return found
