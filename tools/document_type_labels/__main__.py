"""Prints how often the types and languages that are found are those that were judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from pivotlens.corpus.composing import by_lines
from pivotlens.corpus.composition import DOCUMENT_TYPES
from pivotlens.statistics.proportion import wilson_interval

FOLDER = Path(__file__).parent
Unit = dict[str, Any]
Counts = Counter[tuple[str, str]]


def labelled(name: str = "units") -> list[Unit]:
    """Return the labelled units of a file: ``units``, ``more_units`` or ``switched_units``; see ``GUIDELINE.md``."""
    return [orjson.loads(line) for line in (FOLDER / f"{name}.jsonl").read_bytes().splitlines()]


def judged_and_found(units: Sequence[Unit]) -> tuple[Counts, int, int]:
    """Return how often each judged type was found as which; monolingual units, and those whose language was found."""
    found = by_lines([unit["text"] for unit in units], [unit["label"] for unit in units])
    types: Counts = Counter((unit["type"], kind) for unit, kind in zip(units, found.document_types, strict=True))
    languages = [
        unit["language"] == language for unit, language in zip(units, found.languages, strict=True) if unit["language"]
    ]
    return types, len(languages), sum(languages)


def recall_and_precision(types: Counts, kind: str) -> tuple[str, str]:
    """Return both of a type, each with its counts and its 95 % interval (Wilson)."""
    right = types[kind, kind]
    judged = sum(count for (of, _), count in types.items() if of == kind)
    found = sum(count for (_, as_), count in types.items() if as_ == kind)
    recall, precision = (_share(right, n) for n in (judged, found))
    return recall, precision


def _share(right: int, n: int) -> str:
    low, high = wilson_interval(right, n)
    return f"{right} of {n} ({low:.2f}–{high:.2f})" if n else "–"


def _print(title: str, units: Sequence[Unit]) -> None:
    counts, n_languages, right = judged_and_found(units)
    print(f"\n{title}: {len(units)} units\n")
    print("| judged \\ found |", " | ".join(DOCUMENT_TYPES), "| recall | precision |")
    print(f"|---|{'---:|' * (len(DOCUMENT_TYPES) + 2)}")
    for judged in DOCUMENT_TYPES:
        cells = [str(counts[judged, kind]) for kind in DOCUMENT_TYPES]
        print(f"| {judged} |", " | ".join([*cells, *recall_and_precision(counts, judged)]), "|")
    if n_languages:
        print(f"\nlanguage found: {right} of {n_languages} monolingual units")


if __name__ == "__main__":
    first, more = labelled(), labelled("more_units")
    _print("by found type, and by heuristics and at random", [*first, *more])
    for drawn in dict.fromkeys(unit["drawn"] for unit in more):
        _print(drawn, [unit for unit in more if unit["drawn"] == drawn])
    _print("constructed", labelled("switched_units"))
