"""Settings of `pivotlens attribute`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pivotlens.settings import StageConfig, setting


class AttributeConfig(StageConfig):
    """Ask how well corpus counts predict direct against semantic-pivot behaviour."""

    stage: ClassVar[str] = "attribute"
    counts: Literal["count", "query"] = setting(
        "count", "Which counts: units of a corpus (`count`), or occurrences in an infini-gram index (`query`)."
    )
    min_items: int = setting(20, "Fewest items of each class for an AUC.", ge=2)
    bootstrap: int = setting(1000, "Bootstrap resamples of concepts for the intervals.", ge=100)
    seed: int = setting(0, "Seed of the bootstrap.", ge=0)
