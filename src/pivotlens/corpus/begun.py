"""How far passes over corpora are: told by the files of a run folder alone, from any machine that sees it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from pivotlens.artifacts.files import write_bytes
from pivotlens.artifacts.manifest import MANIFEST
from pivotlens.corpus.shards import PartStore, Shard

_RECORD = ".pass.json"


def begin_pass(store: PartStore, shards: Sequence[Shard], pending: Iterable[Shard], description: str) -> None:
    """Keep beside the parts what is begun; its times are those of the files, as machines' clocks differ.

    Args:
        store: Where the parts are kept.
        shards: The corpus.
        pending: Those of its shards that are still to be done.
        description: What is being done.
    """
    told = {
        "description": description,
        "shards": len(shards),
        "bytes": sum(shard.size for shard in shards),
        "pending": {store.path(shard).name: shard.size for shard in pending},
    }
    write_bytes(store.folder / _RECORD, orjson.dumps(told))


@dataclass(frozen=True)
class PassStatus:
    """How far a pass is.

    Attributes:
        stage: Of what stage.
        description: What is being done.
        shards: How many there are.
        done: How many of them are done.
        bytes: Of all shards, about, as their files are stored.
        bytes_done: Of those that are done.
        mb_per_s: Megabytes a second from its beginning to its last part; None before the first.
        idle_seconds: Since its last part, or its beginning.
        failed: What was wrong with shards that are still to be done.
    """

    stage: str
    description: str
    shards: int
    done: int
    bytes: int
    bytes_done: int
    mb_per_s: float | None
    idle_seconds: float
    failed: list[str]


def passes_at_work(run: Path) -> list[PassStatus]:
    """Return how far each stage of a run folder is that is at work or was interrupted: its pass that began last."""
    latest: dict[str, tuple[float, Path]] = {}
    for record in (run / ".work").glob(f"**/{_RECORD}"):
        stage = re.split("[-.]", record.relative_to(run / ".work").parts[0])[0]
        began, result = _time(record), _time(run / stage / MANIFEST)
        if result is not None and began is not None and began < result:  # its parts are about to be removed
            continue
        if began is not None and began >= latest.get(stage, (0.0, record))[0]:
            latest[stage] = (began, record)
    found = (_status(stage, began, record) for stage, (began, record) in sorted(latest.items()))
    return [status for status in found if status is not None]


def _status(stage: str, began: float, record: Path) -> PassStatus | None:
    try:
        told = orjson.loads(record.read_bytes())
        names = {path.name for path in record.parent.iterdir()}
    except FileNotFoundError:  # the stage has ended in between
        return None
    pending: dict[str, int] = told["pending"]
    made = [name for name in pending if name in names]
    times = [at for name in made if (at := _time(record.parent / name)) is not None]
    last = max(times, default=began)
    left = sum(pending.values()) - (now := sum(pending[name] for name in made))
    return PassStatus(
        stage,
        told["description"],
        told["shards"],
        told["shards"] - len(pending) + len(made),
        told["bytes"],
        told["bytes"] - left,
        now / 1e6 / max(last - began, 1e-3) if made else None,
        max(0.0, time.time() - last),
        _failed(record.parent, [Path(name).stem for name in pending if name not in names]),
    )


def _failed(folder: Path, keys: Sequence[str]) -> list[str]:
    there = {path.stem: path for path in folder.glob("*.failed")}
    told = []
    for key in keys:
        if key in there:
            try:
                told.append(str(orjson.loads(there[key].read_bytes())["message"]))
            except FileNotFoundError:  # it was tried again in between
                continue
    return told


def _time(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return None
