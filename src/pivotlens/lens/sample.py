"""Drawing text for the lens: documents of every language by seeded hash, held-out ones apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pivotlens.corpus import BadRows, CorpusFile, UnitPlan, unit_batches, unit_hashes
from pivotlens.corpus.packing import Arrays, pack_arrays, pack_strings, unpack_arrays, unpack_strings


@dataclass(frozen=True, order=True)
class Piece:
    """The beginning of a piece of a document; pieces are ordered by their hash.

    Attributes:
        hash: Seeded; follows from file, row and part alone.
        file: Name of its file within the corpus.
        row: Row of its document.
        part: Number of the piece in its document.
        text: As many characters of it as a sequence can need.
    """

    hash: int
    file: str
    row: int
    part: int
    text: str

    @property
    def document(self) -> tuple[str, int]:
        """File and row."""
        return self.file, self.row


@dataclass
class FileSample:
    """What was drawn from files.

    Attributes:
        pieces: By language.
        documents: Readable documents.
        bad: Rows that cannot be read.
    """

    pieces: dict[str, list[Piece]] = field(default_factory=dict)
    documents: int = 0
    bad: BadRows = field(default_factory=BadRows)

    def keep(self, most: int) -> None:
        """Keep only the pieces of the smallest hashes, so many a language."""
        self.pieces = {language: sorted(pieces)[:most] for language, pieces in self.pieces.items()}


@dataclass(frozen=True)
class SamplePass:
    """Draws pieces from a file; its part is a `FileSample` as arrays.

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

    def __call__(self, file: CorpusFile) -> bytes:
        """Return the part of a file."""
        found = FileSample()
        for batch in unit_batches(file, self.plan):
            found.documents += batch.documents.total()
            found.bad.add(batch.bad, batch.bad.count)
            hashes = unit_hashes(file.name, batch.rows, batch.parts, self.seed, "lens")
            for index, text in enumerate(batch.texts):
                if beginning := text[: self.characters].strip().replace("\0", " "):
                    piece = Piece(
                        int(hashes[index]), file.name, int(batch.rows[index]), int(batch.parts[index]), beginning
                    )
                    found.pieces.setdefault(batch.languages[index], []).append(piece)
            found.keep(self.most)
        drawn = [(language, piece) for language in sorted(found.pieces) for piece in found.pieces[language]]
        arrays: Arrays = {
            "hash": np.array([piece.hash for _, piece in drawn], dtype=np.uint64),
            "row": np.array([piece.row for _, piece in drawn], dtype=np.int64),
            "part": np.array([piece.part for _, piece in drawn], dtype=np.int64),
            "text": pack_strings([piece.text for _, piece in drawn]),
            "language": pack_strings([language for language, _ in drawn]),
            "documents": np.array(found.documents, dtype=np.int64),
        }
        return pack_arrays(arrays | found.bad.to_arrays())


def merged_sample(files: Sequence[CorpusFile], parts: Sequence[Path], most: int) -> FileSample:
    """Return what was drawn from all files, the same whatever their order."""
    merged = FileSample()
    for file, path in zip(files, parts, strict=True):
        arrays = unpack_arrays(path)
        merged.documents += int(arrays["documents"])
        merged.bad.add_part(file, arrays)
        columns = (arrays["hash"].tolist(), arrays["row"].tolist(), arrays["part"].tolist())
        texts, languages = unpack_strings(arrays["text"]), unpack_strings(arrays["language"])
        for number, row, part, text, language in zip(*columns, texts, languages, strict=True):
            merged.pieces.setdefault(language, []).append(Piece(number, file.name, row, part, text))
    merged.pieces = {language: merged.pieces[language] for language in sorted(merged.pieces)}
    merged.keep(most)
    return merged


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
