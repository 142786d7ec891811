"""Read the word table and check its invariants."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

LANGUAGES = ("en", "fr", "de", "es", "zh", "ja")
HEADER = ("concept_id", "split", "calibration", "pos", "synset", "flags_note", *LANGUAGES)
N_CALIBRATION = 100
N_DISTRACTORS = 9
ROWS = range(148, 166)
SHOTS = range(20, 25)
MIN_TESTS = 128

_NOTE = re.compile(r"(en|fr|de|es|zh|ja)(?:/(\w+))?:no-source:(.+)")
_SCRIPTS = {
    "zh": ("CJK UNIFIED",),
    "ja": ("CJK UNIFIED", "HIRAGANA", "KATAKANA", "IDEOGRAPHIC ITERATION"),
}


@dataclass(frozen=True)
class Concept:
    """One row of the table; `words[language]` starts with the displayed word."""

    concept_id: str
    split: str
    calibration: bool
    pos: str
    synset: str
    flags_note: str
    words: dict[str, tuple[str, ...]]

    def forms(self, language: str) -> frozenset[str]:
        """Return the accepted words of a language, case-folded for comparison."""
        return frozenset(word.casefold() for word in self.words[language])

    def reason(self, language: str, word: str) -> str:
        """Return the reason that flags_note gives for a word without a source, or ''.

        `es:no-source:why` speaks of the displayed word, `es/word:no-source:why` of another accepted word.
        """
        for note in self.flags_note.split(";"):
            match = _NOTE.fullmatch(note.strip())
            if match and match[1] == language and (match[2] or self.words[language][0]) == word:
                return match[3]
        return ""


def read_cells(path: Path, header: tuple[str, ...]) -> list[dict[str, str]]:
    """Read the lines of a tab-separated table by column.

    Raises:
        ValueError: a line does not have the columns of the header.
    """
    return parse_cells(path.read_text(encoding="utf-8"), path.name, header)


def parse_cells(text: str, name: str, header: tuple[str, ...]) -> list[dict[str, str]]:
    """Read the lines of a tab-separated text by column.

    Raises:
        ValueError: a line does not have the columns of the header.
    """
    lines = text.splitlines()
    if tuple(lines[0].split("\t")) != header:
        raise ValueError(f"{name}: the header is not {' '.join(header)}")
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        cells = line.split("\t")
        if len(cells) != len(header):
            raise ValueError(f"{name}:{number}: {len(cells)} columns, not {len(header)}")
        rows.append(dict(zip(header, cells, strict=True)))
    return rows


def read_table(path: Path) -> list[Concept]:
    """Read the table.

    Raises:
        ValueError: a line does not have the columns of the header.
    """
    concepts = []
    for number, row in enumerate(read_cells(path, HEADER), start=2):
        if row["calibration"] not in {"0", "1"}:
            raise ValueError(f"{path.name}:{number}: calibration is not 0 or 1")
        concepts.append(
            Concept(
                concept_id=row["concept_id"],
                split=row["split"],
                calibration=row["calibration"] == "1",
                pos=row["pos"],
                synset=row["synset"],
                flags_note=row["flags_note"],
                words={language: tuple(row[language].split("|")) for language in LANGUAGES},
            )
        )
    return concepts


def table_problems(concepts: list[Concept]) -> list[str]:
    """List everything in the table that breaks a promise of its README."""
    problems = _count_problems(concepts)
    for concept in concepts:
        problems += [f"{concept.concept_id}: {problem}" for problem in _row_problems(concept)]
    return problems + _shared_words(concepts)


def _count_problems(concepts: list[Concept]) -> list[str]:
    splits = Counter(concept.split for concept in concepts)
    ids = [concept.concept_id for concept in concepts]
    synsets = Counter(concept.synset for concept in concepts)
    checks = {
        f"{len(concepts)} rows": len(concepts) in ROWS,
        f"{splits['shot']} shot concepts": splits["shot"] in SHOTS,
        f"{splits['test']} test concepts": splits["test"] >= MIN_TESTS,
        f"splits {sorted(splits)}": set(splits) == {"test", "shot"},
        "rows are not sorted by a unique concept_id": ids == sorted(set(ids)),
        "a synset belongs to two concepts": max(synsets.values()) == 1,
        f"not exactly {N_CALIBRATION} calibration concepts": sum(c.calibration for c in concepts) == N_CALIBRATION,
        "a shot concept is a calibration concept": not any(c.calibration and c.split == "shot" for c in concepts),
    }
    return [problem for problem, holds in checks.items() if not holds]


def _row_problems(concept: Concept) -> list[str]:
    problems = []
    if concept.concept_id != f"{concept.words['en'][0]}.n" or concept.pos != "n":
        problems.append("the id is not the displayed English word and .n")
    if not re.fullmatch(r"\d{8}-n", concept.synset):
        problems.append(f"bad synset {concept.synset}")
    for note in filter(None, concept.flags_note.split(";")):
        match = _NOTE.fullmatch(note.strip())
        if not match or (match[2] or concept.words[match[1]][0]) not in concept.words[match[1]]:
            problems.append(f"unreadable flags_note {note!r}")
    for language, words in concept.words.items():
        if len(concept.forms(language)) != len(words):
            problems.append(f"{language}: a word stands twice")
        problems += [f"{language}: {word!r} {problem}" for word in words for problem in _word_problems(language, word)]
    return problems


def _word_problems(language: str, word: str) -> list[str]:
    problems = []
    if unicodedata.normalize("NFC", word) != word:
        problems.append("is not NFC")
    scripts = _SCRIPTS.get(language, ("LATIN",))
    # The long-vowel mark is a letter of the kana block: "KATAKANA-HIRAGANA PROLONGED SOUND MARK".
    if not word or not all(unicodedata.name(char, "").startswith(scripts) for char in word):
        problems.append("is not one word in the script of its language")
    if language == "de" and not word[:1].isupper():
        problems.append("is a German noun without its capital")
    # An all-capitals abbreviation such as TV keeps its spelling.
    if language in {"en", "fr", "es"} and word != word.lower() and word != word.upper():
        problems.append("has a capital")
    return problems


def _shared_words(concepts: list[Concept]) -> list[str]:
    problems = []
    for language in LANGUAGES:
        owners: dict[str, str] = {}
        for concept in concepts:
            for form in sorted(concept.forms(language)):
                other = owners.setdefault(form, concept.concept_id)
                if other != concept.concept_id:
                    problems.append(f"{language}: {form!r} belongs to {other} and to {concept.concept_id}")
    return problems
