"""Models in the tasks that the field reports, through lm-evaluation-harness, and whether they differ."""

from pivotlens.evaluate.config import EvaluateConfig
from pivotlens.evaluate.stage import evaluate_model

__all__ = ["EvaluateConfig", "evaluate_model"]
