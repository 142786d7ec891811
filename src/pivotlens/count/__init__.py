"""The count stage: words, pairs and tokens in a corpus."""

from pivotlens.count.config import CountConfig
from pivotlens.count.stage import count_corpus

__all__ = ["CountConfig", "count_corpus"]
