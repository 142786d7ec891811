"""The mine stage: semantic pivots of word pairs and of the corpus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pivotlens.mine.config import MineConfig

if TYPE_CHECKING:
    from pivotlens.mine.run import mine_pivots

__all__ = ["MineConfig", "mine_pivots"]


def __getattr__(name: str) -> Any:
    if name == "mine_pivots":
        from pivotlens.mine.run import mine_pivots

        return mine_pivots
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
