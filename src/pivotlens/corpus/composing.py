"""Finding out, line by line, what units are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pivotlens.arrays import Bytes, Integers
from pivotlens.corpus.composition import DOCUMENT_TYPES, Composition, Identified
from pivotlens.corpus.composition_kernels import ENOUGH, compose, middles_of, sides_of, sure_languages
from pivotlens.text.identification import LineIdentifier, line_identifier
from pivotlens.text.line_kernels import OTHER

_LINE_FEED, _TAB = 10, 9
# A line below this probability is looked at half by half: languages may change within it.
_MIXED_BELOW = 0.9
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
    halves = np.flatnonzero((evidence.characters[:, OTHER] >= 2 * ENOUGH) & (probability < _MIXED_BELOW))
    if halves.size:
        middles = middles_of(lines.text, lines.starts[halves], lines.ends[halves])
        starts = np.stack([lines.starts[halves], middles], axis=1).ravel()
        ends = np.stack([middles, lines.ends[halves]], axis=1).ravel()
        of_halves = tuple(identifier.read(lines.text, starts, ends))
        halved = sure_languages(of_halves, np.repeat(lines.units[halves], 2), of_units, alone, tree)[0].reshape(-1, 2)
        mixed = (halved >= 0).all(axis=1) & (halved[:, 0] != halved[:, 1])
        first[halves[mixed]], second[halves[mixed]] = halved[mixed, 0], halved[mixed, 1]
    sides = sides_of(lines.text, lines.starts, lines.ends, lines.units, evidence.characters)
    apart = (languages.label_of, languages.only_by_label, languages.close, (english, chinese, japanese))
    cells, types = compose((first, second), sides, (lines.offsets, of_units), tuple(evidence), apart, tree)
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
