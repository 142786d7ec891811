"""Blocks for pipelines of datatrove: score documents by mined pivots, keep those that score enough.

They need the extra ``datatrove``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from datatrove.data import Document, DocumentsPipeline
from datatrove.pipeline.base import PipelineStep
from datatrove.pipeline.filters.base_filter import BaseFilter
from datatrove.pipeline.writers.disk_base import DiskWriter
from datatrove.utils.batching import batched

from pivotlens.errors import ConfigError, did_you_mean
from pivotlens.select.config import SelectConfig
from pivotlens.select.unit_scorer import PREFIX, SCORES, unit_scorer

_BATCH = 256


def score_documents(documents: Sequence[Document], run: str, config: SelectConfig | None) -> None:
    """Add the scores of documents to their metadata; arguments and errors as `pivotlens.score_batch`."""
    scorer = unit_scorer(run, config)
    languages = [document.metadata.get(scorer.config.language_column) for document in documents]
    table = scorer.scores([document.text for document in documents], languages)
    for document, row in zip(documents, table.to_pylist(), strict=True):
        document.metadata |= row


class PivotScorer(PipelineStep):  # type: ignore[misc]
    """Adds the scores of `pivotlens select` to the metadata of documents, each a unit of its own.

    Their names begin with ``pivotlens_``: ``pivotlens_bridge``, ``pivotlens_share``, ``pivotlens_language`` and the
    others of `pivotlens.select.unit_scorer.SCORES`. The label of a document's language is read from its metadata.

    Args:
        run: A run folder with ``bench``, ``count`` and ``mine``.
        config: As of `pivotlens.score_batch`.
        batch_size: Documents scored at once.
    """

    type = "📊 - PIVOTS"
    name = "🌉 pivotlens scores"

    def __init__(self, run: Path | str = "run", config: SelectConfig | None = None, batch_size: int = _BATCH) -> None:
        super().__init__()
        self.run_folder, self.config, self.batch_size = str(run), config, batch_size

    def run(self, data: DocumentsPipeline, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """Yield the documents with their scores."""
        for documents in batched(data, self.batch_size):
            with self.track_time("batch"):
                score_documents(documents, self.run_folder, self.config)
            for document in documents:
                self.stat_update("bridges", value=document.metadata[f"{PREFIX}n_bridges"], unit="doc")
                yield document


class PivotFilter(BaseFilter):  # type: ignore[misc]
    """Keeps documents that score enough; those that `PivotScorer` has not scored are scored first.

    Args:
        at_least: The least score that is kept.
        score: Which one: ``bridge``, ``share`` or another number of `pivotlens.select.unit_scorer.SCORES`.
        run: As of `PivotScorer`.
        config: As of `PivotScorer`.
        exclusion_writer: Writes the documents that are dropped.
        batch_size: Documents looked at at once.

    Raises:
        ConfigError: There is no such score.
    """

    name = "🌉 pivotlens filter"

    def __init__(
        self,
        at_least: float,
        score: str = "bridge",
        run: Path | str = "run",
        config: SelectConfig | None = None,
        exclusion_writer: DiskWriter | None = None,
        batch_size: int = _BATCH,
    ) -> None:
        if score not in _NUMBERS:
            raise ConfigError(f"there is no score {score!r}", did_you_mean(score, _NUMBERS))
        super().__init__(exclusion_writer, batch_size)
        self.at_least, self.score, self.run_folder, self.config = at_least, score, str(run), config

    def filter_batch(self, batch: Sequence[Document]) -> list[bool | tuple[bool, str]]:
        """Tell of each document whether it is kept, and where not why."""
        key = PREFIX + self.score
        if unscored := [document for document in batch if key not in document.metadata]:
            score_documents(unscored, self.run_folder, self.config)
        return [
            document.metadata[key] >= self.at_least or (False, f"{self.score}_below_{self.at_least:g}")
            for document in batch
        ]

    def filter(self, doc: Document) -> Any:
        """Tell of one document whether it is kept, and where not why."""
        return self.filter_batch([doc])[0]


_NUMBERS = tuple(name for name in SCORES if name not in ("language", "other_language", "document_type"))
