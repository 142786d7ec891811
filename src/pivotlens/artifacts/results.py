"""The finished results of the stages; see `pivotlens.artifacts.tables` for their tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from pivotlens.artifacts.result import StageResult


@dataclass(frozen=True)
class Scores(StageResult):
    """Word-translation scores: tables ``answers``, ``concepts``, ``summary``, ``strata``."""

    stage: ClassVar[str] = "score"

    def first_rows(self, name: str) -> list[dict[str, Any]]:
        """Return a table's rows of the first model under the first wording, where several were scored."""
        config = self.manifest.config
        return [row for row in self.rows(name) if (row["model"], row["prompt"]) == (config["model"], config["prompt"])]


@dataclass(frozen=True)
class Trace(StageResult):
    """Layers of a model while it translates: ``items``, ``layers``, ``tokens``, ``behaviours``, ``summary``."""

    stage: ClassVar[str] = "trace"


@dataclass(frozen=True)
class Counts(StageResult):
    """Corpus counts: ``languages``, ``words``, ``tokens``, ``pairs``, ``word_tokens``, ``pair_tokens``."""

    stage: ClassVar[str] = "count"


@dataclass(frozen=True)
class Attribution(StageResult):
    """How well counts predict behaviour: ``auc``, ``predictors``, ``tests``."""

    stage: ClassVar[str] = "attribute"


@dataclass(frozen=True)
class Pivots(StageResult):
    """Semantic pivots of pairs and of the corpus: ``pair_pivots``, ``pivots``."""

    stage: ClassVar[str] = "mine"


@dataclass(frozen=True)
class Selection(StageResult):
    """A rebuilt corpus: ``scores``, ``summary`` and one folder of documents an arm."""

    stage: ClassVar[str] = "select"


@dataclass(frozen=True)
class Report(StageResult):
    """The HTML report."""

    stage: ClassVar[str] = "report"
