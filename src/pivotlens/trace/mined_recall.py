"""How many of the pivots that the lens shows had been mined from the corpus (docs/method.md#mined-against-traced)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from pivotlens.arrays import Floats
from pivotlens.artifacts import Pivots
from pivotlens.statistics.bootstrap import bootstrap_mean
from pivotlens.trace.behaviours import SEMANTIC_PIVOT
from pivotlens.trace.comparison import ItemKey
from pivotlens.trace.summary import TracedItems, groups_and_directions

Row = dict[str, Any]
Ranks = Mapping[int, int]
DEPTHS = (1, 3, 5, 10, 20)
"""How many of a pair's mined pivots are looked among, from the strongest."""


def mined_ranks(pivots: Pivots) -> dict[ItemKey, dict[int, int]]:
    """Return the rank of each token among an item's mined pivots, all spellings of a pivot alike.

    Args:
        pivots: Result of mining.
    """
    ranks: dict[ItemKey, dict[int, int]] = {}
    for row in pivots.rows("pair_pivots"):
        of_item = ranks.setdefault((row["concept_id"], row["source_language"], row["target_language"]), {})
        for token_id in row["variant_ids"]:
            of_item[token_id] = min(row["rank"], of_item.get(token_id, row["rank"]))
    return ranks


def mined_recall_rows(
    traced: TracedItems, behaviours: Iterable[Row], ranks: Mapping[ItemKey, Ranks], bootstrap: int, seed: int
) -> list[Row]:
    """Return the rows of ``trace/mined_recall``: lens pivots that are among the mined pivots of their pair.

    Over items of shot set 0 that a rule calls semantic pivot and whose pair has mined pivots. ``recall`` is the share
    whose deciding token is among the ``depth`` strongest; ``recall_others`` is what the mined pivots of the other
    items of the direction give, one of them drawn evenly: what tokens that go with everything would reach.

    Args:
        traced: The items.
        behaviours: Rows of ``trace/behaviours``, of any models and prompts.
        ranks: As `mined_ranks` gives them.
        bootstrap: Resamples of concepts.
        seed: Of the resampling.
    """
    deciding: dict[str, dict[tuple[str, str, str], int]] = {}
    for row in behaviours:
        of_model = (row["model"], row["prompt"], row["shot_set"]) == (traced.model, traced.prompt, 0)
        if of_model and row["behaviour"] == SEMANTIC_PIVOT:
            item = (row["source_language"], row["target_language"], row["concept_id"])
            deciding.setdefault(row["rule"], {})[item] = row["token_id"]
    others = {direction: _token_shares(traced, direction, ranks) for direction in traced.directions}
    rows = []
    for rule, tokens in deciding.items():
        own, of_others = _found(traced, tokens, ranks, others)
        for name, chosen in groups_and_directions(traced).items():
            pivots = int((traced.grid(tokens, None)[:, chosen] != np.array(None)).sum())
            n = int(np.isfinite(own[:, chosen, 0]).sum())
            for place, depth in enumerate(DEPTHS):
                part = {"direction_group": name, "rule": rule, "depth": depth, "pivots": pivots, "n": n}
                for figure, values in (("recall", own), ("recall_others", of_others)):
                    found = bootstrap_mean(values[:, chosen, place, None], bootstrap, seed)
                    empty = not np.isfinite(found.value)
                    ends = (None, None, None) if empty else tuple(found)
                    part |= dict(zip((figure, f"{figure}_low", f"{figure}_high"), ends, strict=True))
                rows.append({**traced.labels(), **part})
    return rows


def _token_shares(
    traced: TracedItems, direction: tuple[str, str], ranks: Mapping[ItemKey, Ranks]
) -> tuple[int, dict[int, Floats]]:
    """Return a direction's items with mined pivots, and how many of them hold each token at each depth."""
    with_pivots = [found for concept in traced.concepts if (found := ranks.get((concept, *direction)))]
    counts: dict[int, Floats] = {}
    for of_item in with_pivots:
        for token, rank in of_item.items():
            counts[token] = counts.get(token, np.zeros(len(DEPTHS))) + (rank <= np.array(DEPTHS))
    return len(with_pivots), counts


def _found(
    traced: TracedItems,
    tokens: Mapping[tuple[str, str, str], int],
    ranks: Mapping[ItemKey, Ranks],
    others: Mapping[tuple[str, str], tuple[int, dict[int, Floats]]],
) -> tuple[Floats, Floats]:
    """Return whether each item's token is among its mined pivots, and among those of the others.

    Returns:
        Both shape ``(concepts, directions, depths)``; NaN for items without a pivot of either kind.
    """
    shape = (len(traced.concepts), len(traced.directions), len(DEPTHS))
    own, of_others = np.full(shape, np.nan), np.full(shape, np.nan)
    for row, concept in enumerate(traced.concepts):
        for column, direction in enumerate(traced.directions):
            token, of_item = tokens.get((*direction, concept)), ranks.get((concept, *direction))
            if token is None or not of_item:
                continue
            own[row, column] = of_item.get(token, DEPTHS[-1] + 1) <= np.array(DEPTHS)
            n, counts = others[direction]
            if n > 1:
                of_others[row, column] = (counts.get(token, 0.0) - own[row, column]) / (n - 1)
    return own, of_others
