"""Settings of `pivotlens mine`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pivotlens.settings import StageConfig, setting

TESTED = ("npmi", "pooled")
"""Modes in which a pivot must be significant, rare in shuffled pairs, and in units that are no copies."""


class MineConfig(StageConfig):
    """Find the semantic pivots of word pairs, and of the corpus, in the counts alone."""

    stage: ClassVar[str] = "mine"
    directions: tuple[str, ...] = setting((), "Directions such as `fr-zh`; all pairs of the benchmark when empty.")
    mode: Literal["npmi", "paper", "pooled", "pmi"] = setting(
        "npmi",
        "How pivots are told: `npmi` within the language and among units of like composition, with significance. To "
        "compare with: `pooled`, the same over all languages; `paper`, the paper's frequency minus background; `pmi`.",
    )
    min_df: int = setting(5, "Fewest units a token shares with each word of the pair.", ge=1)
    max_q: float = setting(0.05, "False discovery rate of the likelihood-ratio test.", gt=0, le=1)
    max_null: float = setting(
        0.01, "Largest share of shuffled pairs in which the same token may be as strong.", gt=0, le=1
    )
    max_likeness: float = setting(
        0.5,
        "Largest share of a unit's words that may recur in another unit with the same token: beyond it the units are "
        "copies of one another, and the token is no pivot.",
        gt=0,
        le=1,
    )
    other_parts: Literal["leave_out", "keep"] = setting(
        "leave_out",
        "What happens to pivots that are forms of words of the benchmark's other parts, where it is one part of a list "
        "(`part`): they are left out, so that nothing is selected by the words that are to be tested.",
    )
    top: int = setting(20, "Pivots kept a pair.", ge=1)
    shuffles: int = setting(20, "Shuffled pairings of the concepts, for the empirical null.", ge=2)
    seed: int = setting(0, "Seed of the shuffles.", ge=0)
