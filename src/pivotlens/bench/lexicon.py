"""What every dictionary format is read into: entries with their senses."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import regex

from pivotlens.errors import DataError
from pivotlens.text import normalise

_OPENING, _CLOSING = "([{<（［｛〈《【", ")]}>）］｝〉》】"
_BRACKET = re.compile("[" + re.escape(_OPENING + _CLOSING) + "]")
_SPLIT = re.compile(r"[,;/、，；]")
_SINGLE = regex.compile(r"[\p{L}\p{M}]+(?:['’·\-][\p{L}\p{M}]+)*")
_HYPHENS = str.maketrans("\u2010\u2011", "--")
_EDGES = ' \t.!?:"“”„«»*=+|'
_PLACEHOLDER = re.compile(r"…|\.\.\.|[~〜]")
_PARTICLES = {
    "en": r"(?:to|an?|the)\s+",
    "fr": r"(?:le|la|les|une?|des)\s+|l['’]\s*",
    "de": r"(?:der|die|das|eine?)\s+",
    "es": r"(?:el|la|los|las|una?|unos|unas)\s+",
    "it": r"(?:il|lo|la|i|gli|le|una?|uno)\s+|(?:l|un)['’]\s*",
    "pt": r"(?:os?|as?|uma?|uns|umas)\s+",
    "nl": r"(?:de|het|een)\s+",
    "sv": r"(?:en|ett|att)\s+",
    "hu": r"(?:az?|egy)\s+",
}
_PARTICLE = {code: re.compile(f"(?:{pattern})(?=\\w)", re.IGNORECASE) for code, pattern in _PARTICLES.items()}
_POS = {
    "noun": ("n", "noun", "substantive", "s", "subst"),
    "verb": ("v", "verb", "vt", "vi", "vr", "vb", "vti"),
    "adjective": ("adj", "adjective", "a", "jj"),
    "adverb": ("adv", "adverb", "r"),
}
_POS_NAMES = {short: name for name, shorts in _POS.items() for short in shorts}

_NAMED_BAD_LINES = 3

Sense = tuple[int, str, tuple[str, ...]]
"""Its number within the entry (0 is the first), a language, and the translations into it, best first."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a dictionary.

    Attributes:
        language: Of the headword.
        word: The headword, of one word, in normal form C.
        senses: Its translations, cleaned; words and phrases of several words.
        pos: Part of speech, empty where the dictionary does not tell.
        rank: How common the word is, as far as the dictionary tells: the smallest is the most common.
        variants: Other spellings and readings of the same word.
    """

    language: str
    word: str
    senses: tuple[Sense, ...]
    pos: str = ""
    rank: int | None = None
    variants: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lexicon:
    """A dictionary that was read.

    Attributes:
        format: Name of its format.
        entries: In the order of the file.
        read: Entries or lines of the file.
        skipped: How many of them were skipped, by reason.
        phrases: Headwords of several words, by language: they show how common their words are.
        in_order: Whether senses and the translations of a sense stand there best first.
        ranked: Whether the ranks are an order of frequency for all words, not only a preference among synonyms.
    """

    format: str
    entries: tuple[Entry, ...]
    read: int
    skipped: dict[str, int]
    phrases: dict[str, tuple[str, ...]]
    in_order: bool = True
    ranked: bool = False

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages of headwords and translations, in the order they first stand there."""
        found: dict[str, None] = {}
        for entry in self.entries:
            found.setdefault(entry.language)
            found.update(dict.fromkeys(language for _, language, _ in entry.senses))
        return tuple(found)


class BadLines:
    """Lines of a dictionary that cannot be read: skipped and told, unless they are half of it or more."""

    def __init__(self, name: str) -> None:
        """Begin with none of the file of this name."""
        self._name = name
        self._count = 0
        self._first: list[str] = []
        self._hint = ""

    def add(self, number: int, what: str, hint: str) -> None:
        """Note a line with what is wrong with it and what to do."""
        self._count += 1
        if len(self._first) < _NAMED_BAD_LINES:
            self._first.append(f"line {number}: {what}")
        self._hint = self._hint or hint

    def settle(self, lines: int, skipped: Counter[str]) -> None:
        """Count the bad lines among what was skipped, each of the first by its number.

        Raises:
            DataError: Half of all lines or more are bad.
        """
        if 2 * self._count >= max(lines, 1):
            share = f" ({self._count:,} of {lines:,} lines are bad)" if lines > 1 else ""
            raise DataError(f"{self._name}, {self._first[0]}{share}", self._hint)
        if self._count:
            more = "; …" if self._count > len(self._first) else ""
            skipped[f"bad lines ({'; '.join(self._first)}{more})"] = self._count


def is_single_word(text: str) -> bool:
    """Tell whether a text is one word: letters and marks, with hyphens and apostrophes only between them."""
    return _SINGLE.fullmatch(text) is not None


def part_of_speech(tag: str) -> str:
    """Return the part of speech under the name that all formats share, or the tag itself in lower case."""
    tag = tag.strip().rstrip(".").casefold()
    return _POS_NAMES.get(tag, tag)


def without_brackets(text: str) -> str:
    """Return a text without what stands in brackets of any kind; brackets nest, and one left open runs to the end."""
    if not _BRACKET.search(text):
        return text
    kept = []
    depth = 0
    for character in text:
        if character in _OPENING:
            depth += 1
            kept.append(" ")
        elif character in _CLOSING:
            depth = max(0, depth - 1)
        elif depth == 0:
            kept.append(character)
    return "".join(kept)


def phrases_of(gloss: str, language: str) -> list[str]:
    """Return the words and phrases of a gloss, in its order: no notes, articles or infinitive particles.

    Brackets hold commas, so they go before the gloss is split.
    """
    if not gloss.isascii():
        gloss = normalise(gloss).translate(_HYPHENS)
    particle = _PARTICLE.get(language)
    found: dict[str, None] = {}
    for part in _SPLIT.split(without_brackets(gloss)):
        phrase = " ".join(part.split())
        if not _PLACEHOLDER.search(phrase):  # with one it is a part of a word or a pattern, and stays one
            phrase = phrase.strip(_EDGES)
        if particle is not None and (match := particle.match(phrase)):
            phrase = phrase[match.end() :]
        if phrase:
            found.setdefault(phrase)
    return list(found)
