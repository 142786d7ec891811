"""The declaration of `pivotlens attribute`; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pivotlens.attribute.config import AttributeConfig
from pivotlens.stage import Stage

if TYPE_CHECKING:
    from pivotlens.artifacts import Attribution

STAGE: Stage[AttributeConfig, Attribution] = Stage(
    config=AttributeConfig,
    result="pivotlens.artifacts:Attribution",
    version=3,
    function="attribute_behaviour",
    work="pivotlens.attribute.run:run",
    reads=("trace", "bench"),
    reads_if_there=("score",),
    inputs="pivotlens.attribute.inputs:inputs",
    examples=(
        "pivotlens attribute --run runs/first",
        "pivotlens attribute --run runs/first --min-items 30 --replace",
        "pivotlens attribute --run runs/olmo --counts query",
    ),
)


def attribute_behaviour(
    config: AttributeConfig | None = None, run: Path | str = "run", *, origins: Mapping[str, str] | None = None
) -> Attribution:
    """Ask how well corpus counts predict direct against semantic-pivot behaviour (docs/method.md#attribution).

    Tables: ``auc`` has a row for each direction (and ``all``), rule, item set and predictor; ``tests`` the
    likelihood-ratio test of joint frequency beyond the words' own frequencies, by rule, and its rank correlation with
    the score, which ``significance`` counts; ``predictors`` a row an item, with its behaviour under rule `calibrated`;
    ``joint`` and ``bins`` how often the words of items share a unit. Of a trace of several models or prompts, the
    first is taken.

    Args:
        config: Settings; the defaults when None.
        run: The run folder.
        origins: Where each setting that is not a default came from, for the manifest.

    Raises:
        PrerequisiteError: `bench`, `trace`, or the stage with the counts has not run.
    """
    return STAGE(config, run, origins=origins)
