"""Settings of `pivotlens trace`."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from pivotlens.settings import SweepStageConfig, setting


class TraceConfig(SweepStageConfig):
    """Read every layer while the model translates, and tell direct from semantic-pivot behaviour."""

    stage: ClassVar[str] = "trace"
    shot_sets: int = setting(1, "Shot sets to trace; labels are of the first one.", ge=1, le=32)
    top_k: int = setting(20, "Tokens kept a layer.", ge=1, le=200)
    threshold: float = setting(0.1, "Least probability of a token under `calibrated` and `onset`.", gt=0, lt=1)
    ratio: float = setting(50.0, "How many times its mean over other concepts a token must reach to be specific.", ge=1)
    whole_word: bool = setting(
        False, "Whether each layer's probability of the whole target word is read too, its tokens teacher-forced."
    )
    token_sets: Literal["first", "prefixes"] = setting(
        "first", "Tokens of a word: its first content piece, or every vocabulary token that is a prefix of it."
    )

    @model_validator(mode="after")
    def _enough_tokens(self) -> Self:
        if self.top_k * self.threshold < 2:
            raise ValueError(
                f"top_k = {self.top_k} can miss tokens above half of threshold = {self.threshold}; "
                f"their product must be at least 2"
            )
        return self
