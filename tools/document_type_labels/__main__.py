"""Prints how often the types and languages that are found are those that were judged."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import orjson

from pivotlens.corpus.composing import by_lines
from pivotlens.corpus.composition import DOCUMENT_TYPES

LABELLED = Path(__file__).parent / "units.jsonl"


def judged_and_found() -> tuple[Counter[tuple[str, str]], int, int]:
    """Return how often each judged type was found as which; monolingual units, and those whose language was found."""
    units = [orjson.loads(line) for line in LABELLED.read_bytes().splitlines()]
    found = by_lines([unit["text"] for unit in units], [unit["label"] for unit in units])
    types: Counter[tuple[str, str]] = Counter(
        (unit["type"], kind) for unit, kind in zip(units, found.document_types, strict=True)
    )
    languages = [
        unit["language"] == language for unit, language in zip(units, found.languages, strict=True) if unit["language"]
    ]
    return types, len(languages), sum(languages)


if __name__ == "__main__":
    counts, n_languages, right = judged_and_found()
    print("| judged \\ found |", " | ".join(DOCUMENT_TYPES), "|")
    for judged in DOCUMENT_TYPES:
        print(f"| {judged} |", " | ".join(str(counts[judged, kind]) for kind in DOCUMENT_TYPES), "|")
    print(f"language found: {right} of {n_languages} monolingual units")
