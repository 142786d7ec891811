"""Reading dictd dictionaries such as FreeDict's: an index, and articles of running text."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from pivotlens.bench.lexicon import Entry, Lexicon, Sense, is_single_word, part_of_speech, phrases_of, without_brackets
from pivotlens.errors import DataError
from pivotlens.text import fold, normalise

_DIGITS = {
    digit: value for value, digit in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
}
PLURAL = "plural"
_TAG = re.compile(r"<([^<>]*)>")
_PRONUNCIATION = re.compile(r"(?:^|(?<=[\s,;>(]))/[^/\n]*/")
_NUMBER = re.compile(r"\s*(\d{1,3})\.(?:\s+|$)")
# An indented line with a label is a note, a reference or an example, no translation.
_LABEL = re.compile(r"\s*(?:see(?: also)?|synonyms?|antonyms?|notes?|examples?|cf)\s*:", re.IGNORECASE)
_QUOTED = re.compile(r"\s+[\"“«]")
_SPELLINGS = re.compile("[,;]")
_SIGNS = str.maketrans("\u2010\u2011\u02c8", "--'", "()[]")  # a stress mark before a letter was an apostrophe
_KNOWN_TAGS = frozenset(
    {"n", "v", "vt", "vi", "vr", "vti", "adj", "adv", "prep", "conj", "pron", "num", "int", "art", "noun", "verb"}
)


def parse_dictd(index: bytes, articles: bytes, name: str, source: str, target: str) -> Lexicon:
    """Parse a dictd dictionary.

    An article begins with its headword or several spellings of it, pronunciation and tags; then come the translations,
    numbered by sense or not, with synonyms between commas. The index is for searching: its keys lack apostrophes,
    hyphens and capitals, and abbreviations lead to the article of the whole word. So the article's spelling counts, and
    a key that is none of its spellings gives no entry. FreeDict orders synonyms by the alphabet, so that within a
    sense none is the first.

    Args:
        index: Lines ``headword<TAB>offset<TAB>length``, the numbers in dictd's base 64.
        articles: The ``.dict`` file, unpacked.
        name: Of the index, for errors.
        source: Language of the headwords.
        target: Language of the translations.

    Raises:
        DataError: A line of the index is none, or points outside the articles; names the line.
    """
    try:
        lines = index.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        bad = index[: error.start].count(b"\n") + 1
        raise DataError(f"{name}, line {bad}: not valid UTF-8", "Only dictionaries in UTF-8 are read.") from error
    entries: list[Entry] = []
    skipped: Counter[str] = Counter()
    phrases: list[str] = []
    read = 0
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith(("00database", "00-database")):
            continue
        cells = line.rstrip("\r").split("\t")
        if len(cells) not in (3, 4):
            raise DataError(
                f"{name}, line {number}: {len(cells)} cells where a dictd index has 3", "Fetch the dictionary again."
            )
        begin, length = (_number(cell, f"{name}, line {number}") for cell in cells[1:3])
        if begin + length > len(articles):
            raise DataError(
                f"{name}, line {number}: the article of {cells[0]!r} ends behind the end of the articles",
                "Index and articles do not belong together, or one is cut short: fetch the dictionary again.",
            )
        read += 1
        try:
            article = articles[begin : begin + length].decode("utf-8")
        except UnicodeDecodeError as error:
            raise DataError(
                f"{name}, line {number}: the article of {cells[0]!r} is not valid UTF-8",
                "Index and articles do not belong together, or the dictionary is not in UTF-8.",
            ) from error
        head, _, body = article.partition("\n")
        word = _headword(normalise(cells[-1] if len(cells) == 4 else cells[0]).strip(), head)
        if not word:
            skipped["of other keys to an article"] += 1
            continue
        entry = _entry(word, head, body, source, target)
        if not is_single_word(entry.word):
            skipped["of several words"] += 1
            phrases.append(entry.word)
        elif not entry.senses:
            skipped["without translation"] += 1
        elif entry.pos == PLURAL:
            skipped["plural forms"] += 1
        else:
            entries.append(entry)
    return Lexicon("dictd", tuple(entries), read, dict(skipped), {source: tuple(phrases)}, in_order=False)


def _number(digits: str, where: str) -> int:
    value = 0
    for digit in digits:
        if digit not in _DIGITS:
            raise DataError(f"{where}: {digits!r} is no number of a dictd index", "Fetch the dictionary again.")
        value = value * 64 + _DIGITS[digit]
    return value


def _headword(key: str, head: str) -> str:
    """Return the spelling of an article's head that a key of the index stands for, '' where it stands for none.

    An article whose first line says nothing of the key has no headword there, and the key is all there is.
    """
    whole = _TAG.split(_PRONUNCIATION.sub(" ", normalise(head)), maxsplit=1)[0]
    written = without_brackets(whole)
    for spelling in (written, *_SPELLINGS.split(written), whole):  # (ein)mal is found as einmal
        if _letters(spelling) == _letters(key):
            return " ".join(spelling.split()).translate(_SIGNS)
    return "" if _letters(key) in _letters(head) else key


def _letters(text: str) -> str:
    """Return what a key keeps of a headword: no signs, marks of stress or case."""
    return "".join(char for char in fold(text) if char.isalnum() and unicodedata.category(char) != "Lm")


def _entry(word: str, head: str, body: str, source: str, target: str) -> Entry:
    pos = PLURAL if _is_plural(head) else _part_of_speech(head) or _part_of_speech(body)
    blocks: list[list[str]] = [[]]
    for line in body.split("\n"):
        if _LABEL.match(line) or _QUOTED.match(line):
            continue
        number = _NUMBER.match(line)
        if number:
            blocks.append([])
            line = line[number.end() :]
        blocks[-1].append(_PRONUNCIATION.sub(" ", _TAG.sub(" ; ", line)))
    senses: list[Sense] = []
    for block in blocks:
        found = tuple(dict.fromkeys(phrases_of(" ; ".join(block), target)))
        if found:
            senses.append((len(senses), target, found))
    return Entry(source, word, tuple(senses), pos)


def _part_of_speech(text: str) -> str:
    for tags in _TAG.findall(text):
        for tag in tags.split(","):
            if tag.strip().casefold() in _KNOWN_TAGS:
                return part_of_speech(tag)
    return ""


def _is_plural(head: str) -> bool:
    tags = {tag.strip().casefold() for tags in _TAG.findall(head) for tag in tags.split(",")}
    return "pl" in tags and "sg" not in tags
