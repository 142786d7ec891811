"""The declaration of `pivotlens ablate`; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pivotlens.ablate.config import AblateConfig
from pivotlens.stage import Stage

if TYPE_CHECKING:
    from pivotlens.artifacts import Ablation

STAGE: Stage[AblateConfig, Ablation] = Stage(
    config=AblateConfig,
    result="pivotlens.artifacts:Ablation",
    version=4,
    function="ablate_pivots",
    work="pivotlens.ablate.run:run",
    reads=("bench", "trace"),
    examples=(
        "pivotlens ablate --run runs/first",
        "pivotlens ablate --run runs/mine --max-items 100 --doses 0.5 1 2",
    ),
)


def ablate_pivots(
    config: AblateConfig | None = None, run: Path | str = "run", *, origins: Mapping[str, str] | None = None
) -> Ablation:
    """Take semantic pivots out of a model's states while it translates, and hold the harm against controls.

    Items, pivots and labels are those of the run's trace: rule `calibrated`, shot set 0, its prompt and examples.
    The states are changed at the position that predicts the first content token of the answer and nowhere else, on
    the raw outputs of the blocks of one window of layers; later answer tokens see the change through attention.

    Args:
        config: The settings.
        run: The run folder; its ``bench`` and ``trace`` stages are read, and its ``ablate`` stage written.
        origins: Where each setting that is not a default came from, for the manifest.

    Raises:
        ConfigError: A model or direction that was not traced, or a model with too few blocks.
        ModelError: The model cannot be loaded or not be read exactly.
        PrerequisiteError: Benchmark or trace is not there, or the trace is of another benchmark.
    """
    return STAGE(config, run, origins=origins)
