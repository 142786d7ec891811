"""pivotlens: how language models carry meaning across languages.

Every stage of the method is a function here; what each needs is imported when it is first used.
"""

from __future__ import annotations

import importlib
from importlib import metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pivotlens.ablate.config import AblateConfig
    from pivotlens.ablate.run import ablate_pivots
    from pivotlens.artifacts import (
        Ablation,
        Attribution,
        Benchmark,
        Counts,
        Pivots,
        Report,
        Scores,
        Selection,
        Trace,
        TrainedLens,
    )
    from pivotlens.attribute.config import AttributeConfig
    from pivotlens.attribute.run import attribute_behaviour
    from pivotlens.bench.config import BenchConfig
    from pivotlens.bench.run import build_benchmark
    from pivotlens.count.config import CountConfig
    from pivotlens.count.run import count_corpus
    from pivotlens.errors import PivotLensError
    from pivotlens.lens.config import LensConfig
    from pivotlens.lens.run import train_lens
    from pivotlens.mine.config import MineConfig
    from pivotlens.mine.run import mine_pivots
    from pivotlens.models.lens import LogitLens
    from pivotlens.models.load import load_model
    from pivotlens.models.tuned_lens import TunedLens
    from pivotlens.pipeline import Pipeline
    from pivotlens.report.config import ReportConfig
    from pivotlens.report.run import write_report
    from pivotlens.score.config import ScoreConfig
    from pivotlens.score.run import score_model
    from pivotlens.select.config import SelectConfig
    from pivotlens.select.run import select_documents
    from pivotlens.text.matching import WordMatcher
    from pivotlens.trace.config import TraceConfig
    from pivotlens.trace.run import trace_model

_HOMES = {
    **dict.fromkeys(
        ("Ablation", "Attribution", "Benchmark", "Counts", "Pivots", "Report", "Scores", "Selection", "Trace",
         "TrainedLens"),
        "artifacts",
    ),
    **{f"{stage.capitalize()}Config": f"{stage}.config"
       for stage in ("ablate", "attribute", "bench", "count", "lens", "mine", "report", "score", "select", "trace")},
    "LogitLens": "models.lens",
    "Pipeline": "pipeline",
    "PivotLensError": "errors",
    "TunedLens": "models.tuned_lens",
    "WordMatcher": "text.matching",
    "ablate_pivots": "ablate.run",
    "attribute_behaviour": "attribute.run",
    "build_benchmark": "bench.run",
    "count_corpus": "count.run",
    "load_model": "models.load",
    "mine_pivots": "mine.run",
    "score_model": "score.run",
    "select_documents": "select.run",
    "trace_model": "trace.run",
    "train_lens": "lens.run",
    "write_report": "report.run",
}  # fmt: skip

__all__ = [
    "AblateConfig",
    "Ablation",
    "AttributeConfig",
    "Attribution",
    "BenchConfig",
    "Benchmark",
    "CountConfig",
    "Counts",
    "LensConfig",
    "LogitLens",
    "MineConfig",
    "Pipeline",
    "PivotLensError",
    "Pivots",
    "Report",
    "ReportConfig",
    "ScoreConfig",
    "Scores",
    "SelectConfig",
    "Selection",
    "Trace",
    "TraceConfig",
    "TrainedLens",
    "TunedLens",
    "WordMatcher",
    "__version__",
    "ablate_pivots",
    "attribute_behaviour",
    "build_benchmark",
    "count_corpus",
    "load_model",
    "mine_pivots",
    "score_model",
    "select_documents",
    "trace_model",
    "train_lens",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return metadata.version("pivotlens")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if _HOMES[name].startswith("models."):
        from pivotlens.extras import require_models

        require_models(f"pivotlens.{name}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
