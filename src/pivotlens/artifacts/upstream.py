"""Fingerprints of the stages that a stage reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pivotlens.artifacts.manifest import read_manifest
from pivotlens.errors import PrerequisiteError


def upstream_inputs(
    run: Path | str,
    needed: Sequence[str],
    optional: Sequence[str] = (),
    planned: Mapping[str, str] | None = None,
    reader: str = "",
) -> dict[str, str]:
    """Return the fingerprint of each stage that is read, by its name.

    Args:
        run: The run folder.
        needed: Stages that must have run.
        optional: Stages that are read where they have run.
        planned: Fingerprints that the stages will have, when a whole chain is planned; nothing is read then.
        reader: The stage that asks, for the error.

    Raises:
        PrerequisiteError: A needed stage has not run.
    """
    inputs: dict[str, str] = {}
    for stage in (*needed, *optional):
        if planned is not None:
            value = planned.get(stage)
        else:
            manifest = read_manifest(Path(run) / stage)
            value = manifest.fingerprint if manifest else None
        if value is not None:
            inputs[stage] = value
        elif stage in needed:
            raise PrerequisiteError(
                f"{reader or 'this stage'} needs the result of {stage!r}, which is not in {run}",
                f"Run `pivotlens {stage} --run {run}` first, or `pivotlens run` for the whole chain.",
            )
    return inputs
