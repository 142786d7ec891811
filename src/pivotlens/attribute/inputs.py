"""What `pivotlens attribute` reads beside the trace: the counts that its settings name."""

from __future__ import annotations

from pivotlens.artifacts import RunFolder, Source, upstream_inputs
from pivotlens.attribute.config import AttributeConfig


def inputs(config: AttributeConfig, near: RunFolder) -> dict[str, str | Source]:
    """Return the fingerprint of the counts.

    Raises:
        PrerequisiteError: That stage has not run.
    """
    return {**upstream_inputs(near.path, (config.counts,), planned=near.planned, reader=config.stage)}
