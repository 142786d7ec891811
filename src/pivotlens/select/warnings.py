"""What is to be known of arms before they are used: budgets that are not met, differences that are not of pivots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import fsum
from typing import Any

from pivotlens.select.arms import BY_SCORE
from pivotlens.select.chosen import ChosenArms
from pivotlens.select.config import SelectConfig
from pivotlens.select.facts import Facts

_MOSTLY = 0.5
_POINTS = 0.02
_FILLED = 0.9
_FAR = {
    "text_language": (0.1, "language of the text"),
    "document_type": (0.1, "document type"),
    "length_decile": (0.25, "length"),
}
"""From which distance on an arm is far from the corpus in a facet: half the sum of differences of shares."""


def warnings_of(
    config: SelectConfig, facts: Facts, arms: ChosenArms, tables: Mapping[str, Sequence[Mapping[str, Any]]]
) -> list[str]:
    """Return what is to be known of the arms before they are used.

    Args:
        config: The settings.
        facts: What they are made of.
        arms: The arms.
        tables: The rows of ``summary`` and ``composition``.
    """
    warnings, rows = [], tables["summary"]
    for row in (row for row in rows if row["units"] == 0):
        why = (
            f"no unit is long enough: none has {config.min_tokens:,} tokens (--min-tokens)"
            if row["available"] == 0
            else f"none could be taken, or the first exceeds {row['budget']:,}"
        )
        warnings.append(f"arm {row['arm']} holds nothing in {row['language']}: {why}")
    short = set()
    for name, language, there, budgets in arms.shortages():
        short.add((name, language))
        warnings.append(f"arm {name} takes all there is in {language}, {there:,} {budgets.what}: less than its budget")
    for row in rows:
        by_tokens = facts.budgets[row["arm"]].what == "tokens" and (row["arm"], row["language"]) not in short
        if by_tokens and 0 < row["tokens"] < _FILLED * row["budget"]:
            warnings.append(
                f"arm {row['arm']} takes {row['tokens']:,} of {row['budget']:,} tokens in {row['language']}: the next "
                "unit would exceed the budget (--unit-characters makes units smaller)"
            )
    if others := facts.without_budget():
        told = ", ".join(f"{code} {tokens:,}" for code, tokens in others)
        warnings.append(f"nothing is taken in languages without mined words or a budget (tokens there: {told})")
    everything = sorted({row["language"] for row in rows if row["arm"] == "top" and row["tokens"] == row["available"]})
    if everything:
        warnings.append(
            f"the budget takes everything there is in {', '.join(everything)}: the arms do not differ there"
        )
    return (
        warnings
        + _differences(config, facts, rows)
        + unmatched(tables)
        + _far(tables["composition"], "matched" in config.arms)
    )


def _far(composition: Sequence[Mapping[str, Any]], has_matched: bool) -> list[str]:
    """Return in which facets an arm that goes by a score is far from the corpus, by arm and facet."""
    what = "compare it with arm matched" if has_matched else "add arm matched to compare it with"
    distances: dict[tuple[str, str], dict[str, float]] = {}
    for row in composition:
        if row["arm"] in BY_SCORE and row["facet"] in _FAR:
            of_facet = distances.setdefault((row["arm"], row["facet"]), {})
            further = max(row["share"] - row["corpus_share"], 0.0)
            of_facet[row["language"]] = of_facet.get(row["language"], 0.0) + further
    warnings = []
    for (arm, facet), of_facet in distances.items():
        least, name = _FAR[facet]
        far = [f"{language} {distance:.0%}" for language, distance in of_facet.items() if distance >= least]
        if far:
            warnings.append(f"arm {arm} differs from the corpus in {name} ({', '.join(far)} of its tokens): {what}")
    return warnings


def unmatched(tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    """Return where the text of arm ``matched`` is not in the languages that the text of ``top`` is in."""
    holding = {(row["arm"], row["language"]) for row in tables["summary"] if row["units"]}
    shares: dict[str, dict[tuple[str, str], float]] = {}
    for row in tables["composition"]:
        if row["facet"] == "text_language" and row["arm"] in ("top", "matched"):
            shares.setdefault(row["language"], {})[row["arm"], row["value"]] = row["share"]
    warnings = []
    for language, of_language in shares.items():
        values = sorted({value for _, value in of_language})
        gap = fsum(abs(of_language.get(("top", one), 0) - of_language.get(("matched", one), 0)) for one in values) / 2
        if gap > _POINTS and {("top", language), ("matched", language)} <= holding:
            own = {arm: of_language.get((arm, language), 0.0) for arm in ("top", "matched")}
            warnings.append(
                f"the text of arms top and matched in {language} is not in the same languages: {gap:.1%} differs, and "
                f"{own['top']:.1%} and {own['matched']:.1%} are in {language}: the corpus has too few units alike"
            )
    return warnings


def _differences(config: SelectConfig, facts: Facts, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return where arms differ from others in language or type, and not only in pivots."""
    warnings = []
    for row in rows:
        if row["arm"] not in BY_SCORE or row["explained"] is None:
            continue
        if row["explained"] > _MOSTLY:
            warnings.append(
                f"arm {row['arm']} differs from the corpus in {row['language']} mainly in language composition or "
                f"document type: they bring {min(row['explained'], 1):.0%} of the difference in "
                f"{'pivots' if config.score != 'bridge' else 'bridges'}"
            )
    for arm in facts.arms:
        if without := facts.unscored(arm):
            warnings.append(
                f"arm {arm} holds no unit with a {facts.scored_by} in {', '.join(without)}: it is random there"
            )
    return warnings
