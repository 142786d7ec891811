"""What a stage's settings say of columns and of labels of language (docs/method.md#labels)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from pivotlens.artifacts.files import expanded
from pivotlens.artifacts.fingerprint import canonical_json
from pivotlens.corpus.columns import Columns
from pivotlens.corpus.document_languages import language_model_input
from pivotlens.errors import ConfigError, DataError
from pivotlens.text import language_code

HEADER = ("value", "language")
_FORMAT = "Write a line `value<tab>language`, then a line a value, such as `Francais<tab>fr`, in UTF-8."


class ColumnSettings(Protocol):
    """The settings that every stage reading documents has."""

    text_column: str
    language_column: str
    language: str
    language_file: str
    language_map: tuple[str, ...]
    language_model: str


def columns_of(config: ColumnSettings) -> Columns:
    """Return where a stage's settings say that text and language stand; other columns by their usual names.

    Raises:
        ConfigError: A language is no language, the pattern of names of files has no group, or a value is mapped twice.
        DataError: The file of a mapping is missing or malformed.
    """
    if config.language_file:
        _check_pattern(config.language_file)
    return Columns(
        text=config.text_column,
        language=config.language_column,
        default_language=language_code(config.language, "language") if config.language else "",
        language_file=config.language_file,
        codes=read_language_map(config.language_map),
        language_model=config.language_model,
    )


def label_inputs(config: ColumnSettings) -> dict[str, str]:
    """Return the fingerprints of the mapping of codes and of the model of languages, where there are any.

    Raises:
        ConfigError: As `columns_of`, or there is no such model.
        DataError: As `columns_of`.
        PrerequisiteError: The package that reads the model is not installed.
    """
    codes = columns_of(config).codes
    found = {"language_map": hashlib.sha256(canonical_json(codes)).hexdigest()} if codes else {}
    if config.language_model:
        found["language_model"] = language_model_input(config.language_model)
    return found


def read_language_map(items: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return what values mean, as pairs of a value and a BCP 47 code, sorted.

    Args:
        items: Each ``VALUE=CODE``, or a TSV file with the columns ``value`` and ``language``.

    Raises:
        ConfigError: One is neither, a code is no language, or a value is given two of them.
        DataError: A file is malformed.

    >>> read_language_map(["Francais=fr", "als=gsw"])
    (('Francais', 'fr'), ('als', 'gsw'))
    """
    codes: dict[str, str] = {}
    for item in items:
        path = expanded(item)
        value, is_pair, code = item.partition("=")
        if path.is_file():
            pairs = [*_pairs_of_file(path)]
        elif is_pair and value and code:
            pairs = [(value, code, "language_map")]
        else:
            raise ConfigError(
                f"language_map holds {item!r}, which is neither VALUE=CODE nor a file",
                "Write such as als=gsw, or give a TSV file with the columns value and language.",
            )
        for given, meant, where in pairs:
            language = language_code(meant, where)
            if codes.setdefault(given, language) != language:
                raise ConfigError(
                    f"{where} maps {given!r} to {language}, and it is mapped to {codes[given]} before",
                    "Keep one of them.",
                )
    return tuple(sorted(codes.items()))


def _pairs_of_file(path: Path) -> Iterator[tuple[str, str, str]]:
    header, *lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if tuple(_cells(header, f"{path}, line 1")) != HEADER:
        raise DataError(f"{path}, line 1: the first line is not {' and '.join(HEADER)}", _FORMAT)
    for number, line in enumerate(lines, start=2):
        where = f"{path}, line {number}"
        if line.strip():
            cells = _cells(line, where)
            if len(cells) != len(HEADER) or not all(cells):
                raise DataError(f"{where}: it does not hold a value and a language", _FORMAT)
            yield cells[0], cells[1], where


def _cells(line: bytes, where: str) -> list[str]:
    try:
        return [cell.strip() for cell in line.decode("utf-8").split("\t")]
    except UnicodeDecodeError as error:
        raise DataError(f"{where}: invalid UTF-8 at byte {error.start + 1} of the line", _FORMAT) from error


def _check_pattern(pattern: str) -> None:
    problem = "it has no group"
    try:
        if re.compile(pattern).groups:
            return
    except re.error as error:
        problem = str(error)
    raise ConfigError(
        f"language_file = {pattern!r} is no regular expression of a language code: {problem}",
        "Put the code in parentheses, as in `^([a-z]{2})/`.",
    )
