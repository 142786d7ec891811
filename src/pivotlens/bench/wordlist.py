"""Reading a word list: a TSV file with a row a concept and a column a language."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, replace

from pivotlens.errors import ConfigError, DataError
from pivotlens.text import fold, language_code, normalise

_CONCEPT = ("concept", "concept_id")
_ATTRIBUTES = ("split", "calibration", "pos", "synset", "flags_note", "note")
SPLITS = ("test", "shot")


@dataclass(frozen=True)
class ListedConcept:
    """A row of a word list.

    Attributes:
        split: ``test``, ``shot``, or empty where the list does not say.
        calibration: Whether it is in the calibration set; None where the list does not say.
        words: Accepted words by language, the displayed one first.
    """

    concept_id: str
    split: str
    calibration: bool | None
    pos: str
    synset: str
    words: dict[str, tuple[str, ...]]

    def forms(self) -> set[tuple[str, str]]:
        """Return every accepted word, folded, with its language."""
        return {(language, fold(word)) for language, words in self.words.items() for word in words}


def parse_word_list(content: bytes, name: str, languages: tuple[str, ...] = ()) -> list[ListedConcept]:
    """Parse a word list.

    Args:
        content: Of a UTF-8 TSV file whose first line names the columns: `concept`, then language codes; optional
            columns are `split` (test or shot), `calibration` (0 or 1), `pos` and `synset`. A cell holds a word, or
            several accepted ones separated by `|`, the displayed one first.
        name: Of the file, for errors.
        languages: Languages to keep; all when empty.

    Raises:
        DataError: The file is not such a list; names the line.
        ConfigError: A wanted language is not in it.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DataError(
            f"{name}, line {line}: not valid UTF-8 (byte {error.start})", "Save the list as UTF-8."
        ) from error
    reader = csv.reader(io.StringIO(normalise(text)), delimiter="\t", quoting=csv.QUOTE_NONE)
    try:
        rows = list(reader)
    except csv.Error as error:
        raise DataError(
            f"{name}, line {reader.line_num + 1}: {error}", "Save the list as tab-separated text with Unix line ends."
        ) from error
    if len(rows) < 2:
        raise DataError(f"{name} holds no concepts", "Write a line with the column names, then a line a concept.")
    header = [cell.strip() for cell in rows[0]] or [""]
    if header[0] not in _CONCEPT:
        raise DataError(
            f"{name}, line 1: the first column is {header[0]!r}, not 'concept'",
            "Write a first line such as: concept<TAB>en<TAB>fr<TAB>zh.",
        )
    columns: dict[int, str] = {}
    for index, cell in enumerate(header[1:], start=1):
        if cell not in _ATTRIBUTES:
            try:
                code = language_code(cell)
            except ConfigError as error:
                raise DataError(
                    f"{name}, line 1: column {cell!r} is no language code",
                    f"Columns are BCP 47 codes such as en or fr, or one of {', '.join(_ATTRIBUTES)}.",
                ) from error
            if code in columns.values():
                raise DataError(
                    f"{name}, line 1: column {cell!r} is language {code!r}, which has a column already",
                    "Give each language one column; a cell may hold several words separated by |.",
                )
            columns[index] = code
    wanted = [language_code(code, "languages") for code in languages]
    for code in wanted:
        if code not in columns.values():
            raise ConfigError(
                f"language {code!r} (languages) is not in {name}", f"It has {', '.join(columns.values())}."
            )
    if wanted:
        columns = {index: code for index, code in columns.items() if code in wanted}
    if len(columns) < 2:
        raise DataError(f"{name} has fewer than two languages", "Translation needs two language columns.")
    concepts = [
        _parse_row(row, header, columns, f"{name}, line {number}")
        for number, row in enumerate(rows[1:], start=2)
        if any(cell.strip() for cell in row)
    ]
    seen: set[str] = set()
    for concept in concepts:
        if concept.concept_id in seen:
            raise DataError(f"{name}: concept {concept.concept_id!r} stands there twice", "Give each its own id.")
        seen.add(concept.concept_id)
    return concepts


def _parse_row(row: list[str], header: list[str], columns: dict[int, str], where: str) -> ListedConcept:
    if len(row) != len(header):
        raise DataError(f"{where}: {len(row)} cells where the first line has {len(header)}", "Check the tabs.")
    cells = dict(zip(header, (cell.strip() for cell in row), strict=True))
    words = {}
    for index, code in columns.items():
        forms = tuple(dict.fromkeys(word.strip() for word in row[index].split("|") if word.strip()))
        if not forms:
            raise DataError(f"{where}: no word in language {code!r}", "Fill the cell or take the concept out.")
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
    )


def with_split(concept: ListedConcept, split: str, calibration: bool | None) -> ListedConcept:
    """Return the concept in a split."""
    return replace(concept, split=split, calibration=calibration)
