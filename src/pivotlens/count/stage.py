"""The declaration of `pivotlens count`; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pivotlens.count.config import CountConfig
from pivotlens.stage import Stage

if TYPE_CHECKING:
    from pivotlens.artifacts import Counts

STAGE: Stage[CountConfig, Counts] = Stage(
    config=CountConfig,
    result="pivotlens.artifacts:Counts",
    version=9,
    function="count_corpus",
    work="pivotlens.count.run:run",
    reads=("bench",),
    inputs="pivotlens.count.inputs:inputs",
    estimate="pivotlens.count.estimate:estimate",
    examples=(
        "pivotlens count --run runs/first --tokenizer demo:gemma-3-270m --workers 2",
        "pivotlens count --run runs/mine --corpus 'data/*.jsonl.zst' --tokenizer allenai/OLMo-2-0425-1B",
        "pivotlens count --run runs/mine --corpus 'data/*.jsonl.zst' --tokenizer ./my-model --executor slurm",
    ),
)


def count_corpus(
    config: CountConfig | None = None, run: Path | str = "run", *, origins: Mapping[str, str] | None = None
) -> Counts:
    """Count words, pairs and tokens in a corpus (docs/method.md#counting), or return the counts that are there and fit.

    Args:
        config: The settings; defaults where None.
        run: The run folder.
        origins: Where each setting that is not a default came from, for the record.

    Raises:
        ConfigError: No tokenizer is given, the longer words are in an unknown language, or a segmenter is unknown.
        PrerequisiteError: ``bench`` has not run, or the tokenizer, the corpus or a segmenter is not there.
        DataError: The corpus is empty, damaged, lacks a column, has too many unreadable rows or changes while it is
            read; or the file of longer words is missing or malformed.
    """
    return STAGE(config, run, origins=origins)
