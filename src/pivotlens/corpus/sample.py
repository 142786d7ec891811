"""Drawing text: pieces of documents of every language by seeded hash, whatever the order of shards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pivotlens.corpus.hashes import unit_hashes
from pivotlens.corpus.packing import Arrays, pack_strings, read_arrays, unpack_strings, write_arrays
from pivotlens.corpus.problems import BadRows
from pivotlens.corpus.shards import PartStore, Shard
from pivotlens.corpus.units import UnitPlan, unit_batches


@dataclass(frozen=True, order=True)
class Piece:
    """The beginning of a piece of a document; pieces are ordered by their hash.

    Attributes:
        hash: Seeded; follows from file, row and unit alone.
        file: Name of its file within the corpus.
        row: Row of its document.
        unit: Number of the piece in its document.
        text: As many characters of it as were asked for.
    """

    hash: int
    file: str
    row: int
    unit: int
    text: str

    @property
    def document(self) -> tuple[str, int]:
        """File and row."""
        return self.file, self.row


def _smallest(pieces: Mapping[str, list[Piece]], most: int) -> dict[str, list[Piece]]:
    """Return only the pieces of the smallest hashes, so many a language."""
    return {language: sorted(drawn)[:most] for language, drawn in pieces.items()}


@dataclass(frozen=True)
class SamplePass:
    """Draws pieces from a shard; its part is their columns as arrays, with the bad rows.

    Attributes:
        plan: How the corpus is read and cut.
        most: Pieces kept a language.
        characters: Kept of each piece.
        seed: Of the hashes.
        purpose: Samples for different purposes are independent.
    """

    plan: UnitPlan
    most: int
    characters: int
    seed: int
    purpose: str

    def __call__(self, shard: Shard, part: Path) -> None:
        """Write the part of a shard."""
        found: dict[str, list[Piece]] = {}
        bad, name = BadRows(), shard.file.name
        for batch in unit_batches(shard, self.plan):
            bad.extend(batch.bad)
            hashes = unit_hashes(name, batch.rows, batch.units, self.seed, self.purpose)
            for index, text in enumerate(batch.texts):
                if beginning := text[: self.characters].strip().replace("\0", " "):
                    piece = Piece(int(hashes[index]), name, int(batch.rows[index]), int(batch.units[index]), beginning)
                    found.setdefault(batch.languages[index], []).append(piece)
            found = _smallest(found, self.most)
        drawn = [(language, piece) for language in sorted(found) for piece in found[language]]
        arrays: Arrays = {
            "hash": np.array([piece.hash for _, piece in drawn], dtype=np.uint64),
            "row": np.array([piece.row for _, piece in drawn], dtype=np.int64),
            "unit": np.array([piece.unit for _, piece in drawn], dtype=np.int64),
            "text": pack_strings([piece.text for _, piece in drawn]),
            "language": pack_strings([language for language, _ in drawn]),
        }
        write_arrays(part, arrays | bad.to_arrays())


def merged_sample(shards: Sequence[Shard], parts: PartStore, most: int) -> dict[str, list[Piece]]:
    """Return what was drawn from all shards, by language, the same whatever their order."""
    merged: dict[str, list[Piece]] = {}
    for shard in shards:
        arrays = read_arrays(parts.path(shard))
        columns = (arrays["hash"].tolist(), arrays["row"].tolist(), arrays["unit"].tolist())
        texts, languages = unpack_strings(arrays["text"]), unpack_strings(arrays["language"])
        for number, row, unit, text, language in zip(*columns, texts, languages, strict=True):
            merged.setdefault(language, []).append(Piece(number, shard.file.name, row, unit, text))
    return _smallest({language: merged[language] for language in sorted(merged)}, most)
