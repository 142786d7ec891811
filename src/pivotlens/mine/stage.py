"""The declaration of `pivotlens mine`; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pivotlens.mine.config import MineConfig
from pivotlens.stage import Stage

if TYPE_CHECKING:
    from pivotlens.artifacts import Pivots

STAGE: Stage[MineConfig, Pivots] = Stage(
    config=MineConfig,
    result="pivotlens.artifacts:Pivots",
    version=6,
    function="mine_pivots",
    work="pivotlens.mine.run:run",
    reads=("bench", "count"),
    examples=(
        "pivotlens mine --run runs/first --directions fr-zh",
        "pivotlens mine --run runs/first --mode paper --replace",
    ),
)


def mine_pivots(
    config: MineConfig | None = None, run: Path | str = "run", *, origins: Mapping[str, str] | None = None
) -> Pivots:
    """Find the semantic pivots of word pairs, and of the corpus, in the counts alone (docs/method.md#mining-pivots).

    A token is a pivot of a pair where it is associated with both words, each among units of its own language and of
    like composition, and apart from units that hold both words.

    Tables: ``pair_pivots`` has a row a pivot; its ``df_source`` and ``df_target`` are the sampled units, of
    ``n_source`` and ``n_target``, that hold the token and that word but not the other, ``df_both`` the units of the
    whole corpus with both words, ``strength`` the smaller lower end of the two 95 % bootstrap intervals of NPMI.
    ``pivots`` has a row a token; its ``stability`` is the share of bootstrap resamples of a pair in which both NPMIs
    are positive, averaged over the token's pairs. ``variant_ids`` are the tokens merged into one.

    Args:
        config: Settings; the defaults when None.
        run: The run folder.
        origins: Where each setting that is not a default came from, for the manifest.

    Raises:
        PrerequisiteError: `bench` or `count` has not run.
        ConfigError: A direction is not in the benchmark.
    """
    return STAGE(config, run, origins=origins)
