"""How well the language of a pivot is told, held against judged tokens."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import orjson

from pivotlens.bench.config import BenchConfig
from pivotlens.bench.stage import build_benchmark
from pivotlens.statistics.proportion import wilson_interval
from pivotlens.text import Direction
from pivotlens.trace.pivot_languages import LANGUAGE_KINDS, NOT_TOLD, SEVERAL, PivotLanguages
from pivotlens.trace.token_sets import TokenLink
from tools.results_pages import markdown_table

MADE_ON = 120
"""So many of the judged tokens, the first ones, were seen while the rule was made."""
_CODES = dict(zip("EOTSMU", LANGUAGE_KINDS, strict=True))


def judged_and_told(folder: Path) -> list[tuple[str, str]]:
    """Return what each token was judged to be and what the rule tells, in the order of the draw."""
    lines = (folder / "judged.tsv").read_text(encoding="utf-8").splitlines()
    judged = {int(number): _CODES[code] for number, code in (line.split("\t") for line in lines)}
    with tempfile.TemporaryDirectory() as run:
        benchmark = build_benchmark(BenchConfig(words="word-translation"), run)
        languages = PivotLanguages.of(benchmark.concepts.values())
    found = []
    for row in map(orjson.loads, (folder / "items.jsonl").read_bytes().splitlines()):
        link = TokenLink(row["relation"], tuple(row["languages"])) if row["relation"] else None
        direction = Direction(row["source_language"], row["target_language"])
        found.append((judged[row["number"]], languages.kind(row["token"], link, direction)))
    return found


def languages_section(folder: Path) -> list[str]:
    """Return the part of the page on the language of pivots."""
    pairs = judged_and_told(folder)
    held_out = pairs[MADE_ON:]
    errors = [pair for pair in held_out if pair[0] != pair[1]]
    untold = sum(NOT_TOLD in pair for pair in errors)
    between = sum(SEVERAL in pair and NOT_TOLD not in pair for pair in errors)
    wrong = len(errors) - untold - between
    return [
        "## What a pivot is written in",
        "",
        f"{len(pairs)} distinct tokens that `calibrated` calls pivots in these items, drawn at random and judged under "
        "another [guideline](../../tools/behaviour_labels/LANGUAGES.md) by one language model, the one that wrote the "
        f"rule too, before the rule was run on them. The rule was made on the first {MADE_ON}: it is right for "
        f"{_right(pairs[:MADE_ON])}. Of the {len(held_out)} others it is right for **{_right(held_out)}**:",
        "",
        *markdown_table(
            ["kind", "judged so", "told so", "both", "right where told", "found where judged"],
            (_row(kind, held_out) for kind in LANGUAGE_KINDS),
        ),
        "",
        f"Of the {len(errors)} errors {between} are between one kind and `several`, for the rule knows no meaning; "
        f"{untold} are of tokens that the rule or the judge could not tell; {wrong} put a pivot in a wrong language.",
        "",
    ]


def _row(kind: str, pairs: Iterable[tuple[str, str]]) -> list[str]:
    counts = Counter((judged == kind, told == kind) for judged, told in pairs)
    both = counts[True, True]
    judged, told = both + counts[True, False], both + counts[False, True]
    return [f"`{kind}`", f"{judged}", f"{told}", f"{both}", _share(both, told), _share(both, judged)]


def _right(pairs: list[tuple[str, str]]) -> str:
    right = sum(judged == told for judged, told in pairs)
    return f"{right} of {len(pairs)}, {_share(right, len(pairs))}"


def _share(successes: int, trials: int) -> str:
    low, high = wilson_interval(successes, trials)
    return f"{successes / trials:.3f} [{low:.3f}, {high:.3f}]" if trials else "–"
