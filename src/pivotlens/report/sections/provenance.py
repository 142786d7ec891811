"""What each figure follows from, and the commands that make it again."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pivotlens.artifacts import StageResult
from pivotlens.artifacts.references import near_references
from pivotlens.report import blocks as b
from pivotlens.report.run_tables import RunTables, shown_stages
from pivotlens.report.sections import parts as p
from pivotlens.report.wording import plural, visible

SHORT = 16
"""Digits of a fingerprint that are shown."""
_LONGEST = 160
_MOST = 40


def provenance(run: RunTables) -> b.Section:
    """Build the section from the manifests."""
    said = p.lede(
        "Each stage is a function of its settings and inputs; equal fingerprints mean equal results. Package versions, "
        "times and machines are in each stage's `run.json`."
    )
    records = tuple(_record(stage) for stage in run.stages())
    made = (p.heading("The commands that make this again"), b.Listing("\n".join(commands(run))))
    return b.Section("provenance", "Provenance", (said, *made, b.Grid(records, "records")))


def commands(run: RunTables) -> Iterator[str]:
    """Yield the command of every stage, with the settings that are not its defaults, after all that it reads."""
    for stage in _in_order(run.stages()):
        yield f"pivotlens {stage.stage} --run RUN{''.join(_flags(stage))}"


def _in_order(stages: Iterable[StageResult]) -> Iterator[StageResult]:
    """Yield the stages in the order of work, but none before a stage that it reads, by its name or by reference."""
    waiting = sorted(stages, key=lambda stage: list(shown_stages()).index(stage.stage))
    read = {
        stage.stage: {*stage.manifest.inputs, *(one.stage for _, one in near_references(stage.manifest.config))}
        for stage in waiting
    }
    while waiting:
        names = {stage.stage for stage in waiting}
        # Manifests of a stranger may go round in a circle: then the order of work is as good as any.
        ready = next((stage for stage in waiting if not read[stage.stage] & names), waiting[0])
        waiting.remove(ready)
        yield ready


def _flags(stage: StageResult) -> Iterator[str]:
    fields = shown_stages()[stage.stage].model_fields
    for name, value in stage.manifest.config.items():
        default = fields[name].default if name in fields else None
        if value == default or (isinstance(value, list) and tuple(value) == default) or value is None:
            continue
        written = _pinned(stage) if name == "words" else value
        texts = [str(one) for one in (written if isinstance(written, list) else [written])]
        yield f" --{name.replace('_', '-')} {' '.join(map(shlex.quote, texts))}"
    if stage.stage == "bench" and stage.manifest.config.get("words") == fields["words"].default:
        yield f" --words {_pinned(stage)}"


def _pinned(stage: StageResult) -> str:
    """Return the word list with the version it had, where it is one of ours."""
    words, version = stage.manifest.config["words"], stage.manifest.details.get("word_list_version")
    return f"{words}@{version}" if version and "@" not in str(words) else str(words)


def _record(result: StageResult) -> b.Group:
    manifest, found = result.manifest, list(details(result.manifest.details))
    written = {name: visible(plain(value)) for name, value in sorted(manifest.config.items())}
    origins = [
        (name, (written[name], b.Soft(f" ({origin})")))
        for name, origin in sorted(manifest.origins.items())
        if name in written
    ]
    blocks: list[b.Block] = [b.Heading((manifest.stage, " ", b.Code(manifest.fingerprint[:SHORT])))]
    none = p.note("No setting came from a file or the command line.")
    blocks.append(_pairs(f"origins-{manifest.stage}", origins) if origins else none)
    if manifest.inputs:
        inputs = b.joined((f"{name} ", b.Code(value[:SHORT])) for name, value in sorted(manifest.inputs.items()))
        blocks.append(p.note("reads {inputs}", inputs=inputs))
    every = [*written.items(), *((name, visible(value)) for name, value in found[:_MOST])]
    if len(found) > _MOST:
        every.append(("…", f"{len(found) - _MOST} more in manifest.json"))
    every += [
        (name.removesuffix(".parquet"), plural(output.rows, "row"))
        for name, output in sorted(manifest.outputs.items())
        if output.rows is not None
    ]
    every.append(("algorithm version", str(manifest.algorithm_version)))
    blocks += p.folded("All settings, details, tables", _pairs(f"settings-{manifest.stage}", every))
    return b.Group(tuple(blocks), "record", f"Stage {manifest.stage}")


def _pairs(name: str, pairs: Sequence[tuple[str, b.Cell]]) -> b.Table:
    fields = (p.text("setting", lambda pair: pair[0]), p.text("value", lambda pair: pair[1]))
    return p.table(name, (name,), pairs, fields, unseen=True, kind="plain")


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
        written = ", ".join(plain(each) for each in value)
    else:
        written = "none" if value is None else str(value)
    return written if len(written) <= _LONGEST else written[: _LONGEST - 1] + "…"
