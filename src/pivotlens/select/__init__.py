"""The select stage: rebuild the corpus from its pivot-rich units."""

from pivotlens.select.config import SelectConfig
from pivotlens.select.stage import select_documents

__all__ = ["SelectConfig", "select_documents"]
