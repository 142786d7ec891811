"""The declaration of `pivotlens score`; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pivotlens.score.config import ScoreConfig
from pivotlens.stage import Stage

if TYPE_CHECKING:
    from pivotlens.artifacts import Scores

STAGE: Stage[ScoreConfig, Scores] = Stage(
    config=ScoreConfig,
    result="pivotlens.artifacts:Scores",
    version=6,
    function="score_model",
    work="pivotlens.score.run:run",
    reads=("bench",),
    inputs="pivotlens.models.resolve:swept_models",
    examples=(
        "pivotlens score --run runs/first --model demo:smollm2-135m --directions en-fr fr-en",
        "pivotlens score --run runs/mine --model allenai/OLMo-2-0425-1B@main --also-models allenai/OLMo-2-0425-1B",
    ),
)


def score_model(
    config: ScoreConfig | None = None, run: Path | str = "run", *, origins: Mapping[str, str] | None = None
) -> Scores:
    """Score a model on the benchmark in a run folder.

    Args:
        config: The settings.
        run: The run folder; its ``bench`` stage is read and its ``score`` stage written.
        origins: Where each setting that is not a default came from, for the manifest.

    Raises:
        ConfigError: A language is not in the benchmark, or the shot pool is too small.
        ModelError: The model cannot be loaded or gives NaN.
        PrerequisiteError: The benchmark is not there.
    """
    return STAGE(config, run, origins=origins)
