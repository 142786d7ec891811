"""What two blind reviews say of the accepted words, merged: agreement, dictionaries, and a third judge."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pivotlens.text import fold

from everyday_nouns.table import LANGUAGES
from word_translation.evidence import findings
from word_translation.lexicons import Lexicons
from word_translation.table import Row, accepted_problem

REVIEW_HEADER = ("concept_id", "language", "change", "word", "why")
UNDECIDED_HEADER = ("concept_id", "pos", "gloss", "en", "language", "accepted", "change", "word", "decision")
CHANGES = ("add", "remove")
DECISIONS = {"yes": True, "no": False}
BOTH, ONE_ATTESTED, THIRD = "both reviewers", "one reviewer + dictionary", "third judgement"
# A word within a longer gloss is too little beside a single reviewer.
_WEAK = "-phrase"


@dataclass(frozen=True, order=True)
class Change:
    """A word to accept, or to accept no longer."""

    concept_id: str
    language: str
    change: str
    word: str
    why: str = ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What two reviewers must agree on."""
        return self.concept_id, self.language, self.change, fold(self.word)


@dataclass(frozen=True)
class Merged:
    """What became of two reviews.

    Attributes:
        taken: Changes to make, with why.
        undecided: Changes that a third judge must decide about.
        refused: What the third judge did not take.
        left: Lines that ask for nothing, or for what cannot be done, each with the reason.
    """

    taken: list[Change]
    undecided: list[Change]
    refused: list[Change]
    left: list[str]


def read_changes(path: Path) -> list[Change]:
    """Read a reviewer's lines ``concept_id, language, add or remove, word`` or the table of the builder.

    Raises:
        ValueError: a line is none; names it.
    """
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1):
        cells = [unicodedata.normalize("NFC", cell.strip()) for cell in line.split("\t")]
        if not line.strip() or cells[0] == "concept_id":
            continue
        if not 4 <= len(cells) <= 5 or cells[1] not in LANGUAGES or cells[2] not in CHANGES or not cells[3]:
            raise ValueError(f"{path.name}:{number}: not concept_id, language, add or remove, and a word: {line!r}")
        found.append(Change(*cells))
    return found


def read_decisions(path: Path) -> dict[tuple[str, str, str, str], bool]:
    """Read the undecided changes with the third judge's `decision`, yes or no.

    Raises:
        ValueError: a line has none; names it.
    """
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    header = lines[0].split("\t")
    missing = {"concept_id", "language", "change", "word", "decision"} - set(header)
    if missing:
        raise ValueError(f"{path.name} lacks the columns {', '.join(sorted(missing))}")
    found = {}
    for number, line in enumerate(lines[1:], start=2):
        cells = dict(
            zip(header, (unicodedata.normalize("NFC", cell.strip()) for cell in line.split("\t")), strict=False)
        )
        if cells.get("decision") not in DECISIONS:
            raise ValueError(f"{path.name}:{number}: the decision is {cells.get('decision')!r}, not yes or no")
        change = Change(*(cells[name] for name in ("concept_id", "language", "change", "word")))
        found[change.key] = DECISIONS[cells["decision"]]
    return found


def merge(
    first: Iterable[Change],
    second: Iterable[Change],
    rows: Mapping[str, Row],
    lexicons: Lexicons,
    decisions: Mapping[tuple[str, str, str, str], bool] | None = None,
) -> Merged:
    """Merge two blind reviews.

    What both ask for is done. What one asks for is done where a third judge says so, or, where none decided, where it
    adds a word that a dictionary links with the concept. A displayed word is never taken out.

    Args:
        first: The changes that one reviewer asks for.
        second: Those of the other.
        rows: The reviewed table.
        lexicons: The dictionaries.
        decisions: Of the third judge.
    """
    asked: list[dict[tuple[str, str, str, str], Change]] = []
    left: list[str] = []
    for name, changes in (("A", first), ("B", second)):
        kept: dict[tuple[str, str, str, str], Change] = {}
        for change in changes:
            problem = _problem(change, rows)
            if problem:
                left.append("\t".join((name, *change.key[:3], change.word, problem)))
            else:
                kept.setdefault(change.key, change)
        asked.append(kept)
    taken: list[Change] = []
    undecided: list[Change] = []
    refused: list[Change] = []
    for key in sorted(asked[0].keys() | asked[1].keys()):
        change = asked[0].get(key) or asked[1][key]
        if key in asked[0] and key in asked[1]:
            taken.append(replace(change, why=BOTH))
        elif decisions and key in decisions:  # who read a word knows more than a dictionary that links it
            (taken if decisions[key] else refused).append(replace(change, why=THIRD))
        elif change.change == "add" and is_attested(change, rows[change.concept_id], lexicons):
            taken.append(replace(change, why=ONE_ATTESTED))
        else:
            undecided.append(change)
    return Merged(sorted(taken), sorted(undecided), sorted(refused), left)


def is_attested(change: Change, row: Row, lexicons: Lexicons) -> bool:
    """Whether a dictionary links a word with the concept."""
    cell = (row.words[change.language][0], change.word)
    beside = replace(row, words=row.words | {change.language: cell})
    found = next(one for one in findings(beside, lexicons) if one.language == change.language and not one.displayed)
    return any(not source.endswith(_WEAK) for source in found.sources)


def _problem(change: Change, rows: Mapping[str, Row]) -> str:
    """Say why a change is left out before anybody decides about it, or ''."""
    row = rows.get(change.concept_id)
    if row is None:
        return "no such concept"
    there = fold(change.word) in {fold(word) for word in row.words[change.language]}
    if change.change == "add":
        return "accepted already" if there else accepted_problem(change.language, row.pos, change.word)
    if fold(change.word) == fold(row.words[change.language][0]):
        return "is displayed"
    return "" if there else "not accepted"


def review_tsv(changes: Sequence[Change]) -> str:
    """Write the table that the builder reads."""
    lines = ["\t".join((*one.key[:3], one.word, one.why)) for one in sorted(changes)]
    return "\n".join(["\t".join(REVIEW_HEADER), *lines]) + "\n"


def undecided_tsv(changes: Sequence[Change], rows: Mapping[str, Row], glosses: Mapping[str, str]) -> str:
    """Write the changes for a third judge, who fills the last column with yes or no; who asked is not told."""
    lines = ["\t".join(UNDECIDED_HEADER)]
    for one in changes:
        row = rows[one.concept_id]
        accepted = "|".join(row.words[one.language])
        shown = (one.concept_id, row.pos, glosses[row.synset], row.words["en"][0], one.language, accepted)
        lines.append("\t".join((*shown, one.change, one.word, "")))
    return "\n".join(lines) + "\n"
