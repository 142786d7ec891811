"""The declaration of `pivotlens lens`; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pivotlens.lens.config import LensConfig
from pivotlens.stage import Stage

if TYPE_CHECKING:
    from pivotlens.artifacts import TrainedLens

STAGE: Stage[LensConfig, TrainedLens] = Stage(
    config=LensConfig,
    result="pivotlens.artifacts:TrainedLens",
    version=5,
    function="train_lens",
    work="pivotlens.lens.run:run",
    inputs="pivotlens.lens.inputs:inputs",
    examples=(
        "pivotlens lens --run runs/first --model demo:gemma-3-270m",
        "pivotlens lens --run runs/mine --model ./my-model --corpus 'data/*.jsonl.zst' --tokens 100000 --steps 200",
    ),
)


def train_lens(
    config: LensConfig | None = None, run: Path | str = "run", *, origins: Mapping[str, str] | None = None
) -> TrainedLens:
    """Train an affine lens of a model, and measure it on documents it was not trained on.

    Args:
        config: The settings.
        run: The run folder; its ``lens`` stage is written.
        origins: Where each setting that is not a default came from, for the manifest.

    Raises:
        ConfigError: An impossible setting.
        DataError: The corpus is empty, damaged or too short.
        ModelError: The model cannot be loaded, not be read exactly, or its head not be cut.
    """
    return STAGE(config, run, origins=origins)
