"""Settings of `pivotlens score`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pivotlens.settings import StageConfig, setting


class ScoreConfig(StageConfig):
    """Measure how well a model translates words: score, share, margin and accuracies, with intervals."""

    stage: ClassVar[str] = "score"
    model: str = setting(
        "", "A hub id (`org/name@revision`), a folder, a `.gguf` file, `demo:gemma-3-270m` or `demo:smollm2-135m`."
    )
    directions: tuple[str, ...] = setting((), "Directions such as `fr-zh`; all pairs of the benchmark when empty.")
    prompt: Literal["english", "native", "bare"] = setting(
        "english", "Wording: the paper's English one, the target language's own, or bare `a – b` lines."
    )
    shots: int = setting(5, "Examples in a prompt.", ge=1, le=32)
    shot_sets: int = setting(5, "Different sets of examples; figures are means over them.", ge=1, le=32)
    seed: int = setting(0, "Seed of the shot sets.", ge=0)
    dtype: Literal["float32", "bfloat16", "float16"] = setting("float32", "Number type of the model's weights.")
    device: str = setting("auto", "Where the model runs: auto, cpu, cuda, cuda:1 or mps.", meaning=False)
    batch_tokens: int = setting(8192, "Tokens held in the cache at once; bounds memory.", ge=256)
    bootstrap: int = setting(1000, "Bootstrap resamples for the intervals.", ge=100)
    limit: int | None = setting(None, "Score only this many concepts; recorded and shown in the report.", ge=2)
