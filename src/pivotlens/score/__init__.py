"""The score stage: how well a model translates words."""

from pivotlens.score.config import ScoreConfig
from pivotlens.score.stage import score_model

__all__ = ["ScoreConfig", "score_model"]
