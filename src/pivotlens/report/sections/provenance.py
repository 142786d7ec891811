"""What each figure follows from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pivotlens.artifacts import StageResult

SHORT = 12
_LONGEST = 160
_MOST = 40


@dataclass(frozen=True)
class StageRecord:
    """A stage: fingerprints cut to `SHORT` digits, what was passed and from where, every setting, its details."""

    stage: str
    fingerprint: str
    version: int
    settings: tuple[tuple[str, str, str], ...]
    config: tuple[tuple[str, str], ...]
    inputs: tuple[tuple[str, str], ...]
    details: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, int], ...]


def provenance(stages: Iterable[StageResult]) -> tuple[StageRecord, ...]:
    """Build the records from the manifests."""
    return tuple(_record(stage) for stage in stages)


def _record(result: StageResult) -> StageRecord:
    manifest = result.manifest
    return StageRecord(
        stage=manifest.stage,
        fingerprint=manifest.fingerprint[:SHORT],
        version=manifest.algorithm_version,
        settings=tuple(
            (name, plain(manifest.config[name]), origin)
            for name, origin in sorted(manifest.passed.items())
            if name in manifest.config
        ),
        config=tuple((name, plain(value)) for name, value in sorted(manifest.config.items())),
        inputs=tuple((name, value[:SHORT]) for name, value in sorted(manifest.inputs.items())),
        details=_first(tuple(details(manifest.details))),
        rows=tuple(
            (name.removesuffix(".parquet"), output.rows)
            for name, output in sorted(manifest.outputs.items())
            if output.rows is not None
        ),
    )


def _first(pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    more = len(pairs) - _MOST
    return (*pairs[:_MOST], ("…", f"{more} more in manifest.json")) if more > 0 else pairs


def details(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield nested details as flat names and values."""
    for key, value in sorted(values.items()):
        name = f"{prefix} {key}".strip().replace("_", " ")
        if isinstance(value, Mapping):
            yield from details(value, name)
        else:
            yield name, plain(value)


def plain(value: Any) -> str:
    """Return a setting or a detail as it would be typed, cut where it is long."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        text = ", ".join(plain(each) for each in value)
    else:
        text = "none" if value is None else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
