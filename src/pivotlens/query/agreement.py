"""Occurrences of an index beside units of `count`: where they agree, and which words differ most."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from pivotlens.statistics.regression import spearman

Row = Mapping[str, Any]
Both = tuple[int, int]
"""Units of `count`, and occurrences of the index."""

WORDS, PAIRS = "words", "pairs"
_NAMED = 5
_PERCENTILES = (10, 50, 90)


def units_of_words(rows: Iterable[Row]) -> dict[tuple[str, str], int]:
    """Return by language and word the units that hold it, in all languages of documents.

    Args:
        rows: Rows of ``count/words``.
    """
    found: dict[tuple[str, str], int] = {}
    for row in rows:
        key = row["word_language"], row["word"]
        found[key] = found.get(key, 0) + row["df"]
    return found


def compared_words(words: Iterable[Row], units: Mapping[tuple[str, str], int]) -> list[dict[str, Any]]:
    """Return the words of both, with units and occurrences.

    Args:
        words: Rows of ``query/words``.
        units: Units by language and word.
    """
    keys = ("word_language", "word", "occurrences")
    return [
        {key: row[key] for key in keys} | {"units": units[row["word_language"], row["word"]]}
        for row in words
        if (row["word_language"], row["word"]) in units
    ]


def agreement_rows(
    words: Iterable[Row], pairs: Iterable[Row], both: Mapping[tuple[str, str, str], int]
) -> list[dict[str, Any]]:
    """Return the ``query/agreement`` rows: words by language, pairs by their two languages without order.

    Args:
        words: What `compared_words` returned.
        pairs: Rows of ``query/pairs``.
        both: Units that hold both words, by concept, source and target language.
    """
    groups: dict[tuple[str, str, str], list[Both]] = {}
    for row in words:
        groups.setdefault((WORDS, row["word_language"], ""), []).append((row["units"], row["occurrences"]))
    for row in pairs:
        source, target = row["source_language"], row["target_language"]
        key = row["concept_id"], source, target
        if source < target and key in both:
            groups.setdefault((PAIRS, source, target), []).append((both[key], row["co_occurrences"]))
    return [
        {"of": of, "language": language, "other_language": other} | _agreement(np.array(found, dtype=np.int64))
        for (of, language, other), found in groups.items()
    ]


def _agreement(counts: np.ndarray[Any, np.dtype[np.int64]]) -> dict[str, Any]:
    units, occurrences = counts.T
    there = (units > 0) & (occurrences > 0)
    ratios = occurrences[there] / units[there]
    ends = np.percentile(ratios, _PERCENTILES).tolist() if ratios.size else [None] * 3
    return {
        "n": len(counts),
        "in_both": int(there.sum()),
        "only_units": int(((units > 0) & (occurrences == 0)).sum()),
        "only_occurrences": int(((units == 0) & (occurrences > 0)).sum()),
        **dict(zip(("ratio_low", "ratio_median", "ratio_high"), ends, strict=True)),
        "rank_correlation": spearman(units.astype(np.float64), occurrences.astype(np.float64)).statistic,
    }


def difference_rows(words: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the ``query/differences`` rows: of each language the words that differ most, in each of four ways.

    Args:
        words: What `compared_words` returned.
    """
    rows: list[dict[str, Any]] = []
    for language in dict.fromkeys(row["word_language"] for row in words):
        of_language = [row for row in words if row["word_language"] == language]
        there = [row for row in of_language if row["units"] and row["occurrences"]]
        by_ratio = sorted(there, key=lambda row: (row["occurrences"] / row["units"], row["word"]))
        alone = [row for row in of_language if not (row["units"] and row["occurrences"])]
        kinds = {
            "only_units": sorted(alone, key=lambda row: (-row["units"], row["word"])),
            "only_occurrences": sorted(alone, key=lambda row: (-row["occurrences"], row["word"])),
            "fewer": by_ratio,
            "more": by_ratio[::-1],
        }
        for kind, found in kinds.items():
            shown = [row for row in found if kind in ("fewer", "more") or row[kind.removeprefix("only_")]]
            rows += [{"difference": kind, **row} for row in shown[:_NAMED]]
    return rows
