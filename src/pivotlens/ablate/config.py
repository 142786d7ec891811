"""Settings of `pivotlens ablate`."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from pivotlens.settings import StageConfig, setting


class AblateConfig(StageConfig):
    """Take the pivot out of the model's states while it translates: is it causal?

    Prompt, shots and the examples are those of the run's trace.
    """

    stage: ClassVar[str] = "ablate"
    runs_model: ClassVar[bool] = True
    model: str = setting("", "The model that was traced; that of the run's trace when empty.")
    directions: tuple[str, ...] = setting((), "Directions such as `fr-zh`; all that were traced when empty.")
    max_items: int = setting(8, "Most items of a direction and behaviour in each half; drawn by `seed`.", ge=2)
    doses: tuple[float, ...] = setting((0.5, 1.0, 2.0), "How much of the pivot's component is taken out; 1 among them.")
    half_widths: tuple[int, ...] = setting(
        (1, 2, 3), "Layers on each side of the median peak that a window may have; half of the concepts choose."
    )
    last_layers: int = setting(2, "Last layers that no window reaches: next to the head an edit is no test.", ge=1)
    random_vectors: int = setting(5, "Random vectors an item.", ge=1, le=100)
    reference: int = setting(100, "Most traced items whose mean state a component is counted from.", ge=2)
    seed: int = setting(0, "Seed of the halves, of the controls and of the bootstrap.", ge=0)
    dtype: Literal["float32", "bfloat16", "float16"] = setting("float32", "Number type of the model's weights.")
    device: str = setting("auto", "Where the model runs: auto, cpu, cuda, cuda:1 or mps.", meaning=False)
    batch_tokens: int = setting(8192, "Tokens held in the cache at once; bounds memory.", ge=256)
    bootstrap: int = setting(1000, "Bootstrap resamples for the intervals.", ge=100)

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if 1.0 not in self.doses or min(self.doses) <= 0 or list(self.doses) != sorted(set(self.doses)):
            raise ValueError(f"doses = {self.doses} must rise, be above 0 and hold 1")
        if not self.half_widths or min(self.half_widths) < 0:
            raise ValueError(f"half_widths = {self.half_widths} must be one number or more, none below 0")
        return self
