"""Finding out, line by line, what units are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pivotlens.arrays import Bytes, Integers
from pivotlens.corpus.composition import DOCUMENT_TYPES, Composition, Identified
from pivotlens.corpus.composition_kernels import ENOUGH, compose, sides_of, sure_languages
from pivotlens.corpus.within_lines import WEIGHTS, languages_within, likely_elsewhere, pieces_of
from pivotlens.text.identification import LineIdentifier, line_identifier
from pivotlens.text.line_kernels import OTHER

_LINE_FEED, _TAB = 10, 9
# Languages may change within a long line that is so likely in the label's language or in English, where it is found in
# another one, or less likely than the second in its own: it is looked at piece by piece.
_LIKELY_ELSEWHERE, _LIKELY_MIXED = 0.002, 0.9
# Characters of another language from which on they outweigh a label.
_ENOUGH_AGAINST_THE_LABEL = 24


def by_lines(texts: Sequence[str], labels: Sequence[str]) -> Identified:
    """Find out line by line in what languages the units are (docs/method.md#composition-of-units).

    Args:
        texts: Their text.
        labels: BCP 47 codes of their documents' labels.
    """
    lines = _Lines.of(texts)
    identifier = line_identifier()
    codes = identifier.languages.codes
    known = {code: identifier.languages.number(code) for code in set(labels)}
    of_units = np.array([known[code] for code in labels], dtype=np.int64)
    cells, types = _composed(identifier, lines, of_units)
    return Identified(
        _found(cells, labels, of_units, codes),
        _composition(cells, labels, of_units, codes),
        [DOCUMENT_TYPES[number] for number in types.tolist()],
    )


class _Lines(NamedTuple):
    """The lines of units: where they begin and end in the text, the first of each unit, and the unit of each."""

    text: Bytes
    starts: Integers
    ends: Integers
    offsets: Integers
    units: Integers

    @classmethod
    def of(cls, texts: Sequence[str]) -> _Lines:
        """Cut units into lines, at line feeds and tabs."""
        encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
        text = np.frombuffer(b"\n".join([*encoded, b""]), dtype=np.uint8)
        ends = np.flatnonzero((text == _LINE_FEED) | (text == _TAB))
        starts = np.concatenate([[0], ends[:-1] + 1]) if ends.size else ends
        unit_ends = np.cumsum([len(unit) + 1 for unit in encoded], dtype=np.int64)
        offsets = np.searchsorted(starts, np.concatenate([[0], unit_ends]))
        return cls(text, starts, ends, offsets, np.repeat(np.arange(len(texts)), np.diff(offsets)))


def _composed(identifier: LineIdentifier, lines: _Lines, of_units: Integers) -> tuple[Integers, Integers]:
    """Return the characters of each unit by language, and its type as a place in `DOCUMENT_TYPES`."""
    languages, tree = identifier.languages, identifier.tables.tree
    english, chinese, japanese, korean = (languages.number(code) for code in ("en", "zh", "ja", "ko"))
    alone = (languages.of_label, languages.only_by_label, (chinese, japanese, korean))
    evidence = identifier.read(lines.text, lines.starts, lines.ends)
    first, second, probability = sure_languages(tuple(evidence), lines.units, of_units, alone, tree)
    within = np.zeros(first.size, dtype=np.int64)
    apart = (languages.label_of, languages.only_by_label, languages.close, (english, chinese, japanese))
    one_script = evidence.characters[:, :OTHER].sum(axis=1) == 0
    in_one = one_script & (probability > 1 - _LIKELY_ELSEWHERE)  # cannot be so likely in another language
    long = np.flatnonzero((evidence.characters[:, OTHER] >= 2 * ENOUGH) & ~in_one)
    elsewhere = likely_elsewhere(long, first, of_units[lines.units], tuple(evidence), apart, tree)
    long = long[(elsewhere >= _LIKELY_ELSEWHERE) | (probability[long] < _LIKELY_MIXED)]
    if long.size:
        starts, ends, of_long = pieces_of(lines.text, lines.starts[long], lines.ends[long])
        pieces = identifier.read(lines.text, starts, ends)
        in_pieces = sure_languages(tuple(pieces), lines.units[long[of_long]], of_units, alone, tree)[0]
        first[long], found, weights = languages_within(
            first[long],
            evidence.characters[long] @ WEIGHTS,
            np.stack([of_long, in_pieces]),
            pieces.characters,
            languages.close,
        )
        second[long] = np.where(found >= 0, found, second[long])
        within[long] = weights
    sides = sides_of(lines.text, lines.starts, lines.ends, lines.units, evidence.characters)
    cells, types = compose((first, second, within), sides, (lines.offsets, of_units), tuple(evidence), apart, tree)
    return cells, types


def _composition(cells: Integers, labels: Sequence[str], of_units: Integers, codes: Sequence[str]) -> Composition:
    """Return the composition; what is in the language of a unit's label has the label's code, with script and all."""
    units, columns = np.nonzero(cells)
    names = [*codes, *sorted(set(labels))]
    label_numbers = {label: number for number, label in enumerate(names[len(codes) :], start=len(codes))}
    numbers = np.array([label_numbers[label] for label in labels], dtype=np.int64)[units]
    own = (columns == of_units[units]) | (columns == len(codes))
    named = np.where(own, numbers, columns)
    used = sorted({names[number] for number in np.unique(named).tolist()})
    places = {code: place for place, code in enumerate(used)}
    renumbered = np.array([places.get(name, 0) for name in names], dtype=np.int64)[named]
    order = np.lexsort((renumbered, units))
    identified = cells.sum(axis=1)
    shares = cells[units, columns][order] / identified[units]
    offsets = np.searchsorted(units, np.arange(len(labels) + 1))
    return Composition(tuple(used), offsets, renumbered[order], shares, identified)


def _found(cells: Integers, labels: Sequence[str], of_units: Integers, codes: Sequence[str]) -> list[str]:
    own = cells[np.arange(len(labels)), of_units]  # the last column where the label's language is not known
    most = cells[:, : len(codes)].argmax(axis=1)
    much = cells[np.arange(len(labels)), most] >= _ENOUGH_AGAINST_THE_LABEL
    believed = (5 * own >= cells.sum(axis=1)) | ~much
    return [
        label if is_believed else codes[language]
        for label, is_believed, language in zip(labels, believed.tolist(), most.tolist(), strict=True)
    ]
