"""Cutting documents into units, and the seeded hash that samples go by."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
import regex

from pivotlens.arrays import Hashes, Integers
from pivotlens.corpus.documents import BadRow, Columns, read_documents
from pivotlens.corpus.problems import KEPT, BadRows, check_not_hopeless
from pivotlens.corpus.shards import Shard
from pivotlens.text import language_code

_GRAPHEME = regex.compile(r"\X")
_SPACE = regex.compile(r"(?r)\s")
# A batch is closed at either; together they bound what a worker holds.
_BATCH_CHARACTERS = 1 << 20
_BATCH_UNITS = 1 << 14


class CorpusSettings(Protocol):
    """The settings that every stage reading a corpus has."""

    text_column: str
    language_column: str
    language: str
    group_column: str
    unit: Literal["characters", "document"]
    unit_characters: int
    max_bad_share: float
    seed: int
    limit_documents: int | None


@dataclass(frozen=True)
class UnitPlan:
    """How a corpus is read and cut.

    Attributes:
        columns: Where text, language and group stand.
        unit: ``characters`` cuts documents into pieces of ``unit_characters``, ``document`` does not cut.
        unit_characters: Longest unit.
        limit_documents: Most documents read a file; None reads all.
        max_bad_share: Share of unreadable rows that is borne.
    """

    columns: Columns = field(default_factory=Columns)
    unit: Literal["characters", "document"] = "characters"
    unit_characters: int = 8192
    limit_documents: int | None = None
    max_bad_share: float = 0.001


def unit_plan(config: CorpusSettings) -> UnitPlan:
    """Return the plan that a stage's settings ask for.

    Raises:
        ConfigError: The language of the documents is no language.
    """
    language = language_code(config.language, "language") if config.language else ""
    columns = Columns(config.text_column, config.language_column, config.group_column, language)
    return UnitPlan(columns, config.unit, config.unit_characters, config.limit_documents, config.max_bad_share)


@dataclass
class UnitBatch:
    """Units of one shard, in its order; position i of each list and array is one unit.

    Attributes:
        texts: Their text.
        languages: BCP 47 codes of their documents.
        groups: Groups of their documents.
        rows: Rows of their documents, shape ``(units,)``, int64.
        units: Number of the unit in its document, from 0, shape ``(units,)``, int64.
        documents: Documents that begin in this batch, by language.
        bad: Rows that cannot be read; named only as far as they are among the first of the shard.
    """

    texts: list[str]
    languages: list[str]
    groups: list[str]
    rows: Integers
    units: Integers
    documents: Counter[str]
    bad: BadRows


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


def unit_batches(shard: Shard, plan: UnitPlan) -> Iterator[UnitBatch]:
    """Read a shard's units in batches of bounded size; bad rows come with the batch they stand in.

    Raises:
        DataError: As `read_documents`, or most of a file's first rows cannot be read.
    """
    texts: list[str] = []
    languages: list[str] = []
    groups: list[str] = []
    rows: list[int] = []
    units: list[int] = []
    documents: Counter[str] = Counter()
    bad, of_shard = BadRows(), BadRows()
    characters = 0

    def batch() -> UnitBatch:
        return UnitBatch(
            texts, languages, groups, np.array(rows, dtype=np.int64), np.array(units, dtype=np.int64), documents, bad
        )

    for document in read_documents(shard, plan.columns):
        if isinstance(document, BadRow):
            bad.add(document, named=of_shard.count < KEPT)
            of_shard.add(document)
            if shard.start == 0:  # of later shards it is told when all parts are there
                check_not_hopeless(of_shard, plan.max_bad_share, shard.file)
            continue
        documents[document.language] += 1
        bad.documents += 1
        of_shard.documents += 1
        for number, text in enumerate(split_units(document.text, plan.unit, plan.unit_characters)):
            texts.append(text)
            languages.append(document.language)
            groups.append(document.group)
            rows.append(document.row)
            units.append(number)
        characters += len(document.text)
        if of_shard.documents == plan.limit_documents:
            break
        if characters >= _BATCH_CHARACTERS or len(texts) >= _BATCH_UNITS:
            yield batch()
            texts, languages, groups, rows, units, documents, bad = [], [], [], [], [], Counter(), BadRows()
            characters = 0
    yield batch()


def unit_hashes(file: str, rows: Integers, units: Integers, seed: int, purpose: str) -> Hashes:
    """Return the hash of each unit, shape ``(units,)``, uint64, even over the whole range.

    It follows from the file's name, row and unit alone, so a sample by the smallest hashes is the same whatever
    the order of the files and the number of workers. The mixing is that of SplitMix64 (Steele, Lea, Flood 2014).

    Args:
        file: The file's name within the corpus.
        rows: Rows, shape ``(units,)``.
        units: Units, shape ``(units,)``.
        seed: The stage's seed.
        purpose: Hashes for different purposes are independent.
    """
    key = hashlib.blake2b(f"{purpose}\0{seed}\0{file}".encode("utf-8", "surrogateescape"), digest_size=8).digest()
    hashes = np.uint64(int.from_bytes(key, "little")) ^ _mixed(rows.astype(np.uint64))
    return _mixed(_mixed(hashes) ^ units.astype(np.uint64))


def _mixed(values: Hashes) -> Hashes:
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
