"""Cutting documents into units, and what is asked of them in batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, Protocol

import numpy as np
import regex

from pivotlens.arrays import Integers
from pivotlens.corpus.boilerplate import Boilerplate, DroppedLine
from pivotlens.corpus.columns import BadRow, Columns, Document
from pivotlens.corpus.composition import Composition, DocumentType, Identified, by_label
from pivotlens.corpus.documents import read_documents
from pivotlens.corpus.labels import ColumnSettings, columns_of
from pivotlens.corpus.problems import KEPT, BadRows, check_not_hopeless
from pivotlens.corpus.shards import Shard

_GRAPHEME = regex.compile(r"\X")
_SPACE = regex.compile(r"(?r)\s")
# A batch is closed at either; together they bound what a worker holds.
_BATCH_CHARACTERS = 1 << 20
_BATCH_UNITS = 1 << 14


class CorpusSettings(ColumnSettings, Protocol):
    """The settings that every stage counting over a corpus has."""

    group_column: str
    source_column: str
    identify: Literal["lines", "label"]
    boilerplate_share: float
    unit: Literal["characters", "document"]
    unit_characters: int
    max_bad_share: float
    seed: int
    limit_documents: int | None


@dataclass(frozen=True)
class UnitPlan:
    """How a corpus is read and cut.

    Attributes:
        columns: Where text, language, group and source stand.
        unit: ``characters`` cuts documents into pieces of ``unit_characters``, ``document`` does not cut.
        unit_characters: Longest unit.
        limit_documents: Most documents read a file; None reads all.
        max_bad_share: Share of unreadable rows that is borne.
        identify: ``lines`` finds out by the text what language a unit is in, ``label`` believes its document's label.
        boilerplate_share: Share of a source's documents from which on a recurring line is boilerplate; 0: none is.
        boilerplate: The lines that are left out; `open_corpus` finds them.
    """

    columns: Columns = field(default_factory=Columns)
    unit: Literal["characters", "document"] = "characters"
    unit_characters: int = 8192
    limit_documents: int | None = None
    max_bad_share: float = 0.001
    identify: Literal["lines", "label"] = "lines"
    boilerplate_share: float = 0.0
    boilerplate: Boilerplate = field(default_factory=Boilerplate)


def unit_plan(config: CorpusSettings) -> UnitPlan:
    """Return the plan that a stage's settings ask for; boilerplate is still to be found, by `open_corpus`.

    Raises:
        ConfigError: As `columns_of`.
        DataError: Likewise.
    """
    return UnitPlan(
        replace(columns_of(config), group=config.group_column, source=config.source_column),
        config.unit,
        config.unit_characters,
        config.limit_documents,
        config.max_bad_share,
        config.identify,
        config.boilerplate_share,
    )


@dataclass
class UnitBatch:
    """Units of one shard, in its order; position i of each list and array is one unit.

    What is found out by the text (`languages`, `composition`, `document_types`) is found when it is first asked for,
    so that a pass that needs none of it pays nothing.

    Attributes:
        texts: Their text, without boilerplate.
        labels: BCP 47 codes of their documents, as the corpus gives them.
        groups: Groups of their documents.
        sources: Sources of their documents.
        rows: Rows of their documents, shape ``(units,)``, int64.
        units: Number of the unit in its document, from 0, shape ``(units,)``, int64.
        documents: Documents that begin in this batch, by label.
        bad: Rows that cannot be read; named only as far as they are among the first of the shard.
        dropped: How often each line of boilerplate was left out of these documents.
        identify: As `UnitPlan.identify`.
    """

    texts: list[str]
    labels: list[str]
    groups: list[str]
    sources: list[str]
    rows: Integers
    units: Integers
    documents: Counter[str]
    bad: BadRows
    dropped: Counter[DroppedLine]
    identify: Literal["lines", "label"]

    @property
    def languages(self) -> list[str]:
        """BCP 47 codes of the languages found.

        The label's, unless less than a fifth of the unit's identified text is in it; then the language that most of it
        is in. The label where nothing could be identified, and everywhere where labels are believed.
        """
        return self._identified.languages

    @property
    def composition(self) -> Composition:
        """Shares of the identified text of each unit by language."""
        return self._identified.composition

    @property
    def document_types(self) -> list[DocumentType]:
        """What each unit is: one of `DOCUMENT_TYPES`."""
        return self._identified.document_types

    @cached_property
    def _identified(self) -> Identified:
        if self.identify == "label":
            return by_label(self.texts, self.labels)
        from pivotlens.corpus.composing import by_lines  # numba takes long to load, and plans come without

        return by_lines(self.texts, self.labels)


def split_units(text: str, unit: Literal["characters", "document"], unit_characters: int) -> list[str]:
    """Cut a text into units; joined they give the text back.

    A cut is made after the last line end that leaves at most ``unit_characters``; in a longer line after its last
    white space, without white space between two graphemes, and inside a grapheme only where one is longer than a unit.
    """
    if unit == "document" or len(text) <= unit_characters:
        return [text] if text else []
    units: list[str] = []
    start = 0
    while len(text) - start > unit_characters:
        cut = _cut(text, start, start + unit_characters)
        units.append(text[start:cut])
        start = cut
    units.append(text[start:])
    return units


def _cut(text: str, start: int, end: int) -> int:
    line = text.rfind("\n", start, end)
    if line >= 0:
        return line + 1
    for space in _SPACE.finditer(text, start, end):
        # White space begins a grapheme, so looking at it alone tells whether something attaches to it.
        if _GRAPHEME.match(text, space.start()).end() == space.end():
            return int(space.end())
    cut = start
    for grapheme in _GRAPHEME.finditer(text, start):
        if grapheme.end() > end:
            break
        cut = grapheme.end()
    return cut if cut > start else end


@dataclass
class _Units:
    """A batch that is being filled; of each unit its text, label, group, source, row and number."""

    columns: tuple[list[str], list[str], list[str], list[str], list[int], list[int]] = field(
        default_factory=lambda: ([], [], [], [], [], [])
    )
    documents: Counter[str] = field(default_factory=Counter)
    bad: BadRows = field(default_factory=BadRows)
    dropped: Counter[DroppedLine] = field(default_factory=Counter)

    @property
    def texts(self) -> list[str]:
        return self.columns[0]

    def add(self, document: Document, plan: UnitPlan) -> None:
        self.documents[document.language] += 1
        self.bad.documents += 1
        kept = plan.boilerplate.without(document, self.dropped)
        texts, labels, groups, sources, rows, units = self.columns
        for number, text in enumerate(split_units(kept, plan.unit, plan.unit_characters)):
            texts.append(text)
            labels.append(document.language)
            groups.append(document.group)
            sources.append(document.source)
            rows.append(document.row)
            units.append(number)

    def closed(self, plan: UnitPlan) -> UnitBatch:
        texts, labels, groups, sources, rows, units = self.columns
        return UnitBatch(
            texts,
            labels,
            groups,
            sources,
            np.array(rows, dtype=np.int64),
            np.array(units, dtype=np.int64),
            self.documents,
            self.bad,
            self.dropped,
            plan.identify,
        )


def unit_batches(shard: Shard, plan: UnitPlan) -> Iterator[UnitBatch]:
    """Read a shard's units in batches of bounded size; bad rows come with the batch they stand in.

    Raises:
        DataError: As `read_documents`, or most of a file's first rows cannot be read.
    """
    batch, of_shard, characters = _Units(), BadRows(), 0
    for document in read_documents(shard, plan.columns):
        if isinstance(document, BadRow):
            batch.bad.add(document, named=of_shard.count < KEPT)
            of_shard.add(document)
            if shard.start == 0:  # of later shards it is told when all parts are there
                check_not_hopeless(of_shard, plan.max_bad_share, shard.file)
            continue
        batch.add(document, plan)
        of_shard.documents += 1
        characters += len(document.text)
        if of_shard.documents == plan.limit_documents:
            break
        if characters >= _BATCH_CHARACTERS or len(batch.texts) >= _BATCH_UNITS:
            yield batch.closed(plan)
            batch, characters = _Units(), 0
    yield batch.closed(plan)
