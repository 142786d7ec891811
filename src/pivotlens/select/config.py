"""Settings of `pivotlens select`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import field_validator

from pivotlens.settings import CorpusFormat, CorpusStageConfig, setting


class SelectConfig(CorpusStageConfig):
    """Rebuild the corpus from its pivot-rich units, at a token budget a language."""

    stage: ClassVar[str] = "select"
    modes: tuple[Literal["top", "random"], ...] = setting(("top", "random"), "Arms to make, at the same budget.")
    budget_tokens: int = setting(100_000, "Tokens a language; the selection stops before exceeding it.", ge=1)
    pivots: int = setting(500, "How many of the corpus pivots count, from the best.", ge=1)
    min_tokens: int = setting(32, "Shorter units are left out.", ge=1)
    formats: tuple[CorpusFormat, ...] = setting(
        ("jsonl",),
        "What each arm is written as: documents as `jsonl` (.zst) or `parquet`, and token files for `datatrove` "
        "(nanotron), `olmo_core` or `megatron`.",
    )
    file_tokens: int = setting(
        1 << 28,
        "Tokens of a file; few large files are best, as trainers drop the tail of each. A longer document has a file "
        "of its own.",
        ge=1,
    )
    sequence_length: int = setting(
        2048, "Tokens of a training sequence: by it the tokens that a trainer reads of an arm are counted.", ge=2
    )
    end_of_document: str = setting(
        "", "Token written after each document in token files, such as `<|endoftext|>`; the tokenizer's own when empty."
    )

    @field_validator("formats")
    @classmethod
    def _holds_documents(cls, formats: tuple[CorpusFormat, ...]) -> tuple[CorpusFormat, ...]:
        if not {"jsonl", "parquet"} & set(formats):
            raise ValueError("an arm without documents can be neither read nor looked at: add jsonl or parquet")
        return formats
