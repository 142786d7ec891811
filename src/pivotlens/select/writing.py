"""The pass over one shard that writes the chosen units."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import orjson
import zstandard

from pivotlens.arrays import Booleans
from pivotlens.artifacts.files import atomic_path, write_bytes
from pivotlens.artifacts.fingerprint import sha256_of_file
from pivotlens.artifacts.manifest import Output
from pivotlens.corpus import PartStore, Shard, UnitPlan, unit_batches
from pivotlens.corpus.composition import DOCUMENT_TYPES
from pivotlens.corpus.packing import pack_strings, read_arrays, unpack_strings, write_arrays
from pivotlens.select.scored_corpus import Names
from pivotlens.select.units import ScoredUnits

_COMPRESSION_LEVEL = 10
_NUMBERS = ("n_tokens", "n_pivots", "n_words", "n_bridges", "share", "excess", "bridge")
_EXAMPLES = 2
_EXAMPLE_CHARACTERS = 300


def keep_chosen(path: Path, units: ScoredUnits, chosen: Booleans, codes: Names) -> None:
    """Keep for `WritePass` which units of a shard are in which arm, with what their documents tell of them.

    Args:
        path: Where to.
        units: The units of the shard.
        chosen: Which of them are in each arm, shape ``(arms, units)``.
        codes: Numbers of languages.
    """
    numbers = np.flatnonzero(chosen.any(axis=0))
    taken = units[numbers]
    arrays = {name: getattr(taken, name) for name in ("language", "document_type", *_NUMBERS)}
    arrays |= {"number": numbers, "arms": chosen[:, numbers], "order": taken.hashes(0, "examples")}
    write_arrays(path, arrays | {"codes": pack_strings(codes.names)})


@dataclass(frozen=True)
class Example:
    """A unit of an arm that the data card shows."""

    order: int
    arm: str
    language: str
    file: str
    row: int
    unit: int
    text: str


@dataclass(frozen=True)
class WritePass:
    """Writes the chosen units of a shard as JSON lines, a file an arm; its part tells what each file holds.

    Attributes:
        plan: How the corpus is read.
        arms: The arms.
        chosen: What `keep_chosen` kept of each shard.
    """

    plan: UnitPlan
    arms: tuple[str, ...]
    chosen: PartStore

    def __call__(self, shard: Shard, part: Path) -> None:
        """Write the documents of a shard, and its part when they are there."""
        in_arm = read_arrays(self.chosen.path(shard), ["arms"])["arms"].astype(bool)
        holding = np.flatnonzero(in_arm.any(axis=1)).tolist()
        examples: dict[tuple[str, str], list[Example]] = {}
        with ExitStack() as stack:
            files = {arm: stack.enter_context(_compressed(documents_path(part, self.arms[arm]))) for arm in holding}
            for place, order, document in self._documents(shard):
                line = orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
                for arm in np.flatnonzero(in_arm[:, place]).tolist():
                    files[arm].write(line)
                    _keep(examples, order, self.arms[arm], document)
        outputs = {}
        for arm in holding:
            path = documents_path(part, self.arms[arm])
            rows = int(in_arm[arm].sum())
            output = Output(bytes=path.stat().st_size, sha256=sha256_of_file(path), rows=rows)
            outputs[self.arms[arm]] = output.model_dump()
        kept = [vars(example) for of_language in examples.values() for example in of_language]
        write_bytes(part, orjson.dumps({"outputs": outputs, "examples": kept}))

    def _documents(self, shard: Shard) -> Iterator[tuple[int, int, dict[str, Any]]]:
        """Yield the place of each chosen unit among those chosen, its hash for examples, and its document."""
        kept = read_arrays(self.chosen.path(shard))
        codes = unpack_strings(kept["codes"])
        numbers = kept["number"].astype(np.int64)
        columns = {name: kept[name].tolist() for name in (*_NUMBERS, "order", "language", "document_type")}
        first, place, name = 0, 0, shard.file.name
        for batch in unit_batches(shard, self.plan):
            end = int(np.searchsorted(numbers, first + len(batch.texts)))
            for at in range(place, end):
                offset = int(numbers[at]) - first
                row, unit = int(batch.rows[offset]), int(batch.units[offset])
                document = {
                    "id": f"{name}:{row}:{unit}",
                    "text": batch.texts[offset],
                    "language": codes[columns["language"][at]],
                    "label": batch.labels[offset],
                    "document_type": DOCUMENT_TYPES[columns["document_type"][at]],
                    "group": batch.groups[offset],
                    "source": batch.sources[offset],
                    "file": name,
                    "row": row,
                    "unit": unit,
                }
                yield at, columns["order"][at], document | {number: columns[number][at] for number in _NUMBERS}
            first, place = first + len(batch.texts), end
            if place == numbers.size:
                return


def _keep(examples: dict[tuple[str, str], list[Example]], order: int, arm: str, document: dict[str, Any]) -> None:
    of_language = examples.setdefault((arm, document["language"]), [])
    if len(of_language) < _EXAMPLES or order < of_language[-1].order:
        text = document["text"][:_EXAMPLE_CHARACTERS]
        place = document["file"], document["row"], document["unit"]
        of_language.append(Example(order, arm, document["language"], *place, text))
        of_language.sort(key=lambda example: example.order)
        del of_language[_EXAMPLES:]


def merged_examples(parts: list[Path]) -> list[dict[str, Any]]:
    """Return the rows of the table ``examples`` from the parts of `WritePass`: the same however the corpus was cut."""
    by_arm: dict[tuple[str, str], list[Example]] = {}
    for part in parts:
        for found in orjson.loads(part.read_bytes())["examples"]:
            by_arm.setdefault((found["arm"], found["language"]), []).append(Example(**found))
    return [
        {name: value for name, value in vars(example).items() if name != "order"}
        for _, examples in sorted(by_arm.items())
        for example in sorted(examples, key=lambda example: (example.order, example.file))[:_EXAMPLES]
    ]


def documents_path(part: Path, arm: str) -> Path:
    """Return where the documents of an arm lie beside the part of `WritePass`."""
    return part.with_suffix(f".{arm}.jsonl.zst")


def written(part: Path) -> dict[str, Output]:
    """Return what a part of `WritePass` tells of the documents of each arm that has any."""
    outputs = orjson.loads(part.read_bytes())["outputs"]
    return {arm: Output.model_validate(output) for arm, output in outputs.items()}


@contextmanager
def _compressed(path: Path) -> Iterator[IO[bytes]]:
    compressor = zstandard.ZstdCompressor(level=_COMPRESSION_LEVEL, write_checksum=True)
    with (
        atomic_path(path) as temporary,
        temporary.open("wb") as file,
        compressor.stream_writer(file, closefd=False) as writer,
    ):
        yield writer


def no_documents() -> bytes:
    """Return the content of the one file of an arm that holds nothing."""
    return zstandard.ZstdCompressor(level=_COMPRESSION_LEVEL, write_checksum=True).compress(b"")
