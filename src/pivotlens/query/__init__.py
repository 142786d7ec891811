"""The query stage: how often words and pairs occur in a corpus that infini-gram has indexed."""

from pivotlens.query.config import QueryConfig
from pivotlens.query.stage import query_index

__all__ = ["QueryConfig", "query_index"]
