"""The select stage: rebuild the corpus from its pivot-rich units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pivotlens.select.config import SelectConfig

if TYPE_CHECKING:
    from pivotlens.select.choosing import choose
    from pivotlens.select.run import select_documents
    from pivotlens.select.scoring import ScoredUnits

__all__ = ["ScoredUnits", "SelectConfig", "choose", "select_documents"]

_HOMES = {"ScoredUnits": "scoring", "choose": "choosing", "select_documents": "run"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
