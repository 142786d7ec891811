"""Columns of a corpus: where a row's text and language stand, also within other columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pivotlens.errors import ConfigError
from pivotlens.text import language_code

NO_COLUMN = "there is no column"
UNKNOWN_CODE = "unknown language code"
UNLABELLED = "nothing tells its language"
COLUMNS_HINT = (
    "name the text with --text-column and the language with --language-column, or give the language of all documents "
    "with --language"
)
_COLUMNS_NAMED = 12


@dataclass(frozen=True, slots=True)
class Document:
    """One readable row.

    Attributes:
        file: Name of its file within the corpus.
        row: Line or row in the file, from 1.
        text: Its text as it stands in the file.
        language: BCP 47 code; empty while only a model can tell it.
        group: Shared by translations of one document; empty where the corpus has no such column.
        source: What it was taken from; the folder of its file where the corpus does not tell.
    """

    file: str
    row: int
    text: str
    language: str
    group: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class BadRow:
    """One row that cannot be read, and why."""

    file: str
    row: int
    problem: str


@dataclass(frozen=True)
class Columns:
    """Where a corpus keeps what is read; ``a.b`` is the field ``b`` of the column ``a``.

    Attributes:
        text: Column of the text.
        language: Column of the language code; ``a+b`` joins two, a language and a script; empty for none.
        group: Column shared by translations of one document; may be absent.
        default_language: Language of rows that nothing else tells it of.
        source: Column that tells what a document was taken from; may be absent.
        language_file: Regular expression whose first group is the language code in a file's name; empty for none.
        codes: What values mean that are no language codes, as pairs of a value and a code.
        language_model: Model that tells what nothing else does (`corpus.document_languages`); empty for none.
    """

    text: str = "text"
    language: str = "language"
    group: str = "group"
    default_language: str = ""
    source: str = "source"
    language_file: str = ""
    codes: tuple[tuple[str, str], ...] = ()
    language_model: str = ""

    @property
    def of_language(self) -> list[str]:
        """The columns that make up the language code."""
        return self.language.split("+") if self.language else []

    def language_of_file(self, name: str) -> str | None:
        """Return the code that a file's name gives, as it stands there; None where it gives none."""
        found = re.search(self.language_file, name) if self.language_file else None
        return found[1] if found else None


class RowProblem(Exception):  # noqa: N818 - what is wrong with a row is no error of the program
    """Why a row cannot be read."""


class Absent(RowProblem):
    """A column that is not there; says which level of it, and what is there instead."""


def column_of(values: Mapping[str, Any], name: str) -> Any:
    """Return a row's value in a column, or in a field within one.

    Args:
        values: The row.
        name: ``a``, or ``a.b`` for the field ``b`` of the column ``a``; a column that is itself called so comes first.

    Raises:
        Absent: There is no such column, or no such field in it.

    >>> column_of({"metadata": {"language": "fr"}}, "metadata.language")
    'fr'
    """
    if name in values:
        return values[name]
    at: Any = values
    parts = name.split(".")
    for depth, part in enumerate(parts):
        if depth and at is None:
            return None
        if not isinstance(at, Mapping):
            raise Absent(f"{NO_COLUMN} {name!r}: {'.'.join(parts[:depth])!r} is {kind_of(at)}, which has no fields")
        if part not in at:
            raise Absent(no_column(name, at, ".".join(parts[:depth])))
        at = at[part]
    return decoded(at) if isinstance(at, bytes) else at


def no_column(column: str, present: Iterable[str], within: str = "") -> str:
    """Say that there is no such column, and what there is instead, in a column within which it was looked for."""
    there = [repr(name) for name in present]
    more = f" and {len(there) - _COLUMNS_NAMED} more" if len(there) > _COLUMNS_NAMED else ""
    others = f"only {', '.join(there[:_COLUMNS_NAMED])}{more}" if there else "nor any other"
    return f"{NO_COLUMN} {column!r}, {f'in {within!r} ' if within else ''}{others}"


def kind_of(value: Any) -> str:
    """Return what kind of JSON value a value is, with its article."""
    names = {type(None): "null", bool: "a boolean", int: "a number", float: "a number", list: "a list", str: "a string"}
    return names.get(type(value), "an object")


def decoded(value: bytes) -> str | bytes:
    """Return bytes as UTF-8, or as they are where they are not."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value


class RowReader:
    """Takes the columns out of one row of a file after another.

    Args:
        file: Name of the file within the corpus.
        columns: Where they stand.

    Raises:
        ConfigError: The default language is no language.
    """

    def __init__(self, file: str, columns: Columns) -> None:
        self._file = file
        self._columns = columns
        self._codes = dict(columns.codes)
        self._known: dict[str, str | None] = {}
        default = columns.default_language
        self._default = language_code(default, "language") if default else ""
        of_file = columns.language_of_file(file)
        if of_file is not None:
            self._default = self._code(of_file) or ""
        self._problem = f"{UNKNOWN_CODE} {of_file!r} in the name of the file" if of_file and not self._default else ""
        self._folder = file.rpartition("/")[0]

    def read(self, number: int, values: Mapping[str, Any]) -> Document | BadRow:
        """Read a row.

        Args:
            number: From 1.
            values: By name of the column.
        """
        columns = self._columns
        try:
            text = column_of(values, columns.text)
            if not isinstance(text, str):
                problem = "is not valid UTF-8" if isinstance(text, bytes) else f"is {kind_of(text)}, not a string"
                return BadRow(self._file, number, f"column {columns.text!r} {problem}")
            language = self._language(values)
        except RowProblem as problem:
            return BadRow(self._file, number, str(problem))
        group, source = (_if_there(values, name) for name in (columns.group, columns.source))
        return Document(
            self._file,
            number,
            text,
            language,
            "" if group is None else str(group),
            self._folder if source is None or source == "" else str(source),
        )

    def _language(self, values: Mapping[str, Any]) -> str:
        told_otherwise = bool(self._default or self._columns.language_model)
        names, given = self._columns.of_language, None
        try:
            parts = [part for name in names if (part := _text_of(column_of(values, name), name)) is not None]
            given = "_".join(filter(None, parts)) if parts else None
        except Absent:
            if not told_otherwise and not self._problem:
                raise
        if given:
            code = self._code(given)
            if code is not None:
                return code
        elif told_otherwise and not self._problem:
            return self._default
        unknown = f"{UNKNOWN_CODE} {given!r}" if names else UNLABELLED
        raise RowProblem(unknown if given else self._problem or unknown)

    def _code(self, given: str) -> str | None:
        if given not in self._known:
            try:
                self._known[given] = language_code(self._codes.get(given, given), self._file)
            except ConfigError:
                self._known[given] = None
        return self._known[given]


def _text_of(value: Any, name: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise RowProblem(f"column {name!r} is {kind_of(value)}, not a string")


def _if_there(values: Mapping[str, Any], name: str) -> Any:
    if name in values or "." not in name:
        return values.get(name)
    try:
        return column_of(values, name)
    except Absent:
        return None
