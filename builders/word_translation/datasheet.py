"""The figures of the datasheet, between its markers."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from everyday_nouns.table import LANGUAGES
from word_translation.build import Built, changed
from word_translation.table import BANDS, POS, Row

DATASHEET = "WORD_TRANSLATION.md"
_BEGIN = "<!-- figures: begin; written by word_translation build, do not edit -->"
_END = "<!-- figures: end -->"
_SOURCES = (
    "wordnet",
    "jmdict",
    "jmdict-pivot",
    "jmdict-derived",
    "jmdict-phrase",
    "cedict",
    "cedict-derived",
    "cedict-phrase",
    "cldr",
    "concepticon",
    "freedict",
    "freedict-german",
)


def with_figures(path: Path, built: Built) -> str:
    """Return the datasheet with the figures of this build.

    Raises:
        ValueError: the markers are not there once each.
    """
    text = path.read_text(encoding="utf-8")
    if text.count(_BEGIN) != 1 or text.count(_END) != 1:
        raise ValueError(f"{path.name} does not have the two markers around its figures")
    head, rest = text.split(_BEGIN)
    return f"{head}{_BEGIN}\n\n{figures(built)}\n\n{_END}{rest.split(_END)[1]}"


def figures(built: Built) -> str:
    """Return all generated figures as Markdown."""
    tests = [row for row in built.rows if row.split == "test"]
    shots = [row for row in built.rows if row.split == "shot"]
    parts = [
        _headline(built, tests, shots),
        "### Concepts by part of speech and frequency band\n\n" + _concepts(tests, shots),
        "### Words by language (test concepts)\n\n" + _words(tests),
        "### What version 1.1 changed (test and shot concepts)\n\n" + _changes(built),
        "### Flags (test concepts)\n\n" + _flags(tests),
        "### Distractors by tier\n\n" + _tiers(built, tests),
        "### Linked words by relation\n\n" + _links(built),
        "### Sources that attest the displayed words (test and shot concepts)\n\n" + _evidence(built),
    ]
    return "\n\n".join(parts)


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---", *("---:" for _ in header[1:])], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _headline(built: Built, tests: list[Row], shots: list[Row]) -> str:
    kept = sum(one.keep for one in built.decisions.values())
    dropped = {one.concept_id for one in built.removals if "concept dropped" in one.rule}
    calibration = sum(row.calibration for row in tests)
    return (
        f"{len(tests):,} test concepts, {calibration} of them also calibration concepts, and {len(shots)} shot "
        "concepts. "
        f"Of {built.candidates:,} proposed candidates, reviewers decided about {len(built.decisions):,} and kept "
        f"{kept:,}; {len(dropped):,} of those were dropped because a more frequent concept displays several of their "
        "words or has their synset, or because a word has not the form of one, and "
        f"{len(built.left_out):,} because they have no nine valid distractors."
    )


def _concepts(tests: list[Row], shots: list[Row]) -> str:
    count = Counter((row.pos, row.band) for row in tests)
    of_shots = Counter(row.pos for row in shots)
    calibration = Counter(row.pos for row in tests if row.calibration)
    rows = []
    for pos, name in POS.items():
        of_band = [count[pos, band] for band in BANDS]
        rows.append([name, *map(str, of_band), str(sum(of_band)), str(calibration[pos]), str(of_shots[pos])])
    totals = [sum(int(row[i]) for row in rows) for i in range(1, 7)]
    return _table(["", *BANDS, "test", "of these calibration", "shot"], [*rows, ["all", *map(str, totals)]])


def _words(tests: list[Row]) -> str:
    rows = []
    for language in LANGUAGES:
        accepted = sum(len(row.words[language]) for row in tests)
        several = sum(len(row.words[language]) > 1 for row in tests)
        alike = [
            str(sum(row.words[language][0].casefold() == row.words[other][0].casefold() for row in tests))
            if other != language
            else "-"
            for other in LANGUAGES
        ]
        rows.append([language, str(len(tests)), str(accepted), str(several), *alike])
    alike_header = [f"spelled as {other}" for other in LANGUAGES]
    return _table(["", "displayed", "accepted", "cells with several", *alike_header], rows)


def _changes(built: Built) -> str:
    count = changed(built)
    kinds = sorted({(change, rule) for _, rule, change in count})
    rows = [
        [f"{change}, {rule}", *(f"{count[language, rule, change]:,}" for language in LANGUAGES)]
        for change, rule in kinds
    ]
    cells = {(one, language) for one, language, change, *_ in built.extended.changes if change != "unlinked"}
    note = (
        f"{len(cells):,} cells differ from 1.0. {len(built.extended.left):,} words were not added, because a shot "
        "concept or a distractor has them or because of their form. "
        f"{len(built.linked):,} of {len(built.chosen):,} distractors have a link with their concept in some sense of a "
        "word that was added."
    )
    return _table(["", *LANGUAGES], rows) + "\n\n" + note


def _flags(tests: list[Row]) -> str:
    count = Counter(flag for row in tests for flag in row.flags)
    return _table(["flag", "concepts"], [[f"`{flag}`", str(n)] for flag, n in sorted(count.items())] or [["none", "0"]])


def _tiers(built: Built, tests: list[Row]) -> str:
    pos = {row.concept_id: row.pos for row in tests}
    count = Counter((pos[one.concept_id], one.tier) for one in built.chosen)
    rows = [[name, *(str(count[key, tier]) for tier in range(4))] for key, name in POS.items()]
    far = sum(one.far_in_frequency for one in built.chosen)
    concepts = len({one.concept_id for one in built.chosen if one.far_in_frequency})
    note = f"{far:,} of {len(built.chosen):,} distractors, of {concepts:,} concepts, are outside the frequency bound."
    return _table(["", "0", "1", "2", "3"], rows) + "\n\n" + note


def _links(built: Built) -> str:
    lines = built.files["word_translation_links.tsv"].splitlines()[1:]
    count = Counter(line.rsplit("\t", 1)[1] for line in lines)
    return _table(["relation", "words"], [[f"`{relation}`", f"{n:,}"] for relation, n in sorted(count.items())])


def _evidence(built: Built) -> str:
    shown = [one for one in built.findings if one.displayed]
    count = Counter((one.language, source) for one in shown for source in one.sources)
    several = Counter(one.language for one in shown if len(one.sources) > 1)
    none = Counter(one.language for one in shown if not one.sources)
    rows = [
        [language, *(str(count[language, source]) for source in _SOURCES), str(several[language]), str(none[language])]
        for language in LANGUAGES
    ]
    also = [one for one in built.findings if not one.displayed]
    unproved = sum(not one.sources for one in also)
    note = (
        f"Of {len(also):,} further accepted words of version 1.0, {sum(len(one.sources) > 1 for one in also):,} are "
        f"attested by two sources or more and {unproved:,} have a reason in place of a source."
    )
    return _table(["", *_SOURCES, "two or more", "none (a reason instead)"], rows) + "\n\n" + note
