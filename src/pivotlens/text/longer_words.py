"""Dictionary words of languages without spaces or with particles, which hide shorter words: 登山 is no 山."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from pivotlens.errors import DataError
from pivotlens.text.clitics import has_clitics
from pivotlens.text.languages import language_code
from pivotlens.text.scripts import has_spaces_between_words, normalise

BUNDLED = "bundled"
HEADER = ("language", "word")
_FORMAT = "Write a line `language<tab>word`, then a line a word, such as `zh<tab>登山`, in UTF-8."


@dataclass(frozen=True)
class LongerWords:
    """Words that are looked for only to take the place of shorter ones.

    Attributes:
        words: By language code, sorted, each once, in normal form C.
        sha256: Digest of the file they are from; empty without a file.
    """

    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sha256: str = ""


def read_longer_words(spec: str) -> LongerWords:
    """Read a list of longer words.

    Args:
        spec: `bundled`, empty for none, or a TSV file with the columns `language` and `word`.

    Raises:
        DataError: The file is missing or not UTF-8, or a line is no word of such a language.
        ConfigError: A language is none that is known.
    """
    if not spec:
        return LongerWords()
    if spec == BUNDLED:
        return _bundled()
    try:
        content = Path(spec).read_bytes()
    except OSError as error:
        raise DataError(
            f"the list of longer words {spec!r} cannot be read: {error.strerror or error}",
            f"Give `longer_words` a TSV file, `{BUNDLED}`, or nothing.",
        ) from error
    return _parse(content, spec)


@functools.cache
def _bundled() -> LongerWords:
    return _parse((resources.files("pivotlens.text") / "data" / "longer_words.tsv").read_bytes(), BUNDLED)


def _parse(content: bytes, name: str) -> LongerWords:
    words: dict[str, set[str]] = {}
    header, *lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if tuple(_cells(header, f"{name}, line 1")) != HEADER:
        raise DataError(f"{name}, line 1: the first line is not {' and '.join(HEADER)}", _FORMAT)
    codes: dict[str, str] = {}
    for number, line in enumerate(lines, start=2):
        if not line.strip():
            continue
        where = f"{name}, line {number}"
        cells = _cells(line, where)
        if len(cells) != len(HEADER):
            raise DataError(f"{where}: {len(cells)} cells, not {len(HEADER)}", _FORMAT)
        language, word = cells
        if language not in codes:
            codes[language] = _unspaced(language, where)
        if not word or "\0" in word:
            raise DataError(f"{where}: {word!r} is no word to look for", _FORMAT)
        words.setdefault(codes[language], set()).add(normalise(word))
    if not words:
        raise DataError(f"{name} holds no word", "Leave `longer_words` empty to count without longer words.")
    by_language = {language: tuple(sorted(listed)) for language, listed in sorted(words.items())}
    return LongerWords(by_language, hashlib.sha256(content).hexdigest())


def _cells(line: bytes, where: str) -> list[str]:
    try:
        return [cell.strip() for cell in line.decode("utf-8").removesuffix("\r").split("\t")]
    except UnicodeDecodeError as error:
        raise DataError(f"{where}: invalid UTF-8 at byte {error.start + 1} of the line", _FORMAT) from error


def _unspaced(language: str, where: str) -> str:
    code = language_code(language, where)
    if has_spaces_between_words(code) and not has_clitics(code):
        raise DataError(
            f"{where}: {language!r} writes spaces between words, and nothing together with them that is taken off",
            "Longer words are for zh, ja, th, lo, km, my, bo, ko, he, ar; elsewhere whole words match, so take it out.",
        )
    return code
