"""The declaration of `pivotlens select`; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pivotlens.select.config import SelectConfig
from pivotlens.stage import Stage

if TYPE_CHECKING:
    from pivotlens.artifacts import Selection

STAGE: Stage[SelectConfig, Selection] = Stage(
    config=SelectConfig,
    result="pivotlens.artifacts:Selection",
    version=7,
    function="select_documents",
    work="pivotlens.select.run:run",
    reads=("bench", "count", "mine"),
    inputs="pivotlens.select.inputs:inputs",
    examples=(
        "pivotlens select --run runs/first --tokenizer demo:gemma-3-270m --budget-tokens 50000",
        "pivotlens select --run runs/mine --corpus data/ --tokenizer ./my-model --arms top share random",
    ),
)


def select_documents(
    config: SelectConfig | None = None, run: Path | str = "run", *, origins: Mapping[str, str] | None = None
) -> Selection:
    """Rebuild the corpus from its pivot-rich units (docs/method.md#selection), or return the selection that fits.

    Args:
        config: The settings; defaults where None.
        run: The run folder.
        origins: Where each setting that is not a default came from, for the record.

    Raises:
        ConfigError: No tokenizer is given, or one that the pivots were not mined with; a language has no unit, or the
            budget is more than the corpus holds.
        PrerequisiteError: ``mine`` has not run or found no pivots, or the tokenizer or corpus is not there.
        DataError: The corpus is empty, damaged, has too many unreadable rows or changes while it is read.
    """
    return STAGE(config, run, origins=origins)
