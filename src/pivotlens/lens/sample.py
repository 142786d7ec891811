"""Documents of every language in turn, held-out ones apart."""

from __future__ import annotations

from collections.abc import Sequence

from pivotlens.corpus.sample import Piece


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
