"""Settings of `pivotlens score`."""

from __future__ import annotations

from typing import ClassVar

from pivotlens.settings import ModelStageConfig, setting


class ScoreConfig(ModelStageConfig):
    """Measure how well a model translates words: score, share, margin and accuracies, with intervals."""

    stage: ClassVar[str] = "score"
    shot_sets: int = setting(5, "Different sets of examples; figures are means over them.", ge=1, le=32)
