"""Finding the files of a `lexicon` setting, telling their format, and reading them."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from pivotlens.artifacts.files import expanded
from pivotlens.artifacts.fingerprint import sha256_of_file
from pivotlens.bench.cedict import CHINESE, ENTRY, parse_cedict
from pivotlens.bench.dictd import parse_dictd
from pivotlens.bench.jmdict import parse_jmdict
from pivotlens.bench.lexicon import Lexicon
from pivotlens.bench.pairs import pair_cells, parse_pairs, parse_table
from pivotlens.bench.wordlist import decoded, language_columns
from pivotlens.errors import ConfigError, DataError
from pivotlens.text import Direction, language_code, parse_direction

FORMATS = "TSV with a language code a column, MUSE word pairs, dictd (.index beside .dict.dz), JMdict or CC-CEDICT"
_MAX_BYTES = 2 << 30
_HEAD_BYTES = 1 << 16
_TELLING_LINES = 100
_NAMED_PAIR = re.compile(r"(?:^|[-_])([A-Za-z]{2,3})[-_]([A-Za-z]{2,3})$")
_DICTD = (".index", ".dict.dz", ".dict")


@dataclass(frozen=True)
class LexiconSource:
    """A dictionary that was asked for.

    Attributes:
        spec: As the user wrote it.
        format: Of `FORMATS`.
        files: Its files; of dictd the index first.
        direction: Its languages, where the format does not tell them itself.
    """

    spec: str
    format: str
    files: tuple[Path, ...]
    direction: Direction | None

    @property
    def name(self) -> str:
        """The first file, for errors."""
        return str(self.files[0])

    def fingerprints(self) -> dict[str, str]:
        """Return the sha256 of each file by its name.

        Raises:
            DataError: A file cannot be read.
        """
        try:
            return {path.name: sha256_of_file(path) for path in self.files}
        except OSError as error:
            raise _unreadable(self.spec, error) from error

    def read(self, languages: Collection[str] = ()) -> Lexicon:
        """Read and parse the dictionary.

        Args:
            languages: Languages that are enough, where a dictionary has many; all when empty.

        Raises:
            DataError: It is damaged or not of its format; names file and line.
        """
        content = _unpacked(self.files[0], self.spec)
        if self.format == "JMdict":
            lexicon = parse_jmdict(content, self.name, languages)
        elif self.format == "CC-CEDICT":
            gloss_language = self.direction.target if self.direction else "en"
            lexicon = parse_cedict(decoded(content, self.name).split("\n"), self.name, gloss_language)
        elif self.format == "TSV":
            lexicon = parse_table(content, self.name)
        else:
            assert self.direction is not None
            source, target = self.direction
            if self.format == "dictd":
                articles = _unpacked(self.files[1], self.spec)
                lexicon = parse_dictd(content, articles, self.name, source, target)
            else:
                lexicon = parse_pairs(content, self.name, source, target)
        if not lexicon.entries:
            raise DataError(
                f"{self.name} ({lexicon.format}) holds no entry that can be used: {lexicon.read} read, "
                f"{told(lexicon.skipped)}",
                "A usable entry is a single word with a translation; see whether the file is the right one.",
            )
        return lexicon


def told(skipped: dict[str, int]) -> str:
    """Return the counts of what was skipped, in words."""
    return ", ".join(f"{count:,} {reason}" for reason, count in skipped.items()) or "none skipped"


def find_lexicon(spec: str) -> LexiconSource:
    """Find the files of a lexicon and tell its format from its name and its beginning.

    Args:
        spec: A path, or ``en-fr:path``.

    Raises:
        DataError: A file is not there, unreadable, empty or of no known format.
        ConfigError: The languages cannot be told, or do not fit the format.
    """
    direction, path = _split(spec)
    if path.name.endswith(_DICTD):
        files, stem = _dictd_files(path, spec)
        return LexiconSource(spec, "dictd", files, direction or _pair_of(stem, path))
    head = _head(path, spec)
    if not head.strip():
        raise DataError(f"the lexicon {spec!r} is empty", f"Give {FORMATS}.")
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        if direction is not None:
            raise _needless_languages(spec, "JMdict")
        return LexiconSource(spec, "JMdict", (path,), None)
    text = head.decode("utf-8-sig", errors="replace")  # bad UTF-8 is reported with its line when it is parsed
    lines = [line for line in text.splitlines() if line.strip()]
    entries = [bool(ENTRY.fullmatch(line)) for line in lines if not line.startswith("#")]
    if path.name.removesuffix(".gz").endswith(".u8") or _most(entries):
        if direction is not None and direction.source != CHINESE:
            raise ConfigError(
                f"lexicon {spec!r} has the format of CC-CEDICT, whose headwords are Chinese, not {direction.source!r}",
                "Write zh and the language of the glosses, as in zh-de:FILE, or leave the languages out.",
            )
        return LexiconSource(spec, "CC-CEDICT", (path,), direction)
    stem = path.name.split(".")[0]
    named = _header_languages(lines[0])
    # Two words that happen to be codes are a pair of words where the languages are known to be others.
    pair = set(direction or _named_pair(stem) or named)
    if len(named) > 2 or (len(named) == 2 and named == pair):
        if direction is not None:
            raise _needless_languages(spec, "a table with languages in its first line")
        return LexiconSource(spec, "TSV", (path,), None)
    if _most([len(pair_cells(line)) == 2 for line in lines]):
        return LexiconSource(spec, "MUSE", (path,), direction or _pair_of(stem, path))
    raise DataError(f"the lexicon {spec!r} has none of the known formats", f"Give {FORMATS}.")


def _most(lines: list[bool]) -> bool:
    """Tell whether at least half of a file's first lines have a form; with more bad ones no parser takes it either."""
    first = lines[:_TELLING_LINES]
    return 2 * sum(first) >= max(len(first), 1)


def _split(spec: str) -> tuple[Direction | None, Path]:
    """Split the languages off a spec; a file of that very name goes first."""
    whole = expanded(spec)
    if ":" in spec and not whole.exists():
        pieces = spec.split(":")
        for count in range(1, len(pieces)):
            try:
                direction = parse_direction(":".join(pieces[:count]), f"lexicon {spec!r}")
            except ConfigError:
                continue
            return direction, expanded(":".join(pieces[count:]))
        if expanded(":".join(pieces[1:])).is_file():  # the file is there: it is the languages that are wrong
            parse_direction(pieces[0], f"lexicon {spec!r}")
    return None, whole


def _dictd_files(path: Path, spec: str) -> tuple[tuple[Path, Path], str]:
    stem = next(path.name.removesuffix(ending) for ending in _DICTD if path.name.endswith(ending))
    index = path.with_name(f"{stem}.index")
    articles = [path.with_name(stem + ending) for ending in _DICTD[1:]]
    there = next((candidate for candidate in articles if candidate.is_file()), None)
    if there is None or not index.is_file():
        missing = index if not index.is_file() else articles[0]
        raise DataError(
            f"the lexicon {spec!r} lacks {missing}",
            "A dictd dictionary is a .index file beside a .dict.dz or .dict one.",
        )
    return (index, there), stem


def _named_pair(stem: str) -> Direction | None:
    match = _NAMED_PAIR.search(stem)
    try:
        return parse_direction(":".join(language_code(code) for code in match.groups())) if match else None
    except ConfigError:
        return None


def _pair_of(stem: str, path: Path) -> Direction:
    pair = _named_pair(stem)
    if pair is None:
        raise ConfigError(
            f"the languages of lexicon {str(path)!r} cannot be told from its name",
            f"Write them before the path, as in en-fr:{path.name}, or name the file en-fr{path.suffix}.",
        )
    return pair


def _needless_languages(spec: str, kind: str) -> ConfigError:
    return ConfigError(
        f"lexicon {spec!r} is {kind}, which tells its languages itself",
        "Leave out the languages before the path; choose some with `languages`.",
    )


def _header_languages(line: str) -> set[str]:
    """Return the languages that a table's first line names; none where it is no such line."""
    try:
        return set(language_columns([cell.strip() for cell in line.split("\t")], "").values())
    except DataError:
        return set()


def _unreadable(spec: str, error: Exception) -> DataError:
    if isinstance(error, (EOFError, zlib.error, gzip.BadGzipFile)):
        return DataError(f"the lexicon {spec!r} is cut short or damaged: {error}", "Fetch the file again.")
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return DataError(
        f"cannot read the lexicon {spec!r}: {reason}", "Give a file, or its languages and a file as in en-fr:FILE."
    )


def _open(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(path, "rb") if packed else path.open("rb"))


def _head(path: Path, spec: str) -> bytes:
    try:
        with _open(path) as file:
            return file.read(_HEAD_BYTES)
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(spec, error) from error


def _unpacked(path: Path, spec: str) -> bytes:
    try:
        with _open(path) as file:
            content = file.read(_MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(spec, error) from error
    if len(content) > _MAX_BYTES:
        raise DataError(f"the lexicon {spec!r} holds more than 2 GiB", "Give a smaller dictionary.")
    return content
