"""Fingerprints of the stages that a stage reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pivotlens.artifacts.manifest import read_manifest
from pivotlens.errors import PrerequisiteError


def upstream_inputs(
    run: Path | str,
    needed: Sequence[str],
    optional: Sequence[str | tuple[str, ...]] = (),
    planned: Mapping[str, str] | None = None,
    reader: str = "",
) -> dict[str, str]:
    """Return the fingerprint of each stage that is read, by its name.

    Args:
        run: The run folder.
        needed: Stages that must have run.
        optional: Stages that are read where they have run; of several in a tuple, each only beside the one before.
        planned: Fingerprints that stages will have, when a whole chain is planned; others are as the folder has them.
        reader: The stage that asks, for the error.

    Raises:
        PrerequisiteError: A needed stage has not run.
    """
    inputs: dict[str, str] = {}

    def found(stage: str) -> bool:
        value = (planned or {}).get(stage)
        if value is None and (manifest := read_manifest(Path(run) / stage)) is not None:
            value = manifest.fingerprint
        if value is not None:
            inputs[stage] = value
        return value is not None

    for stage in needed:
        if not found(stage):
            raise PrerequisiteError(
                f"{reader or 'this stage'} needs the result of {stage!r}, which is not in {run}",
                f"Run `pivotlens {stage} --run {run}` first, or `pivotlens run` for the whole chain.",
            )
    for group in optional:
        for stage in (group,) if isinstance(group, str) else group:
            if not found(stage):
                break
    return inputs
