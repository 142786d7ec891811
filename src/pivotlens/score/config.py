"""Settings of `pivotlens score`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pivotlens.settings import ModelStageConfig, setting


class ScoreConfig(ModelStageConfig):
    """Measure how well a model translates words: score, share, margin and accuracies, with intervals."""

    stage: ClassVar[str] = "score"
    also_models: tuple[str, ...] = setting(
        (), "Further models or revisions scored in the same call, such as the checkpoints of a training run."
    )
    also_prompts: tuple[Literal["english", "native", "bare"], ...] = setting(
        (), "Further wordings scored in the same call."
    )
    shot_sets: int = setting(5, "Different sets of examples; figures are means over them.", ge=1, le=32)
    newline: Literal["scored", "left"] = setting(
        "scored",
        "Whether answers are also scored with the newline that ends them (`share_line`): about twice the work.",
    )

    def models(self) -> tuple[str, ...]:
        """Return every model that is scored, `model` first, each once."""
        return tuple(dict.fromkeys((self.model, *self.also_models)))

    def prompts(self) -> tuple[Literal["english", "native", "bare"], ...]:
        """Return every wording that is scored, `prompt` first, each once."""
        return tuple(dict.fromkeys((self.prompt, *self.also_prompts)))
