"""References: a model or corpus named as what a stage of a run made."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pivotlens.artifacts.files import PARQUET, SUFFIXES, expanded
from pivotlens.artifacts.fingerprint import canonical_json, files_fingerprint
from pivotlens.artifacts.manifest import Manifest, Output, read_manifest
from pivotlens.artifacts.tables import TABLES
from pivotlens.errors import ArtifactError, ConfigError, PrerequisiteError, closest, did_you_mean

_PREFIX = "run:"
_STAGES = {name.partition("/")[0] for name in TABLES}
_REFERENCE = re.compile(r"run:(?:(?P<run>.+):)?(?P<stage>[a-z_]+)/(?P<arm>[^/:@]+)(?:@(?P<step>[^/:@]+))?")
_NAMED = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9_.-]*=)?(run:.*)")
"""A setting that is a reference, or gives it a name as in ``arms``."""


@dataclass(frozen=True)
class Reference:
    """What ``run:STAGE/ARM``, ``run:STAGE/ARM@STEP`` or ``run:FOLDER:STAGE/ARM`` names.

    Attributes:
        run: Another run folder, or None for the one that reads.
        stage: The stage that made it.
        place: Folder within that stage's: ``ARM`` or ``ARM/STEP``.
    """

    run: Path | None
    stage: str
    place: str


def parse_reference(spec: str) -> Reference | None:
    """Return what a spec refers to, or None where it is no reference.

    Raises:
        ConfigError: It begins like one and is none.
    """
    if not spec.startswith(_PREFIX):
        return None
    found = _REFERENCE.fullmatch(spec)
    if found is None or found["arm"] in (".", "..") or found["step"] in (".", ".."):
        raise ConfigError(
            f"{spec!r} names nothing that a stage made",
            "Write run:STAGE/ARM such as run:select/top, run:STAGE/ARM@STEP, or run:FOLDER:STAGE/ARM for another run.",
        )
    run = expanded(found["run"]) if found["run"] else None
    return Reference(run, found["stage"], "/".join(filter(None, (found["arm"], found["step"]))))


@dataclass(frozen=True)
class Made:
    """What a reference leads to.

    Attributes:
        folder: Where it lies.
        files: What the stage's manifest says of each file, by its name within the folder.
        fingerprint: Of the contents of all of them; of the plan where they are not made yet.
        revision: Fingerprint of the stage's result.
        provisional: Whether it is still to be made, so that its fingerprint will be another.
    """

    folder: Path
    files: Mapping[str, Output]
    fingerprint: str
    revision: str
    provisional: bool = False

    def check(self, name: str) -> Path:
        """Return the path of a file.

        Raises:
            ArtifactError: It is missing or of another size than the stage left it.
        """
        path = self.folder / name
        if not path.is_file() or path.stat().st_size != self.files[name].bytes:
            raise ArtifactError(
                f"{path} is missing or was changed since its stage made it",
                "Run that stage again; `pivotlens verify` names every such file.",
            )
        return path


@dataclass(frozen=True)
class RunFolder:
    """The run folder that reads: references without a folder of their own lead into it.

    Attributes:
        path: The folder.
        planned: Fingerprints that its stages will have, when a whole chain is planned.
        reader: The stage that reads.
    """

    path: Path
    planned: Mapping[str, str] = field(default_factory=dict)
    reader: str = ""

    def made(self, spec: str) -> Made | None:
        """Return what a spec refers to, or None where it is no reference.

        Raises:
            ConfigError: It begins like a reference and is none, or names what the stage that reads has made, or what
                was made from that.
            PrerequisiteError: That stage has not run, or made no such thing.
            ArtifactError: Its manifest is damaged.
        """
        reference = parse_reference(spec)
        if reference is None:
            return None
        run = self.path if reference.run is None else reference.run
        another = "Choose another --run folder and name this one as run:FOLDER:STAGE/ARM."
        own = run.resolve() == self.path.resolve()
        if own and reference.stage == self.reader:
            raise ConfigError(f"{self.reader} cannot read {spec!r}: that is its own result, which it replaces", another)
        folder = run / reference.stage
        manifest = read_manifest(folder)
        if own and manifest is not None and _follows_from(run, manifest, self.reader):
            raise ConfigError(
                f"{self.reader} cannot read {spec!r}: {reference.stage} was made from the result of {self.reader}, and "
                "each of them would put the other out of date",
                another,
            )
        planned = self.planned.get(reference.stage) if reference.run is None else None
        if planned is not None and (manifest is None or manifest.fingerprint != planned):
            value = _sha256([planned, reference.place])
            return Made(folder / reference.place, {}, value, planned, provisional=True)
        if manifest is None:
            raise PrerequisiteError(
                f"{spec!r} needs the result of {reference.stage!r}, which is not in {run}",
                f"{_like(reference.stage)}Run `pivotlens {reference.stage} --run {run}` first, or name another run: "
                "run:FOLDER:STAGE/ARM.",
            )
        place, files = _files_at(manifest, reference.place)
        if not files:
            made = sorted({name.rpartition("/")[0].replace("/", "@") for name in manifest.outputs if "/" in name})
            raise PrerequisiteError(
                f"{reference.stage} in {run} made no {reference.place.replace('/', '@')!r}",
                did_you_mean(reference.place.replace("/", "@"), made)
                if made
                else "It makes no documents and no models that can be named so; run:select/top are documents.",
            )
        return Made(folder / place, files, _content(files), manifest.fingerprint)


def near_references(config: Mapping[str, Any]) -> Iterator[tuple[str, Reference]]:
    """Yield every reference into a stage's own run folder that its settings hold, with the setting's name."""
    for name, value in config.items():
        for text in value if isinstance(value, list | tuple) else (value,):
            found = _NAMED.fullmatch(text) if isinstance(text, str) else None
            try:
                reference = parse_reference(found[1]) if found else None
            except ConfigError:  # text that only begins like one, such as a title
                continue
            if reference is not None and reference.run is None:
                yield name, reference


def outdated_references(manifest: Manifest, others: Mapping[str, Manifest]) -> list[str]:
    """Return the stages whose models or documents a stage read by reference and that hold others now.

    Args:
        manifest: Of the stage that read.
        others: Of the stages of its run folder, by name.
    """
    found: dict[str, None] = {}
    for name, reference in near_references(manifest.config):
        alone = isinstance(manifest.config[name], str)
        if reference.stage not in others or (alone and name not in manifest.inputs):
            continue  # a model of ablate is no input: it only has to be that of trace
        read = {manifest.inputs[name]} if alone else set(manifest.inputs.values())
        _, files = _files_at(others[reference.stage], reference.place)
        documents = {file: (files[file].bytes, files[file].sha256) for file in document_names(files)}
        # What stands for it among the inputs: a model is all of its files, a corpus its documents, a tokenizer one.
        now = {_content(files), files_fingerprint(documents)}
        if name == "tokenizer" and "tokenizer.json" in files:
            now.add(files["tokenizer.json"].sha256)
        if not now & read:
            found[reference.stage] = None
    return list(found)


def document_names(files: Mapping[str, Output]) -> list[str]:
    """Return which of the files that a stage made are documents; those there in both kinds are read once, as lines."""
    names = [name for name in files if name.endswith(SUFFIXES)]
    return [name for name in names if not name.endswith(PARQUET)] or names


def _files_at(manifest: Manifest, place: str) -> tuple[str, dict[str, Output]]:
    """Return the files that a stage made at a place, and the place: of an arm with checkpoints that of its last one."""
    below = f"{place}/"
    files = {name.removeprefix(below): output for name, output in manifest.outputs.items() if name.startswith(below)}
    last = _last_step(files)
    return _files_at(manifest, f"{place}/{last}") if last else (place, files)


def _last_step(files: Iterable[str]) -> str:
    """Return the folder of the last step where all files stand in such; else nothing."""
    steps = {name.partition("/")[0] for name in files}
    numbers = {step: int(found[1]) for step in steps if (found := re.fullmatch(r"step-(\d+)", step))}
    return max(steps, key=numbers.__getitem__) if steps and len(numbers) == len(steps) else ""


def _content(files: Mapping[str, Output]) -> str:
    return _sha256([[name, output.sha256] for name, output in sorted(files.items())])


def _follows_from(run: Path, manifest: Manifest, stage: str) -> bool:
    """Tell whether a result was made from that of a stage, through however many others of the run folder."""
    if stage in manifest.inputs:
        return True
    read = (read_manifest(run / name) for name in manifest.inputs if name in _STAGES)
    return any(_follows_from(run, other, stage) for other in read if other is not None)


def _like(stage: str) -> str:
    """Return the question whether another stage is meant, where there is none of that name and one like it."""
    like = () if stage in _STAGES else closest(stage, _STAGES)
    return f"Did you mean {like[0]!r}? " if like else ""


def _sha256(content: object) -> str:
    return hashlib.sha256(canonical_json(content)).hexdigest()
