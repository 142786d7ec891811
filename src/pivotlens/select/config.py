"""Settings of `pivotlens select`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pivotlens.settings import CorpusStageConfig, setting


class SelectConfig(CorpusStageConfig):
    """Rebuild the corpus from its pivot-rich units, at a token budget a language."""

    stage: ClassVar[str] = "select"
    modes: tuple[Literal["top", "random"], ...] = setting(("top", "random"), "Arms to make, at the same budget.")
    budget_tokens: int = setting(100_000, "Tokens a language; the selection stops before exceeding it.", ge=1)
    pivots: int = setting(500, "How many of the corpus pivots count, from the best.", ge=1)
    min_tokens: int = setting(32, "Shorter units are left out.", ge=1)
