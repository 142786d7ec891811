"""Settings of `pivotlens score`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pivotlens.settings import SweepStageConfig, setting


class ScoreConfig(SweepStageConfig):
    """Measure how well a model translates words: score, probability share, margin and accuracies, with intervals."""

    stage: ClassVar[str] = "score"
    shot_sets: int = setting(5, "Different sets of examples; figures are means over them.", ge=1, le=32)
    newline: Literal["scored", "left"] = setting(
        "scored",
        "Whether answers are also scored with the newline that ends them (`probability_share_line`): twice the work.",
    )
