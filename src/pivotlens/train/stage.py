"""The declaration of `pivotlens train`; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pivotlens.stage import Stage
from pivotlens.train.config import TrainConfig

if TYPE_CHECKING:
    from pivotlens.artifacts import TrainedModels

STAGE: Stage[TrainConfig, TrainedModels] = Stage(
    config=TrainConfig,
    result="pivotlens.artifacts:TrainedModels",
    version=3,
    function="train_model",
    work="pivotlens.train.run:run",
    inputs="pivotlens.train.inputs:inputs",
    follows="pivotlens.train.task:follow",
    examples=(
        "pivotlens train --run runs/first --model demo:smollm2-135m --arms run:select/top run:select/random "
        "--unequal-arms cut",
        "pivotlens train --run runs/tiny --configuration llama.toml --tokenizer ./tokenizer --arms demo:tatoeba "
        "--learning-rate 2e-3",
    ),
)


def train_model(
    config: TrainConfig | None = None, run: Path | str = "run", *, origins: Mapping[str, str] | None = None
) -> TrainedModels:
    """Train a model on each arm with each seed.

    Args:
        config: The settings.
        run: The run folder; its ``train`` stage is written.
        origins: Where each setting that is not a default came from, for the manifest.

    Raises:
        ConfigError: An impossible setting, or arms of unequal tokens.
        DataError: A corpus is damaged, or too short for one step.
        ModelError: The model or its configuration cannot be loaded, or a loss is not a number.
        ArtifactError: The disk is full; what was kept is kept.
    """
    return STAGE(config, run, origins=origins)
