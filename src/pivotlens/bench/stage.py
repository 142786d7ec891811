"""The declaration of `pivotlens bench`; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pivotlens.bench.config import BenchConfig
from pivotlens.stage import Stage

if TYPE_CHECKING:
    from pivotlens.artifacts import Benchmark

STAGE: Stage[BenchConfig, Benchmark] = Stage(
    config=BenchConfig,
    result="pivotlens.artifacts:Benchmark",
    version=5,
    function="build_benchmark",
    work="pivotlens.bench.run:run",
    inputs="pivotlens.bench.inputs:inputs",
    examples=(
        "pivotlens bench --run runs/first",
        "pivotlens bench --run runs/mine --words my-words.tsv --languages en fr",
    ),
)


def build_benchmark(
    config: BenchConfig | None = None, run: Path | str = "run", *, origins: Mapping[str, str] | None = None
) -> Benchmark:
    """Make the benchmark of a run folder.

    Args:
        config: The settings.
        run: The run folder; its ``bench`` stage is written.
        origins: Where each setting that is not a default came from, for the manifest.

    Raises:
        DataError: The word list or a lexicon is unreadable or too small.
        ConfigError: A wanted language is not in it, the languages of a lexicon cannot be told, or
            `limit_concepts` leaves too few concepts.
    """
    return STAGE(config, run, origins=origins)
