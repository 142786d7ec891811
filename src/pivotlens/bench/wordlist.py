"""Reading a word list: a TSV file with a row a concept and a column a language."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field, replace

import regex

from pivotlens.errors import ConfigError, DataError
from pivotlens.text import fold, language_code, normalise

_CONCEPT = ("concept", "concept_id")
ATTRIBUTES = ("split", "calibration", "pos", "synset", "band", "flags", "flags_note", "note")
SPLITS = ("test", "shot")
# Joiners are letters of a word in Persian and the scripts of India, and of emoji.
_INVISIBLE = regex.compile(r"(?V1)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}--[\u200c\u200d]]")
_WRITTEN = regex.compile(r"[\p{L}\p{N}\p{S}]")

Form = tuple[str, str]
"""A language and a folded word of it."""


@dataclass(frozen=True)
class ListedConcept:
    """A row of a word list.

    Attributes:
        split: ``test``, ``shot``, or empty where the list does not say.
        calibration: Whether it is in the calibration set; None where the list does not say.
        words: Accepted words by language, the displayed one first.
        band: Frequency band (high, middle, low) where the list has them.
        flags: What the list says of a language's displayed word.
        answers_only: By language, accepted words that are not counted in a corpus.
    """

    concept_id: str
    split: str
    calibration: bool | None
    pos: str
    synset: str
    words: dict[str, tuple[str, ...]]
    band: str = ""
    flags: dict[str, tuple[str, ...]] = field(default_factory=dict)
    answers_only: dict[str, frozenset[str]] = field(default_factory=dict)

    def forms(self) -> set[Form]:
        """Return every accepted word, folded, with its language."""
        return {(language, fold(word)) for language, words in self.words.items() for word in words}


def parse_word_list(content: bytes, name: str, languages: tuple[str, ...] = ()) -> list[ListedConcept]:
    """Parse a word list.

    Args:
        content: Of a UTF-8 TSV file whose first line names the columns: `concept`, then language codes; optional
            columns are `split` (test or shot), `calibration` (0 or 1), `pos`, `synset`, `band` (of frequency) and
            `flags` (``fr:loanword;zh:rare``). A language's cell holds a word, or several accepted ones separated by
            `|`, the displayed one first.
        name: Of the file, for errors.
        languages: Languages to keep; all when empty.

    Raises:
        DataError: The file is not such a list; names the line.
        ConfigError: A wanted language is not in it.
    """
    rows = read_rows(content, name)
    if len(rows) < 2:
        raise DataError(f"{name} holds no concepts", "Write a line with the column names, then a line a concept.")
    header = [cell.strip() for cell in rows[0]] or [""]
    if header[0] not in _CONCEPT:
        raise DataError(
            f"{name}, line 1: the first column is {header[0]!r}, not 'concept'",
            "Write a first line such as: concept<TAB>en<TAB>fr<TAB>zh.",
        )
    columns = language_columns(header, name)
    wanted = [language_code(code, "languages") for code in languages]
    for code in wanted:
        if code not in columns.values():
            raise ConfigError(
                f"language {code!r} (languages) is not in {name}", f"It has {', '.join(columns.values())}."
            )
    kept = {index: code for index, code in columns.items() if not wanted or code in wanted}
    if len(kept) < 2:
        raise DataError(f"{name} has fewer than two languages", "Translation needs two language columns.")
    concepts = [
        _parse_row(row, header, kept, columns, f"{name}, line {number}")
        for number, row in enumerate(rows[1:], start=2)
        if any(cell.strip() for cell in row)
    ]
    seen: set[str] = set()
    for concept in concepts:
        if concept.concept_id in seen:
            raise DataError(f"{name}: concept {concept.concept_id!r} stands there twice", "Give each its own id.")
        seen.add(concept.concept_id)
    return concepts


def read_rows(content: bytes, name: str) -> list[list[str]]:
    """Read tab-separated UTF-8 text in normal form C; a quote is a character like any other.

    Raises:
        DataError: It is no such text; names the line.
    """
    text = decoded(content, name)
    reader = csv.reader(io.StringIO(normalise(text)), delimiter="\t", quoting=csv.QUOTE_NONE)
    try:
        return list(reader)
    except csv.Error as error:
        raise DataError(
            f"{name}, line {reader.line_num + 1}: {error}", "Save the list as tab-separated text with Unix line ends."
        ) from error


def decoded(content: bytes, name: str) -> str:
    """Decode UTF-8, with or without a byte order mark.

    Raises:
        DataError: It is none; names the line.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DataError(
            f"{name}, line {line}: not valid UTF-8 (byte {error.start})", "Save the list as UTF-8."
        ) from error


def language_columns(header: list[str], name: str) -> dict[int, str]:
    """Return the language of each column that has one; the others are attributes.

    Raises:
        DataError: A column is neither, or a language has two.
    """
    columns: dict[int, str] = {}
    for index, cell in enumerate(header):
        if cell not in ATTRIBUTES and not (index == 0 and cell in _CONCEPT):
            try:
                code = language_code(cell)
            except ConfigError as error:
                raise DataError(
                    f"{name}, line 1: column {cell!r} is no language code",
                    f"Columns are BCP 47 codes such as en or fr, or one of {', '.join(ATTRIBUTES)}.",
                ) from error
            if code in columns.values():
                raise DataError(
                    f"{name}, line 1: column {cell!r} is language {code!r}, which has a column already",
                    "Give each language one column; a cell may hold several words separated by |.",
                )
            columns[index] = code
    if twice := next((cell for cell in header if header.count(cell) > 1), None):
        raise DataError(f"{name}, line 1: column {twice!r} stands there twice", "Give each column a name of its own.")
    return columns


def listed_forms(cell: str) -> tuple[str, ...]:
    """Return the words of a cell, which are separated by ``|``."""
    return tuple(dict.fromkeys(word.strip() for word in cell.split("|") if word.strip()))


def _parse_row(
    row: list[str], header: list[str], columns: dict[int, str], languages: dict[int, str], where: str
) -> ListedConcept:
    if len(row) != len(header):
        raise DataError(f"{where}: {len(row)} cells where the first line has {len(header)}", "Check the tabs.")
    cells = dict(zip(header, (cell.strip() for cell in row), strict=True))
    words = {}
    for index, code in columns.items():
        forms = listed_forms(row[index])
        if not forms:
            raise DataError(f"{where}: no word in language {code!r}", "Fill the cell or take the concept out.")
        for form in forms:
            _check_form(form, f"{where}: {form!r} in language {code!r}")
        words[code] = forms
    split = cells.get("split", "")
    if split and split not in SPLITS:
        raise DataError(f"{where}: split is {split!r}", "Write test or shot.")
    calibration = cells.get("calibration", "")
    if calibration not in ("", "0", "1"):
        raise DataError(f"{where}: calibration is {calibration!r}", "Write 0 or 1.")
    if not row[0].strip():
        raise DataError(f"{where}: the concept has no id", "Write a name in the first column.")
    return ListedConcept(
        concept_id=row[0].strip(),
        split=split,
        calibration=None if calibration == "" else calibration == "1",
        pos=cells.get("pos", ""),
        synset=cells.get("synset", ""),
        words=words,
        band=cells.get("band", ""),
        flags=_flags(cells.get("flags", ""), set(words), set(languages.values()), where),
    )


def _check_form(form: str, where: str) -> None:
    """Refuse what a model would be asked for to the letter, and nobody means."""
    if found := _INVISIBLE.search(form):
        raise DataError(f"{where} holds the invisible character U+{ord(found[0]):04X}", "Take it out of the cell.")
    if not _WRITTEN.search(form):
        raise DataError(f"{where} is no word: it has no letter", "Write the word, or take the concept out.")
    if len(form) > 1 and form[0] == form[-1] == '"':
        raise DataError(
            f"{where} is in quotes, which would be part of the word", "Save the list without quotes around its cells."
        )


def _flags(cell: str, kept: set[str], known: set[str], where: str) -> dict[str, tuple[str, ...]]:
    """Read ``fr:loanword;zh:two words``: flags of displayed words by language."""
    flags: dict[str, list[str]] = {}
    for part in cell.split(";"):
        if not part.strip():
            continue
        code, _, flag = (piece.strip() for piece in part.partition(":"))
        try:
            language = language_code(code)
        except ConfigError:
            language = ""
        if language not in known or not flag:
            raise DataError(
                f"{where}: flags hold {part.strip()!r}",
                "Write a language of the list, a colon and the flag, several separated by ;.",
            )
        if language in kept:
            flags.setdefault(language, []).append(flag)
    return {language: tuple(dict.fromkeys(found)) for language, found in flags.items()}


def with_split(concept: ListedConcept, split: str, calibration: bool | None) -> ListedConcept:
    """Return the concept in a split."""
    return replace(concept, split=split, calibration=calibration)
