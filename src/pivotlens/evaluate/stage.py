"""The declaration of `pivotlens evaluate`; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pivotlens.evaluate.config import EvaluateConfig
from pivotlens.stage import Stage

if TYPE_CHECKING:
    from pivotlens.artifacts import Evaluation

STAGE: Stage[EvaluateConfig, Evaluation] = Stage(
    config=EvaluateConfig,
    result="pivotlens.artifacts:Evaluation",
    version=1,
    function="evaluate_model",
    work="pivotlens.evaluate.run:run",
    inputs="pivotlens.evaluate.inputs:inputs",
    examples=(
        "pivotlens evaluate --run runs/first --model demo:smollm2-135m --languages en fr --limit-documents 50",
        "pivotlens evaluate --run runs/mine --model ./base --also-models run:train/top run:train/matched --tasks xnli "
        "belebele --languages fr zh",
        "pivotlens evaluate --run runs/mine --model ./base --tasks xnli_fr --data 'xnli_fr=data/xnli/fr.jsonl'",
    ),
)


def evaluate_model(
    config: EvaluateConfig | None = None, run: Path | str = "run", *, origins: Mapping[str, str] | None = None
) -> Evaluation:
    """Evaluate models in tasks of lm-evaluation-harness, and compare each with the first one document by document.

    Args:
        config: The settings.
        run: The run folder; its ``evaluate`` stage is written.
        origins: Where each setting that is not a default came from, for the manifest.

    Raises:
        ConfigError: There is no such task, no task in these languages, or no such option.
        DataError: Local data cannot be read, or a model's figure is not finite.
        ModelError: A model cannot be loaded or gives NaN.
        PrerequisiteError: The harness is not installed, or a task's data can neither be fetched nor is it here.
    """
    return STAGE(config, run, origins=origins)
