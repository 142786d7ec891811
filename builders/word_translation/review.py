"""The reviewed override table: what people decided about each candidate."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from everyday_nouns.table import LANGUAGES

REVIEW_HEADER = ("concept_id", "decision", "cells", "note")
REASON_HEADER = ("concept_id", "language", "word", "why")
CANDIDATE_HEADER = ("concept_id", "pos", "synset", "chunk")
# A note speaks of one word, `lang/WORD:why`, or of the displayed word, `lang:why`.
_NOTE = re.compile(r"(en|fr|de|es|zh|ja)(?:/([^:：]+))?\s*[:：]\s*(.+)")
_MARK = re.compile(r"\b(en|fr|de|es|zh|ja)(?:/[^:：;]+)?:\s*(plural_only|kana|multiple_scripts)\b")
_NEXT_NOTE = re.compile(r"[;,|]\s*(?=(?:en|fr|de|es|zh|ja)(?:/[^:：;]+)?[:：])|;")


@dataclass(frozen=True)
class Listed:
    """A line of the candidate list."""

    concept_id: str
    pos: str
    synset: str
    chunk: int


@dataclass(frozen=True)
class Decision:
    """A reviewer's line.

    `whys` maps (language, word or '' for the displayed one) to the reason noted.

    `marks` are flags such as ``en:plural_only``, `synset` another sense than the candidate's, or ''.
    """

    concept_id: str
    keep: bool
    words: dict[str, tuple[str, ...]]
    note: str
    whys: dict[tuple[str, str], str]
    marks: frozenset[str]
    synset: str
    file: str


def read_candidates(path: Path) -> dict[str, Listed]:
    """Read the candidate list."""
    lines = path.read_text(encoding="utf-8").splitlines()
    if tuple(lines[0].split("\t")) != CANDIDATE_HEADER:
        raise ValueError(f"{path.name}: the header is not {' '.join(CANDIDATE_HEADER)}")
    listed = (Listed(cells[0], cells[1], cells[2], int(cells[3])) for cells in (line.split("\t") for line in lines[1:]))
    return {one.concept_id: one for one in listed}


def read_reviews(folder: Path, candidates: dict[str, Listed]) -> tuple[dict[str, Decision], list[str]]:
    """Read the review tables of the chunks, then the second pass, which overrides them.

    Returns:
        The last decision on each concept, and the problems met: unreadable lines and unknown concepts.
    """
    decisions: dict[str, Decision] = {}
    problems: list[str] = []
    first = sorted(path for path in folder.glob("*.tsv") if path.stem.isdigit())
    second = [path for path in (folder / "second_pass.tsv",) if path.exists()]
    for path in (*first, *second):
        seen: set[str] = set()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if (number == 1 and tuple(line.split("\t")) == REVIEW_HEADER) or not line.strip():
                continue
            where = f"{path.name}:{number}"
            try:
                decision = parse_decision(line, path.name)
            except ValueError as error:
                problems.append(f"{where}: {error}")
                continue
            if decision.concept_id not in candidates:
                problems.append(f"{where}: {decision.concept_id} is no candidate")
            elif decision.concept_id in seen:
                problems.append(f"{where}: {decision.concept_id} stands in the file twice")
            else:
                seen.add(decision.concept_id)
                decisions[decision.concept_id] = decision
    reviewed = {int(path.stem) for path in first}  # a chunk that nobody has reviewed is not in the benchmark
    missing = sorted(set(candidates) - set(decisions))
    problems += [f"{one}: no review decides about it" for one in missing if candidates[one].chunk in reviewed]
    return decisions, problems


def read_reasons(path: Path) -> list[tuple[str, str, str, str]]:
    """Read reasons given apart from the reviews: concept_id, language, word and why a line; no file, no reasons.

    Raises:
        ValueError: a line does not have the four columns.
    """
    if not path.exists():
        return []
    found = []
    lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or tuple(lines[0].split("\t")) != REASON_HEADER:
        raise ValueError(f"{path.name}: the header is not {' '.join(REASON_HEADER)}")
    for number, line in enumerate(lines[1:], start=2):
        cells = [unicodedata.normalize("NFC", cell.strip()) for cell in line.split("\t")]
        if (
            len(cells) != len(REASON_HEADER)
            or cells[1] not in LANGUAGES
            or not all(cells)
            or {";", ":"} & set(cells[3])
        ):
            raise ValueError(f"{path.name}:{number}: not concept_id, language, word and a reason without ; and :")
        found.append((cells[0], cells[1], cells[2], cells[3]))
    return found


def parse_decision(line: str, file: str) -> Decision:
    """Parse a line of a review table.

    Raises:
        ValueError: what is wrong with it.
    """
    cells = [unicodedata.normalize("NFC", cell.strip()) for cell in line.split("\t")]
    if not 2 <= len(cells) <= 4:
        raise ValueError(f"{len(cells)} columns, not {len(REVIEW_HEADER)}")
    concept_id, decision, written, note = (*cells, "", "")[:4]
    if decision not in {"keep", "drop"}:
        raise ValueError(f"{concept_id}: the decision is {decision!r}, not keep or drop")
    words: dict[str, tuple[str, ...]] = {}
    if decision == "keep":
        for part in filter(None, (part.strip() for part in written.split(";"))):
            language, equals, accepted = part.partition("=")
            if not equals or language.strip() not in LANGUAGES or language.strip() in words:
                raise ValueError(f"{concept_id}: unreadable cell {part!r}")
            found = (word.strip() for word in accepted.split("|"))
            words[language.strip()] = tuple(dict.fromkeys(word for word in found if word))
        missing = [language for language in LANGUAGES if not words.get(language)]
        if missing:
            raise ValueError(f"{concept_id}: no word in {', '.join(missing)}")
    synset = re.search(r"\bsynset=(\S*?\d{8}-[nvar])\b", note)
    return Decision(
        concept_id,
        decision == "keep",
        words,
        note,
        parse_whys(note) if words else {},
        frozenset(f"{match[1]}:{match[2]}" for match in _MARK.finditer(note)),
        synset[1] if synset else "",
        file,
    )


def parse_whys(note: str) -> dict[tuple[str, str], str]:
    """Take the reasons for single words out of a note."""
    found: dict[tuple[str, str], str] = {}
    for part in _NEXT_NOTE.split(note):
        match = _NOTE.fullmatch(part.strip())
        if match and not _MARK.match(part.strip()):
            # Tabs cannot occur; semicolons and colons would break flags_note.
            why = match[3].replace(":", " -").removeprefix("no-source -").strip()
            for word in (match[2] or "").split("|"):
                found[match[1], word.strip()] = why
    return found
