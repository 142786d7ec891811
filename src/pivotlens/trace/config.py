"""Settings of `pivotlens trace`."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from pivotlens.settings import StageConfig, setting


class TraceConfig(StageConfig):
    """Read every layer while the model translates, and tell direct from semantic-pivot behaviour."""

    stage: ClassVar[str] = "trace"
    model: str = setting(
        "", "A hub id (`org/name@revision`), a folder, a `.gguf` file, `demo:gemma-3-270m` or `demo:smollm2-135m`."
    )
    directions: tuple[str, ...] = setting((), "Directions such as `fr-zh`; all pairs of the benchmark when empty.")
    prompt: Literal["english", "native", "bare"] = setting(
        "english", "Wording: the paper's English one, the target language's own, or bare `a – b` lines."
    )
    shots: int = setting(5, "Examples in a prompt.", ge=1, le=32)
    shot_sets: int = setting(1, "Shot sets to trace; labels are of the first one.", ge=1, le=32)
    seed: int = setting(0, "Seed of the shot sets.", ge=0)
    dtype: Literal["float32", "bfloat16", "float16"] = setting("float32", "Number type of the model's weights.")
    device: str = setting("auto", "Where the model runs: auto, cpu, cuda, cuda:1 or mps.", meaning=False)
    batch_tokens: int = setting(8192, "Tokens held in the cache at once; bounds memory.", ge=256)
    top_k: int = setting(20, "Tokens kept a layer.", ge=1, le=200)
    threshold: float = setting(0.05, "Least probability of a token under `calibrated` and `onset`.", gt=0, lt=1)
    ratio: float = setting(3.0, "How many times its mean over other concepts a token must reach to be specific.", ge=1)
    token_sets: Literal["first", "prefixes"] = setting(
        "first", "Tokens of a word: its first content piece, or every vocabulary token that is a prefix of it."
    )
    bootstrap: int = setting(1000, "Bootstrap resamples for the intervals.", ge=100)
    limit: int | None = setting(None, "Trace only this many concepts; recorded and shown in the report.", ge=2)

    @model_validator(mode="after")
    def _enough_tokens(self) -> Self:
        if self.top_k * self.threshold < 1:
            raise ValueError(
                f"top_k = {self.top_k} can miss tokens above threshold = {self.threshold}; "
                f"their product must be at least 1"
            )
        return self
