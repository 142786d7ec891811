"""The mine stage: semantic pivots of word pairs and of the corpus."""

from pivotlens.mine.config import MineConfig
from pivotlens.mine.stage import mine_pivots

__all__ = ["MineConfig", "mine_pivots"]
