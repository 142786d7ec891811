"""The promises of the shipped files, checked without trusting the builder."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from pivotlens.bench.versions import restored

from everyday_nouns.table import LANGUAGES, N_DISTRACTORS
from word_translation.build import STEM
from word_translation.distractors import MAX_ZIPF_DIFFERENCE, Translations, pair_problem
from word_translation.evidence import findings
from word_translation.lexicons import Lexicons
from word_translation.relations import Relations
from word_translation.splits import N_CALIBRATION, N_SHOTS
from word_translation.table import BANDS, FLAG, Row, accepted_problem, parse_rows, shape_problem

MIN_TESTS = 2000
TABLE = f"{STEM}.tsv"
DISTRACTORS = f"{STEM}_distractors.tsv"
_NOTE = re.compile(r"(en|fr|de|es|zh|ja)(?:/(\w+))?:no-source:(.+)")


def table_of_first_version(data: Path) -> list[Row]:
    """Return the table of version 1.0, made out of the shipped one."""
    names = {"words": TABLE, "distractors": DISTRACTORS, "links": f"{STEM}_links.tsv"}
    content = {part: (data / name).read_bytes() for part, name in names.items()}
    first = restored(content, (data / f"{STEM}_changes.tsv").read_bytes())
    return parse_rows(first["words"].decode(), TABLE)


def table_problems(rows: list[Row]) -> list[str]:
    """Everything in the table that breaks a promise of its datasheet and needs no source to be seen."""
    problems = _count_problems(rows) + _shared_problems(rows)
    for row in rows:
        problems += [f"{row.concept_id}: {problem}" for problem in _row_problems(row)]
    return problems


def _shared_problems(rows: list[Row]) -> list[str]:
    """Concepts that are nearly the same, displayed words whose sharing is not flagged, shots that share a word."""
    owners: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        for language in LANGUAGES:
            owners.setdefault((language, row.words[language][0].casefold()), []).append(row)
    problems = []
    pairs: Counter[tuple[str, str]] = Counter()
    for (language, form), ones in sorted(owners.items()):
        if language == "en" and len(ones) > 1:
            problems.append(f"en: {form!r} is displayed by {' and '.join(one.concept_id for one in ones)}")
        pairs.update((one.concept_id, other.concept_id) for one in ones for other in ones if one is not other)
        problems += [
            f"{one.concept_id}: flag {language}:shared does not fit"
            for one in ones
            if (f"{language}:shared" in one.flags) != (len(ones) > 1)
        ]
    problems += [
        f"{one} and {other} display the same word in {n} languages" for (one, other), n in pairs.items() if n > 1
    ]
    uses = Counter((language, form) for row in rows for language in LANGUAGES for form in row.forms(language))
    problems += [
        f"shot concept {row.concept_id} shares the {language} word {form!r}"
        for row in rows
        if row.split == "shot"
        for language in LANGUAGES
        for form in sorted(row.forms(language))
        if uses[language, form] > 1
    ]
    return problems


def _count_problems(rows: list[Row]) -> list[str]:
    ids = [row.concept_id for row in rows]
    tests = [row for row in rows if row.split == "test"]
    shots = [row for row in rows if row.split == "shot"]
    bands = Counter(row.band for row in tests)
    checks = {
        f"{len(tests)} test concepts, fewer than {MIN_TESTS}": len(tests) >= MIN_TESTS,
        f"{len(shots)} shot concepts, not {N_SHOTS}": len(shots) == N_SHOTS,
        "a split is neither test nor shot": len(tests) + len(shots) == len(rows),
        "rows are not sorted by a unique concept_id": ids == sorted(set(ids)),
        "a synset belongs to two concepts": len({row.synset for row in rows}) == len(rows),
        f"not exactly {N_CALIBRATION} calibration concepts": sum(row.calibration for row in rows) == N_CALIBRATION,
        "a shot concept or an adverb is a calibration concept": not any(
            row.calibration and (row.split == "shot" or row.pos == "r") for row in rows
        ),
        f"bands are no tertiles: {dict(bands)}": set(bands) == set(BANDS)
        and max(bands.values()) - min(bands.values()) <= 1,
    }
    return [problem for problem, holds in checks.items() if not holds]


def _row_problems(row: Row) -> list[str]:
    problems = []
    lemma, _, pos = row.concept_id.rpartition(".")
    if lemma.rstrip("0123456789") not in row.words["en"] or pos != row.pos:
        problems.append("the id is not an accepted English word, a number perhaps, and the part of speech")
    if not re.fullmatch(rf"\d{{8}}-{row.pos}", row.synset):
        problems.append(f"bad synset {row.synset}")
    problems += [f"unreadable flag {flag!r}" for flag in row.flags if not FLAG.fullmatch(flag)]
    for note in filter(None, row.flags_note.split(";")):
        match = _NOTE.fullmatch(note)
        if not match or (match[2] or row.words[match[1]][0]) not in row.words[match[1]]:
            problems.append(f"unreadable flags_note {note!r}")
    for language, words in row.words.items():
        if len(row.forms(language)) != len(words):
            problems.append(f"{language}: a word stands twice")
        for position, word in enumerate(words):
            problem = (accepted_problem if position else shape_problem)(language, row.pos, word)
            if problem:
                problems.append(f"{language}: {word!r} {problem}")
    return problems


def evidence_problems(rows: list[Row], lexicons: Lexicons) -> list[str]:
    """Words with neither source nor reason, reasons no longer needed, English words outside their synset."""
    problems = []
    for row in rows:
        synset = lexicons.wordnet.synsets.get(row.synset)
        if not synset or row.words["en"][0].casefold() not in {lemma.casefold() for lemma in synset.lemmas}:
            problems.append(f"{row.concept_id}: synset {row.synset} does not hold the displayed word")
            continue
        for finding in findings(row, lexicons):
            reason = row.reason(finding.language, finding.word)
            name = f"{row.concept_id}: {finding.language} {finding.word}"
            if not finding.sources and not reason:
                problems.append(f"{name} has neither a source nor a reason")
            if finding.sources and reason:
                problems.append(f"{name} has a source and needs no reason")
    return problems


def read_distractors(path: Path) -> list[tuple[str, str, int]]:
    """Read the distractors."""
    lines = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:])
    return [(cells[0], cells[1], int(cells[2])) for cells in lines]


def distractor_problems(
    rows: list[Row],
    distractors: list[tuple[str, str, int]],
    translations: Translations,
    relations: Relations,
    frequency: Callable[[str], float],
) -> list[str]:
    """Pairs that may not stand, wrong tiers, and concepts that do not have nine."""
    by_id = {row.concept_id: row for row in rows}
    problems = []
    of_concept = Counter(one for one, _, _ in distractors)
    for row in rows:
        if of_concept[row.concept_id] != (N_DISTRACTORS if row.split == "test" else 0):
            problems.append(f"{row.concept_id} has {of_concept[row.concept_id]} distractors")
    if len({(one, other) for one, other, _ in distractors}) != len(distractors):
        problems.append("a distractor stands twice")
    for one, other, tier in distractors:
        if one not in by_id or other not in by_id or one == other:
            problems.append(f"{one}: distractor {other} is no other concept")
            continue
        problem = pair_problem(by_id[one], by_id[other], translations, relations, frequency)
        if problem == "is far in frequency" and not _near_enough(by_id[one], rows, translations, relations, frequency):
            problem = ""
        if problem:
            problems.append(f"{one}: distractor {other} {problem}")
        if relations.tier(by_id[one].synset, by_id[other].synset) != tier:
            problems.append(f"{one}: distractor {other} is not of tier {tier}")
    return problems


def _near_enough(
    row: Row, rows: list[Row], translations: Translations, relations: Relations, frequency: Callable[[str], float]
) -> bool:
    """Whether a concept has nine valid distractors within the bound on frequency."""
    near = [
        other
        for other in rows
        if other is not row
        and other.pos == row.pos
        and abs(frequency(other.words["en"][0]) - frequency(row.words["en"][0])) <= MAX_ZIPF_DIFFERENCE
    ]
    return sum(not pair_problem(row, other, translations, relations, frequency) for other in near) >= N_DISTRACTORS


def stale_files(files: dict[str, str], data: Path) -> list[str]:
    """Files that differ from what the builder makes now."""
    return [
        f"{name} is not what the builder makes; run build --write"
        for name, text in files.items()
        if not (data / name).exists() or (data / name).read_bytes() != text.encode()
    ]
