"""The attribute stage: do corpus counts predict how a model translates?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pivotlens.attribute.config import AttributeConfig

if TYPE_CHECKING:
    from pivotlens.attribute.run import attribute_behaviour

__all__ = ["AttributeConfig", "attribute_behaviour"]


def __getattr__(name: str) -> Any:
    if name == "attribute_behaviour":
        from pivotlens.attribute.run import attribute_behaviour

        return attribute_behaviour
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
