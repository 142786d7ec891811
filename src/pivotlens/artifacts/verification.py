"""Checks of a run folder, each with a stable code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pivotlens.artifacts.fingerprint import fingerprint, sha256_of_file
from pivotlens.artifacts.manifest import MANIFEST, RUN_RECORD, Manifest, read_manifest
from pivotlens.artifacts.references import outdated_references
from pivotlens.artifacts.tables import tables_of
from pivotlens.errors import ArtifactError


@dataclass(frozen=True)
class Problem:
    """Something wrong with a run folder.

    Attributes:
        code: V1 damaged or changed manifest, V2 file missing, V3 file changed, V4 file unknown, V5 schema broken,
            V6 stage out of date with what it read, V7 table or column that no stage declares.
    """

    code: str
    path: str
    message: str


@dataclass(frozen=True)
class Verification:
    """Outcome of checking a run folder."""

    stages: list[str]
    files: int
    problems: list[Problem]


def verify_run(run: Path, stages: Sequence[str]) -> Verification:
    """Check every stage of a run folder.

    Raises:
        ArtifactError: There is nothing to check.
    """
    if not run.is_dir():
        raise ArtifactError(f"{run} is no folder", "Give a run folder, such as runs/demo.")
    problems: list[Problem] = []
    manifests: dict[str, Manifest] = {}
    for stage in stages:
        try:
            manifest = read_manifest(run / stage)
        except ArtifactError as error:
            problems.append(Problem("V1", f"{stage}/{MANIFEST}", error.message))
            continue
        if manifest is not None:
            manifests[stage] = manifest
    if not manifests and not problems:
        raise ArtifactError(f"{run} holds no finished stage", "Give a run folder, such as runs/demo.")
    files = 0
    for stage, manifest in manifests.items():
        files += len(manifest.outputs)
        if manifest.fingerprint != fingerprint(stage, manifest.algorithm_version, manifest.config, manifest.inputs):
            message = "its fingerprint is not that of its stage, version, settings and inputs: it was changed"
            problems.append(Problem("V1", f"{stage}/{MANIFEST}", message))
        problems += _file_problems(run, stage, manifest)
        problems += [
            Problem("V6", stage, f"it was made from another result of {name}; run it again")
            for name in outdated(manifest, manifests)
        ]
    return Verification(list(manifests), files, problems)


def outdated(manifest: Manifest, others: Mapping[str, Manifest]) -> list[str]:
    """Return the stages of which a stage read another result than the one that is there now, by name or by reference.

    Args:
        manifest: Of the stage.
        others: Of the stages that are there, by name.
    """
    named = [name for name, value in manifest.inputs.items() if name in others and others[name].fingerprint != value]
    return list(dict.fromkeys([*named, *outdated_references(manifest, others)]))


def _file_problems(run: Path, stage: str, manifest: Manifest) -> list[Problem]:
    problems = []
    folder = run / stage
    for name, output in manifest.outputs.items():
        path, shown = folder / name, f"{stage}/{name}"
        if not path.is_file():
            problems.append(Problem("V2", shown, "missing"))
        elif sha256_of_file(path) != output.sha256:
            problems.append(Problem("V3", shown, "its content is not what was written"))
        elif path.suffix == ".parquet" and path.parent == folder:
            problems += _table_problems(path, stage, output.rows)
    known = {*manifest.outputs, MANIFEST, RUN_RECORD}
    problems += [
        Problem("V4", f"{stage}/{path.relative_to(folder).as_posix()}", "not in the manifest")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).as_posix() not in known
    ]
    return problems


def _table_problems(path: Path, stage: str, rows: int | None) -> list[Problem]:
    shown = f"{stage}/{path.name}"
    declared = tables_of(stage).get(path.stem)
    if declared is None:
        return [Problem("V7", shown, f"{stage} declares no such table")]
    try:
        found = pq.read_metadata(path)
        schema = found.schema.to_arrow_schema()
    except (OSError, pa.ArrowException) as error:
        return [Problem("V5", shown, f"no readable Parquet: {error}")]
    problems = [
        Problem("V5", shown, f"column {field.name!r} is missing or of another type than {field.type}")
        for field in declared.schema
        if field.name not in schema.names or schema.field(field.name).type != field.type
    ]
    problems += [
        Problem("V7", shown, f"{stage} declares no column {name!r} of it")
        for name in schema.names
        if name not in declared.schema.names
    ]
    if rows is not None and found.num_rows != rows:
        problems.append(Problem("V5", shown, f"{found.num_rows} rows instead of {rows}"))
    return problems
