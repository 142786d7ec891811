"""Lines that recur over a source's documents, such as page footers: found in a sample, left out on reading."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import regex

from pivotlens.corpus.columns import Columns, Document
from pivotlens.corpus.documents import read_documents
from pivotlens.corpus.hashes import unit_hashes
from pivotlens.corpus.packing import pack_strings, read_arrays, unpack_strings, write_arrays
from pivotlens.corpus.shards import PartStore, Shard

LEAST_DOCUMENTS = 10
"""A line in fewer documents of the sample is no boilerplate, so that a small source loses nothing by chance."""
MOST_SAMPLED = 256
LEAST_SAMPLED = 64
"""Documents a source and language that are looked through: so many, fewer where there are many of them."""
_ALL_SAMPLED = 1 << 14
_CHARACTERS = 1 << 16
_BLOCK = 1 << 10

# Page numbers, dates and indentation make no other line of it; bytes of characters beyond ASCII are none of these.
_EQUAL = b"0123456789 \t\r"
_LETTER = regex.compile(r"\p{L}")
# A message of a catalog may be in every document, and is content in each; long ones go on in quotes.
_MESSAGE = regex.compile(r"\s*(msg(id|str|ctxt)\b|\"[^\"]*\"\s*$)")

Group = tuple[str, str]
"""A source and the label of its documents' language; no source where there are too many of them to tell apart."""


class DroppedLine(NamedTuple):
    """A line of boilerplate as lines are compared, where it was left out."""

    group: Group
    key: bytes


@dataclass(frozen=True)
class BoilerplateLine:
    """A line that recurs over a source's documents.

    Attributes:
        group: Source and label.
        key: As lines are compared: without digits and white space.
        text: As it stands in one of the documents.
        documents: Documents of the sample that hold it.
        sampled: Documents of the sample.
    """

    group: Group
    key: bytes
    text: str
    documents: int
    sampled: int


@dataclass(frozen=True)
class Boilerplate:
    """The lines that are left out of a corpus; none by default.

    Attributes:
        lines: All of them, those in the largest share of their documents first.
        by_source: Whether sources are told apart.
    """

    lines: tuple[BoilerplateLine, ...] = ()
    by_source: bool = True

    @classmethod
    def of_rows(cls, rows: Iterable[Mapping[str, Any]], label: str, *, by_source: bool) -> Boilerplate:
        """Return it as a stage's table holds it.

        Args:
            rows: Of the table, all of them.
            label: The column of the documents' label.
            by_source: As the manifest's details tell.
        """
        lines = (
            BoilerplateLine(
                (row["source"], row[label]), line_keys(row["line"])[0], row["line"], row["documents"],
                row["documents_sampled"],
            )
            for row in rows
        )  # fmt: skip
        return cls(tuple(lines), by_source)

    @cached_property
    def _keys(self) -> dict[Group, frozenset[bytes]]:
        keys: dict[Group, set[bytes]] = {}
        for line in self.lines:
            keys.setdefault(line.group, set()).add(line.key)
        return {group: frozenset(of_group) for group, of_group in keys.items()}

    def without(self, document: Document, dropped: Counter[DroppedLine]) -> str:
        """Return a document's text without its boilerplate, which is counted in ``dropped``."""
        group = (document.source if self.by_source else "", document.language)
        boilerplate = self._keys.get(group)
        if boilerplate is None:
            return document.text
        keys = line_keys(document.text)
        if boilerplate.isdisjoint(keys):
            return document.text
        dropped.update(DroppedLine(group, key) for key in keys if key in boilerplate)
        lines = document.text.split("\n")
        return "\n".join(line for line, key in zip(lines, keys, strict=True) if key not in boilerplate)


def line_keys(text: str) -> list[bytes]:
    r"""Return each line of a text as lines are compared: without digits and white space.

    >>> line_keys("Page 12 of 99\n  \npage 3")
    [b'Pageof', b'', b'page']
    """
    return text.encode("utf-8", "surrogatepass").translate(None, _EQUAL).split(b"\n")


# -- finding them


class _Sampled(NamedTuple):
    """A document of the sample: its hash and its text, in a part its lines, each once."""

    hash: int
    text: str


class _Sample:
    """Documents of the smallest hashes of every group; whoever adds them in whatever order gets the same.

    The more groups, the fewer documents of each, so that all together are bounded; with too many groups, sources are
    told apart no more.
    """

    def __init__(self) -> None:
        self.by_source = True
        self._groups: dict[Group, list[_Sampled]] = {}
        self._largest: dict[Group, int] = {}

    @property
    def _most(self) -> int:
        share = _ALL_SAMPLED // max(len(self._groups), 1)
        return min(MOST_SAMPLED, max(LEAST_SAMPLED, share)) if self.by_source else LEAST_SAMPLED

    def wants(self, group: Group, number: int) -> bool:
        """Tell whether a document of this hash can still be in the sample."""
        return number <= self._largest.get(self._merged(group), 1 << 64)

    def add(self, group: Group, document: _Sampled) -> None:
        """Take in a document."""
        group = self._merged(group)
        of_group = self._groups.setdefault(group, [])
        of_group.append(document)
        if len(self._groups) * LEAST_SAMPLED > _ALL_SAMPLED:
            self.merge_sources()
        elif len(of_group) >= 2 * self._most:
            self._prune(group)

    def merge_sources(self) -> None:
        """Tell sources apart no more."""
        if self.by_source:
            groups, self._groups, self._largest, self.by_source = self._groups, {}, {}, False
            for group, documents in groups.items():
                for document in documents:
                    self.add(group, document)

    def result(self) -> dict[Group, list[_Sampled]]:
        """Return the documents of each group, by their hashes."""
        for group in self._groups:
            self._prune(group)
        return {group: self._groups[group] for group in sorted(self._groups)}

    def _merged(self, group: Group) -> Group:
        return group if self.by_source else ("", group[1])

    def _prune(self, group: Group) -> None:
        kept = self._groups[group] = sorted(self._groups[group])[: self._most]
        if len(kept) == self._most:
            self._largest[group] = kept[-1].hash


@dataclass(frozen=True)
class LinePass:
    """Samples documents of a shard; its part holds their lines by source and label.

    Attributes:
        columns: Where text, label and source stand.
        limit_documents: Most documents read a file; None reads all.
    """

    columns: Columns
    limit_documents: int | None

    def __call__(self, shard: Shard, part: Path) -> None:
        """Write the part of a shard."""
        sample = _Sample()
        rows = read_documents(shard, self.columns)
        documents = islice((row for row in rows if isinstance(row, Document)), self.limit_documents)
        while block := list(islice(documents, _BLOCK)):
            self._add(sample, shard.file.name, block)
        found = [(group, document) for group, of_group in sample.result().items() for document in of_group]
        write_arrays(
            part,
            {
                "by_source": np.array(sample.by_source),
                "source": pack_strings([source.replace("\0", " ") for (source, _), _ in found]),
                "label": pack_strings([label for (_, label), _ in found]),
                "hash": np.array([document.hash for _, document in found], dtype=np.uint64),
                "lines": pack_strings([_distinct_lines(document.text) for _, document in found]),
            },
        )

    def _add(self, sample: _Sample, name: str, documents: Sequence[Document]) -> None:
        rows = np.array([document.row for document in documents], dtype=np.int64)
        hashes = unit_hashes(name, rows, np.zeros_like(rows), 0, "boilerplate").tolist()
        for document, number in zip(documents, hashes, strict=True):
            group = (document.source, document.language)
            if sample.wants(group, number):
                sample.add(group, _Sampled(number, document.text[:_CHARACTERS]))


def _distinct_lines(text: str) -> str:
    # Nothing is cut off that the key keeps: by the line, as its table shows it, it is known again.
    lines = dict(zip(line_keys(text), (line.strip(" \t\r") for line in text.split("\n")), strict=True))
    return "\n".join(lines.values()).replace("\0", " ")


def find_boilerplate(shards: Sequence[Shard], parts: PartStore, share: float) -> Boilerplate:
    """Return the boilerplate of a corpus from the parts of `LinePass` (docs/method.md#boilerplate).

    Args:
        shards: The corpus.
        parts: The parts of its shards.
        share: A line in more than this share of the sampled documents of a source and label is boilerplate.
    """
    sample = _Sample()
    for shard in shards:
        arrays = read_arrays(parts.path(shard))
        groups = zip(unpack_strings(arrays["source"]), unpack_strings(arrays["label"]), strict=True)
        documents = map(_Sampled, arrays["hash"].tolist(), unpack_strings(arrays["lines"]))
        if not arrays["by_source"]:
            sample.merge_sources()
        for group, document in zip(groups, documents, strict=True):
            sample.add(group, document)
    found = [line for group, documents in sample.result().items() for line in _recurring(group, documents, share)]
    found.sort(key=lambda line: (-line.documents / line.sampled, line.group, line.key))
    return Boilerplate(tuple(found), sample.by_source)


def _recurring(group: Group, documents: Sequence[_Sampled], share: float) -> Iterator[BoilerplateLine]:
    counts: Counter[bytes] = Counter()
    texts: dict[bytes, str] = {}
    for document in documents:
        keys = line_keys(document.text)
        counts.update(set(keys))
        for key, line in zip(keys, document.text.split("\n"), strict=True):
            texts.setdefault(key, line)
    for key, count in counts.items():
        if count < LEAST_DOCUMENTS or count <= share * len(documents):
            continue
        if _LETTER.search(texts[key]) and not _MESSAGE.match(texts[key]):
            yield BoilerplateLine(group, key, texts[key], count, len(documents))
