"""Labels of documents against what a model makes of their text, in a sample (docs/method.md#labels)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pivotlens.corpus.columns import Columns, Document
from pivotlens.corpus.document_languages import beginning, identifier
from pivotlens.corpus.documents import read_documents
from pivotlens.corpus.hashes import unit_hashes
from pivotlens.corpus.packing import pack_strings, read_arrays, unpack_strings, write_arrays
from pivotlens.corpus.shards import PartStore, Shard

SAMPLED = 200
"""Documents a label that are checked, drawn by hash."""
_BLOCK = 1 << 10
_NAMED = 20


class _Checked(NamedTuple):
    """A document: its hash, and its text or the language found of it."""

    hash: int
    said: str


@dataclass(frozen=True)
class LabelPass:
    """Draws documents of each label from a shard; its part holds their hashes, their labels and the languages found.

    Attributes:
        columns: Where text and label stand.
        limit_documents: Most documents read a file; None reads all.
    """

    columns: Columns
    limit_documents: int | None

    def __call__(self, shard: Shard, part: Path) -> None:
        """Write the part of a shard."""
        rows = read_documents(shard, replace(self.columns, language_model=""))
        documents = islice((row for row in rows if isinstance(row, Document)), self.limit_documents)
        drawn: dict[str, list[_Checked]] = {}
        while block := list(islice(documents, _BLOCK)):
            numbers = np.array([document.row for document in block], dtype=np.int64)
            hashes = unit_hashes(shard.file.name, numbers, np.zeros_like(numbers), 0, "labels").tolist()
            for document, number in zip(block, hashes, strict=True):
                drawn.setdefault(document.language, []).append(_Checked(number, beginning(document.text)))
            drawn = {label: sorted(of_label)[:SAMPLED] for label, of_label in drawn.items()}
        checked = [(label, document) for label in sorted(drawn) for document in drawn[label]]
        found = identifier(self.columns.language_model)([document.said for _, document in checked]) if checked else []
        write_arrays(
            part,
            {
                "hash": np.array([document.hash for _, document in checked], dtype=np.uint64),
                "label": pack_strings([label for label, _ in checked]),
                "found": pack_strings(found),
            },
        )


def label_warnings(shards: Sequence[Shard], parts: PartStore, model: str) -> Iterator[str]:
    """Yield a warning of the labels that a model disagrees with, those of the largest share first.

    Script and region do not count, nor documents of which the model can tell nothing.

    Args:
        shards: The corpus.
        parts: The parts of `LabelPass`.
        model: Its name or file.
    """
    drawn: dict[str, list[_Checked]] = {}
    for shard in shards:
        arrays = read_arrays(parts.path(shard))
        columns = (unpack_strings(arrays["label"]), arrays["hash"].tolist(), unpack_strings(arrays["found"]))
        for label, number, found in zip(*columns, strict=True):
            drawn.setdefault(label, []).append(_Checked(number, found))
    said = []
    for label, of_label in drawn.items():
        told = [document.said for document in sorted(of_label)[:SAMPLED] if document.said]
        others = Counter(code for code in told if _base(code) != _base(label))
        if others:
            mostly = max((count, code) for code, count in others.items())[1]
            said.append((others.total() / len(told), label, len(told), mostly))
    said.sort(key=lambda one: (-one[0], one[1]))
    named = [f"{label} in {share:.1%} of {n:,} (mostly {mostly})" for share, label, n, mostly in said[:_NAMED]]
    if named:
        more = f", and {len(said) - _NAMED} more labels" if len(said) > _NAMED else ""
        yield f"{model} disagrees with labels of documents that were drawn to check them: {', '.join(named)}{more}"


def _base(code: str) -> str:
    return code.partition("-")[0]
