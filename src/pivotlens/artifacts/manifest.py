"""The manifest: what a stage's folder holds and what it follows from."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from pivotlens.errors import ArtifactError

MANIFEST = "manifest.json"
RUN_RECORD = "run.json"


class Output(BaseModel):
    """One file of a stage."""

    model_config = ConfigDict(frozen=True)
    bytes: int
    sha256: str
    rows: int | None = None


class Manifest(BaseModel):
    """What a stage's folder holds; equal for equal inputs, so it has no times and no machine in it."""

    model_config = ConfigDict(frozen=True)
    format_version: Literal[1] = 1
    stage: str
    status: Literal["complete"] = "complete"
    algorithm_version: int
    fingerprint: str
    config: dict[str, Any]
    origins: dict[str, str] = {}
    inputs: dict[str, str]
    outputs: dict[str, Output]
    details: dict[str, Any] = {}
    warnings: list[str] = []

    @field_validator("outputs")
    @classmethod
    def _lie_in_the_folder(cls, outputs: dict[str, Output]) -> dict[str, Output]:
        # A run folder may be a stranger's: what it names is read, and must be its own.
        for name in outputs:
            path = PurePosixPath(name)
            if path.is_absolute() or not path.parts or ".." in path.parts:
                raise ValueError(f"output {name!r} is no file of the folder")
        return outputs

    def to_bytes(self) -> bytes:
        """Return the manifest as indented JSON with sorted keys."""
        options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
        return orjson.dumps(self.model_dump(mode="json"), option=options)


def read_manifest(folder: Path) -> Manifest | None:
    """Return the manifest in ``folder``, or None where there is none.

    Raises:
        ArtifactError: There is one but it is damaged.
    """
    path = folder / MANIFEST
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ArtifactError(
            f"cannot read {path}: {error.strerror}", "Check the permissions of the run folder."
        ) from error
    try:
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        raise ArtifactError(
            f"{path} is damaged: {error.errors()[0]['msg']}",
            f"Remove the folder {folder} and run the stage again.",
        ) from error
