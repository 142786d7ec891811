"""What was mined, in a few figures; and which of the corpus's pivots are words of grammar."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pivotlens.text import fold
from pivotlens.text.function_words import EVERYWHERE, is_function_word
from pivotlens.text.word_lists import bundled_word_lists

Row = Mapping[str, Any]


def summary_rows(pair_pivots: Iterable[Row], n_corpus: int, details: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the row of ``mine/summary``. Association is symmetric: a pair mined for both directions counts once.

    Args:
        pair_pivots: Rows of ``mine/pair_pivots``.
        n_corpus: Pivots of the corpus as a whole.
        details: Of the manifest: pairs mined, and shares of them and of shuffled pairs with a pivot.
    """
    once: dict[tuple[frozenset[str], str], tuple[str, str]] = {}
    kept = []
    for row in pair_pivots:
        direction = (row["source_language"], row["target_language"])
        if once.setdefault((frozenset(direction), row["concept_id"]), direction) == direction:
            kept.append(row)
    return [
        {
            "pairs_mined": details["pairs_mined"],
            "pairs": len(once),
            "pair_pivots": len(kept),
            "linked": sum(bool(row["relation"]) for row in kept),
            "corpus_pivots": n_corpus,
            "share_with_pivots": details["share_with_pivots"],
            "share_with_pivots_shuffled": details["shuffled_share_with_pivots"],
        }
    ]


def grammar_rows(pivots: Sequence[Row], tokens: Iterable[Row], strata: Iterable[Row]) -> list[dict[str, Any]]:
    """Return the ``mine/grammar`` rows: pivots of the corpus that go with everything and say nothing of a concept.

    Args:
        pivots: Token ids and tokens of ``mine/pivots``.
        tokens: Rows of ``count/tokens``.
        strata: Rows of ``count/strata``.
    """
    often = _met_everywhere(pivots, tokens, strata)
    rows = (
        {
            "token_id": row["token_id"],
            "token": row["token"],
            "listed": is_function_word(row["token"]),
            "everywhere": row["token_id"] in often,
        }
        for row in pivots
    )
    return [row for row in rows if row["listed"] or row["everywhere"]]


def _met_everywhere(pivots: Sequence[Row], tokens: Iterable[Row], strata: Iterable[Row]) -> frozenset[int]:
    """Return the pivots that are met as often as words of grammar, of those that no word list knows."""
    lists = bundled_word_lists()
    unknown = {row["token_id"] for row in pivots if not lists.of(fold(row["token"]).strip())}
    # The units of a language that a word is in, if it is met once in a thousand tokens.
    most: defaultdict[str, float] = defaultdict(float)
    scale: dict[tuple[str, int], float] = {}
    for row in strata:
        if sampled := row["units_sampled"]:
            met = 1 - math.exp(-EVERYWHERE * row["tokens_sampled"] / sampled)
            most[row["language"]] += met * row["units"]
            scale[row["language"], row["stratum"]] = row["units"] / sampled
    units: defaultdict[tuple[str, int], float] = defaultdict(float)
    for row in tokens:
        if row["token_id"] in unknown:
            units[row["document_language"], row["token_id"]] += (
                row["df"] * scale[row["document_language"], row["stratum"]]
            )
    return frozenset(token for (language, token), found in units.items() if found > most[language])
