"""pivotlens: how language models carry meaning across languages.

Every stage of the method is a function here; what each needs is imported when it is first used.
"""

from __future__ import annotations

import importlib
from importlib import metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pivotlens.ablate.config import AblateConfig
    from pivotlens.ablate.stage import ablate_pivots
    from pivotlens.artifacts import (
        Ablation,
        Attribution,
        Benchmark,
        Counts,
        Evaluation,
        IndexCounts,
        Pivots,
        Report,
        Scores,
        Selection,
        Trace,
        TrainedLens,
        TrainedModels,
    )
    from pivotlens.attribute.config import AttributeConfig
    from pivotlens.attribute.stage import attribute_behaviour
    from pivotlens.bench.config import BenchConfig
    from pivotlens.bench.stage import build_benchmark
    from pivotlens.count.config import CountConfig
    from pivotlens.count.stage import count_corpus
    from pivotlens.errors import PivotLensError
    from pivotlens.evaluate.config import EvaluateConfig
    from pivotlens.evaluate.stage import evaluate_model
    from pivotlens.lens.config import LensConfig
    from pivotlens.lens.stage import train_lens
    from pivotlens.mine.config import MineConfig
    from pivotlens.mine.stage import mine_pivots
    from pivotlens.models.lens import LogitLens
    from pivotlens.models.load import load_model
    from pivotlens.models.tuned_lens import TunedLens
    from pivotlens.pipeline import Pipeline
    from pivotlens.query.config import QueryConfig
    from pivotlens.query.stage import query_index
    from pivotlens.report.config import ReportConfig
    from pivotlens.report.stage import write_report
    from pivotlens.score.config import ScoreConfig
    from pivotlens.score.stage import score_model
    from pivotlens.select.config import SelectConfig
    from pivotlens.select.stage import select_documents
    from pivotlens.select.unit_scorer import score_batch
    from pivotlens.text.matching import WordMatcher
    from pivotlens.trace.config import TraceConfig
    from pivotlens.trace.stage import trace_model
    from pivotlens.train.config import TrainConfig
    from pivotlens.train.stage import train_model

# Beside the stages: where each name is.
_HOMES = {
    "LogitLens": "pivotlens.models.lens",
    "Pipeline": "pivotlens.pipeline",
    "PivotLensError": "pivotlens.errors",
    "TunedLens": "pivotlens.models.tuned_lens",
    "WordMatcher": "pivotlens.text.matching",
    "load_model": "pivotlens.models.load",
    "score_batch": "pivotlens.select.unit_scorer",
}

__all__ = [
    "AblateConfig",
    "Ablation",
    "AttributeConfig",
    "Attribution",
    "BenchConfig",
    "Benchmark",
    "CountConfig",
    "Counts",
    "EvaluateConfig",
    "Evaluation",
    "IndexCounts",
    "LensConfig",
    "LogitLens",
    "MineConfig",
    "Pipeline",
    "PivotLensError",
    "Pivots",
    "QueryConfig",
    "Report",
    "ReportConfig",
    "ScoreConfig",
    "Scores",
    "SelectConfig",
    "Selection",
    "Trace",
    "TraceConfig",
    "TrainConfig",
    "TrainedLens",
    "TrainedModels",
    "TunedLens",
    "WordMatcher",
    "__version__",
    "ablate_pivots",
    "attribute_behaviour",
    "build_benchmark",
    "count_corpus",
    "evaluate_model",
    "load_model",
    "mine_pivots",
    "query_index",
    "score_batch",
    "score_model",
    "select_documents",
    "trace_model",
    "train_lens",
    "train_model",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return metadata.version("pivotlens")
    home = _HOMES.get(name) or _stage_homes().get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if home.startswith("pivotlens.models."):
        from pivotlens.extras import require_models

        require_models(f"pivotlens.{name}")
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)


def _stage_homes() -> dict[str, str]:
    """Return where the settings, the function and the result of every stage are."""
    stages = importlib.import_module("pivotlens.stages").STAGES
    return {name: home for stage in stages.values() for name, home in stage.public_names().items()}
