"""A side of a comparison: what was measured on each document of each task, and under which conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pivotlens.arrays import Floats


@dataclass(frozen=True)
class Document:
    """A document of a task; what is not known of it is empty.

    Attributes:
        key: What it is matched by.
        name: What messages call it.
        cluster: What it stands or falls together with, such as all questions on one passage.
        other_key: What it is matched by where no key is on both sides.
        prompt: Hash of what was asked.
        target: Hash of the right answer.
        number: The harness's number of it.
        hash: The harness's hash of it.
        tokens: Tokens of its answers; None where nobody told.
    """

    key: str
    name: str
    cluster: str
    other_key: str = ""
    prompt: str = ""
    target: str = ""
    number: int = 0
    hash: str = ""
    tokens: int | None = None


@dataclass(frozen=True)
class TaskValues:
    """What one side measured on a task.

    Attributes:
        family: Tasks of one family ask the same things in several languages, so that their clusters are the same.
        documents: The documents.
        metrics: Values by metric, shape ``(documents, sets)``; NaN where a document has none.
        conditions: By name, what must be the same on both sides, where both tell.
        token_metrics: Metrics that mean the same only where the answers were cut into as many tokens.
    """

    family: str
    documents: tuple[Document, ...]
    metrics: Mapping[str, Floats]
    conditions: Mapping[str, str]
    token_metrics: frozenset[str] = frozenset()

    def of_documents(self, rows: Sequence[int]) -> TaskValues:
        """Return some of the documents, in the order given."""
        return replace(
            self,
            documents=tuple(self.documents[row] for row in rows),
            metrics={name: values[list(rows)] for name, values in self.metrics.items()},
        )


@dataclass(frozen=True)
class Side:
    """A side of a comparison.

    Attributes:
        name: What tables and messages call it.
        place: Where it was read from.
        tasks: What it measured, by task, in order.
        notes: What the reader must know of how it was read.
    """

    name: str
    place: str
    tasks: Mapping[str, TaskValues]
    notes: tuple[str, ...] = ()
