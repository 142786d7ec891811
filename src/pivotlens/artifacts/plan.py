"""The plan of a stage: what its result follows from, and why it must run; reads, and writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from pivotlens.artifacts.fingerprint import fingerprint
from pivotlens.artifacts.manifest import Manifest, read_manifest
from pivotlens.artifacts.references import RunFolder
from pivotlens.settings import StageConfig

C = TypeVar("C", bound=StageConfig)
S = TypeVar("S", bound="Source")


@runtime_checkable
class Source(Protocol):
    """Something outside the stage's own settings that it reads, such as a corpus that was listed."""

    @property
    def fingerprint(self) -> str:
        """What stands for its content."""

    @property
    def provisional(self) -> bool:
        """Whether a stage of the planned chain is still to make it."""


@dataclass(frozen=True)
class Plan(Generic[C]):
    """A stage as it would run in a run folder; made once and handed on to whatever runs it.

    Attributes:
        run: The run folder.
        config: The stage's settings.
        version: Of the stage's algorithm.
        inputs: Fingerprint of each input by name.
        sources: Those of the inputs that were opened to plan with, by name: what was found is what is read.
        origins: Where each setting that is not a default came from.
        fingerprint: Of the result it has or will have.
        reason: Why it must run; None where its result is there and fits.
        differing: In which settings a finished result differs from what is asked for now. A result of other inputs
            or of an older version is out of date, and no other result.
    """

    run: Path
    config: C
    version: int
    inputs: Mapping[str, str]
    sources: Mapping[str, Source]
    origins: Mapping[str, str]
    fingerprint: str
    reason: str | None
    differing: tuple[str, ...]

    @property
    def stage(self) -> str:
        """Name of the stage."""
        return self.config.stage

    @property
    def near(self) -> RunFolder:
        """Where references to what other stages made lead."""
        return RunFolder(self.run, reader=self.stage)

    @property
    def folder(self) -> Path:
        """Where the result is put."""
        return self.run / self.stage

    @property
    def work_folder(self) -> Path:
        """Where its parts are kept: of this fingerprint alone."""
        return _work_folder(self.run, self.stage, self.fingerprint)

    def fits(self, finished: Mapping[str, str]) -> bool:
        """Tell whether the plan still holds now that stages it was made before have finished.

        Args:
            finished: Their fingerprints by name.
        """
        made = any(source.provisional for source in self.sources.values())
        return not made and all(self.inputs.get(name, value) == value for name, value in finished.items())

    def source(self, name: str, kind: type[S]) -> S:
        """Return an input as it was opened to plan with."""
        found = self.sources[name]
        if not isinstance(found, kind):
            raise TypeError(f"input {name!r} of {self.stage} is a {type(found).__name__}, no {kind.__name__}")
        return found


def make_plan(
    run: Path | str,
    config: C,
    *,
    version: int,
    inputs: Mapping[str, str | Source],
    origins: Mapping[str, str] | None = None,
) -> Plan[C]:
    """Plan a stage; computes and writes nothing.

    Args:
        run: The run folder.
        config: The stage's settings.
        version: The stage's algorithm version.
        inputs: Each input by name: its fingerprint, or what was opened and has one.
        origins: Where each setting that is not a default came from.

    Raises:
        ArtifactError: The manifest of the finished result is damaged.
    """
    folder = Path(run)
    fingerprints = {name: value if isinstance(value, str) else value.fingerprint for name, value in inputs.items()}
    found = fingerprint(config.stage, version, config.meaning(), fingerprints)
    manifest = read_manifest(folder / config.stage)
    if manifest is None:
        interrupted = (_work_folder(folder, config.stage, found) / "parts").exists()
        reason: str | None = "finished parts of an interrupted run go on" if interrupted else "no result yet"
    elif manifest.fingerprint != found:
        reason = _difference(manifest, config, version, fingerprints)
    else:
        reason = _damage(folder / config.stage, manifest)
    return Plan(
        run=folder,
        config=config,
        version=version,
        inputs=fingerprints,
        sources={name: value for name, value in inputs.items() if not isinstance(value, str)},
        origins=dict(origins or {}),
        fingerprint=found,
        reason=reason,
        differing=() if manifest is None else tuple(_changed(config, {**config.meaning(), **manifest.config})),
    )


def _work_folder(run: Path, stage: str, found: str) -> Path:
    return run / ".work" / f"{stage}-{found[:16]}"


def _changed(config: StageConfig, old: Mapping[str, Any]) -> list[str]:
    return [f"{key}: {old.get(key)!r} → {value!r}" for key, value in config.meaning().items() if old.get(key) != value]


def _difference(manifest: Manifest, config: StageConfig, version: int, inputs: Mapping[str, str]) -> str:
    if manifest.algorithm_version != version:
        return f"algorithm version {manifest.algorithm_version} → {version}"
    changed = _changed(config, manifest.config)
    changed += [f"{key} is no setting any more" for key in manifest.config if key not in config.meaning()]
    changed += [f"input {name} changed" for name, value in inputs.items() if manifest.inputs.get(name) != value]
    changed += [f"input {name} is gone" for name in manifest.inputs if name not in inputs]
    return "; ".join(changed) or "settings changed"


def _damage(folder: Path, manifest: Manifest) -> str | None:
    for name, output in manifest.outputs.items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != output.bytes:
            return f"{manifest.stage}/{name} is missing or was changed"
    return None
