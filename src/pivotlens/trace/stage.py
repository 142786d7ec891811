"""The declaration of `pivotlens trace`; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pivotlens.stage import Stage
from pivotlens.trace.config import TraceConfig

if TYPE_CHECKING:
    from pivotlens.artifacts import Trace

STAGE: Stage[TraceConfig, Trace] = Stage(
    config=TraceConfig,
    result="pivotlens.artifacts:Trace",
    version=10,
    function="trace_model",
    work="pivotlens.trace.run:run",
    reads=("bench",),
    reads_if_there=("lens", ("mine", "count")),
    inputs="pivotlens.models.resolve:swept_models",
    examples=(
        "pivotlens trace --run runs/first --model demo:gemma-3-270m --directions fr-zh",
        "pivotlens trace --run runs/mine --model ./my-model --prompt native --threshold 0.1",
    ),
)


def trace_model(
    config: TraceConfig | None = None, run: Path | str = "run", *, origins: Mapping[str, str] | None = None
) -> Trace:
    """Read every layer of a model while it translates the benchmark's words.

    Args:
        config: The settings.
        run: The run folder; its ``bench`` stage is read, ``mine``, ``count`` and ``lens`` where they are there, and
            its ``trace`` stage written.
        origins: Where each setting that is not a default came from, for the manifest.

    Raises:
        ModelError: The model cannot be loaded or not be read exactly.
        PrerequisiteError: The benchmark is not there.
    """
    return STAGE(config, run, origins=origins)
