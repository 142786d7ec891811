"""The finished results of the stages; see `pivotlens.artifacts.tables` for their tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pivotlens.artifacts.result import StageResult


@dataclass(frozen=True)
class SweepResult(StageResult):
    """A result of several models or wordings."""

    def first_rows(self, name: str) -> list[dict[str, Any]]:
        """Return a table's rows of the first model under the first wording, where there are several."""
        config = self.manifest.config
        return [row for row in self.rows(name) if (row["model"], row["prompt"]) == (config["model"], config["prompt"])]


@dataclass(frozen=True)
class TrainedLens(StageResult):
    """An affine lens for `pivotlens.models.tuned_lens.TunedLens.load`, and its distance from the model: ``layers``."""

    stage: ClassVar[str] = "lens"
    WEIGHTS: ClassVar[str] = "lens.safetensors"

    @property
    def weights(self) -> Path:
        """The translators."""
        return self.folder / self.WEIGHTS


@dataclass(frozen=True)
class Scores(SweepResult):
    """Word-translation scores: tables ``answers``, ``concepts``, ``summary``, ``strata``."""

    stage: ClassVar[str] = "score"


@dataclass(frozen=True)
class Trace(SweepResult):
    """Layers of a model while it translates: ``items``, ``layers``, ``tokens``, ``behaviours`` and sums of these."""

    stage: ClassVar[str] = "trace"


@dataclass(frozen=True)
class Ablation(StageResult):
    """Pivots taken out of the model's states: ``items``, ``windows``, ``effects``, ``conditions``, ``side_effects``."""

    stage: ClassVar[str] = "ablate"


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

    def documents(self, arm: str) -> tuple[Path, ...]:
        """Return an arm's files of JSON lines (zstd); one after another they stand in the order of the corpus."""
        names = [name for name in self.manifest.outputs if name.startswith(f"{arm}/documents-")]
        return tuple(self.folder / name for name in sorted(names, key=lambda name: (len(name), name)))


@dataclass(frozen=True)
class Report(StageResult):
    """The HTML report."""

    stage: ClassVar[str] = "report"
