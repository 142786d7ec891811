"""The pass over one shard that writes the chosen units into fragments of the files of the arms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from pivotlens.arrays import Integers
from pivotlens.artifacts.files import write_bytes
from pivotlens.corpus import PartStore, Shard, UnitPlan, unit_batches
from pivotlens.corpus.composition import DOCUMENT_TYPES
from pivotlens.corpus.packing import pack_strings, read_arrays, unpack_strings, write_arrays
from pivotlens.corpus.writing import FragmentWriter, WritingPlan, fragment_base, writing_fragment
from pivotlens.errors import DataError
from pivotlens.models.tokenizer import load_tokenizer
from pivotlens.select.scored_corpus import Names
from pivotlens.select.units import ScoredUnits

_NUMBERS = ("n_tokens", "n_pivots", "n_words", "n_bridges", "share", "excess", "bridge")
DOCUMENT_COLUMNS = pa.schema(
    [
        *(
            (name, pa.string())
            for name in ("id", "text", "language", "label", "document_type", "group", "source", "file")
        ),
        *((name, pa.int64()) for name in ("row", "unit", *_NUMBERS[:4])),
        *((name, pa.float64()) for name in _NUMBERS[4:]),
    ]
)
"""Columns of a document of an arm."""
_EXAMPLES = 2
_EXAMPLE_CHARACTERS = 300


def keep_chosen(path: Path, units: ScoredUnits, placed: Integers, codes: Names) -> None:
    """Keep for `WritePass` which units of a shard are in which arm, with what their documents tell of them.

    Args:
        path: Where to.
        units: The units of the shard.
        placed: In which file of each arm they are, as `ArmFiles.place` tells, shape ``(arms, units)``.
        codes: Numbers of languages.
    """
    numbers = np.flatnonzero((placed >= 0).any(axis=0))
    taken = units[numbers]
    arrays = {name: getattr(taken, name) for name in ("language", "document_type", *_NUMBERS)}
    arrays |= {"number": numbers, "files": placed[:, numbers], "order": taken.hashes(0, "examples")}
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
    """Writes the chosen units of a shard, a fragment for each file of an arm; its part holds examples of them.

    Attributes:
        plan: How the corpus is read.
        writing: What the arms are written as.
        tokenizer: Folder of the tokenizer.
        arms: The arms.
        chosen: What `keep_chosen` kept of each shard.
    """

    plan: UnitPlan
    writing: WritingPlan
    tokenizer: str
    arms: tuple[str, ...]
    chosen: PartStore

    def __call__(self, shard: Shard, part: Path) -> None:
        """Write the fragments of a shard, and its part when they are there."""
        files = read_arrays(self.chosen.path(shard), ["files"])["files"].astype(np.int64)
        examples: dict[tuple[str, str], list[Example]] = {}
        ended_within = 0
        with ExitStack() as stack:
            of_arm = [stack.enter_context(ExitStack()) for _ in self.arms]
            written: dict[int, tuple[int, FragmentWriter]] = {}
            for place, order, document, ids in self._documents(shard):
                encoded = self.writing.encoded(document, ids)
                ended_within += self.writing.coding is not None and bool((ids == self.writing.coding.end).any())
                for arm in np.flatnonzero(files[:, place] >= 0).tolist():
                    number = int(files[arm, place])
                    if arm not in written or written[arm][0] != number:
                        of_arm[arm].close()
                        fragment = writing_fragment(fragment_base(part, self.arms[arm], number), self.writing)
                        written[arm] = (number, of_arm[arm].enter_context(fragment))
                    written[arm][1].add(encoded)
                    _keep(examples, order, self.arms[arm], document)
        kept = [vars(example) for of_language in examples.values() for example in of_language]
        write_bytes(part, orjson.dumps({"ended_within": ended_within, "examples": kept}))

    def _documents(self, shard: Shard) -> Iterator[tuple[int, int, dict[str, Any], Integers]]:
        """Yield the place of each chosen unit among those chosen, its hash for examples, its document and tokens."""
        kept = read_arrays(self.chosen.path(shard))
        codes = unpack_strings(kept["codes"])
        numbers = kept["number"].astype(np.int64)
        columns = {name: kept[name].tolist() for name in (*_NUMBERS, "order", "language", "document_type")}
        first, place, name = 0, 0, shard.file.name
        for batch in unit_batches(shard, self.plan):
            end = int(np.searchsorted(numbers, first + len(batch.texts)))
            offsets = numbers[place:end] - first
            tokens = self._tokens([batch.texts[offset] for offset in offsets.tolist()])
            for at, offset, ids in zip(range(place, end), offsets.tolist(), tokens, strict=True):
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
                if self.writing.tokens and ids.size != columns["n_tokens"][at]:
                    raise DataError(
                        f"{document['id']} was cut into {columns['n_tokens'][at]:,} tokens when it was scored, and "
                        f"into {ids.size:,} now",
                        "Run it anew in another --run folder, and let the installed packages be while it runs.",
                    )
                yield at, columns["order"][at], document | {number: columns[number][at] for number in _NUMBERS}, ids
            first, place = first + len(batch.texts), end
            if place == numbers.size:
                return

    def _tokens(self, texts: Sequence[str]) -> Sequence[Integers]:
        if not self.writing.tokens:
            return [np.zeros(0, dtype=np.int64)] * len(texts)
        return load_tokenizer(self.tokenizer).encode_batch(texts)


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


def ended_within(part: Path) -> int:
    """Return how many documents hold the end-of-document token in their text, as a part of `WritePass` tells."""
    return int(orjson.loads(part.read_bytes())["ended_within"])
