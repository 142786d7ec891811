"""Drawing text for the lens: documents of every language by seeded hash, held-out ones apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pivotlens.corpus import BadRows, PartStore, Shard, UnitPlan, unit_batches, unit_hashes
from pivotlens.corpus.packing import Arrays, pack_strings, read_arrays, unpack_strings, write_arrays


@dataclass(frozen=True, order=True)
class Piece:
    """The beginning of a piece of a document; pieces are ordered by their hash.

    Attributes:
        hash: Seeded; follows from file, row and unit alone.
        file: Name of its file within the corpus.
        row: Row of its document.
        unit: Number of the piece in its document.
        text: As many characters of it as a sequence can need.
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
    """

    plan: UnitPlan
    most: int
    characters: int
    seed: int

    def __call__(self, shard: Shard, part: Path) -> None:
        """Write the part of a shard."""
        found: dict[str, list[Piece]] = {}
        bad, name = BadRows(), shard.file.name
        for batch in unit_batches(shard, self.plan):
            bad.extend(batch.bad)
            hashes = unit_hashes(name, batch.rows, batch.units, self.seed, "lens")
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


def held_out_apart(pieces: dict[str, list[Piece]], held_out: int) -> tuple[list[Piece], dict[str, list[Piece]]]:
    """Set documents apart.

    Args:
        pieces: By language, in order of their hashes.
        held_out: Documents to set apart, equally many of every language as far as they go, but at most half of a
            language's.

    Returns:
        One piece of each held-out document, and by language the pieces of all other documents with other texts.
    """
    documents = {language: _first_of_each_document(drawn) for language, drawn in pieces.items()}
    apart: list[Piece] = []
    for turn in range(max((len(drawn) for drawn in documents.values()), default=0)):
        for drawn in documents.values():
            if turn < len(drawn) // 2 and len(apart) < held_out:
                apart.append(drawn[turn])
    kept_apart, texts = {piece.document for piece in apart}, {piece.text for piece in apart}
    rest = {
        language: [piece for piece in drawn if piece.document not in kept_apart and piece.text not in texts]
        for language, drawn in pieces.items()
    }
    return apart, rest


def _first_of_each_document(drawn: Sequence[Piece]) -> list[Piece]:
    first: dict[tuple[str, int], Piece] = {}
    for piece in drawn:
        first.setdefault(piece.document, piece)
    return list(first.values())


def in_turn(pieces: dict[str, list[Piece]]) -> list[Piece]:
    """Return the pieces, one of each language in turn as long as it has any."""
    longest = max((len(drawn) for drawn in pieces.values()), default=0)
    return [drawn[turn] for turn in range(longest) for drawn in pieces.values() if turn < len(drawn)]
