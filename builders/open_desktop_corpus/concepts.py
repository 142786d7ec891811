"""The benchmark's words, and where they occur in documents."""

import csv
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from open_desktop_corpus.documents import Document

UNSPACED = ("ja", "zh")

_TOKEN = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Concept:
    """A row of the word list.

    Attributes:
        id: Its `concept_id`.
        split: The split it belongs to.
        words: Its words, by language.
    """

    id: str
    split: str
    words: Mapping[str, tuple[str, ...]]


def read_concepts(path: Path, languages: Iterable[str]) -> list[Concept]:
    """Read a word list: tab-separated, a column a language, words parted by `|`."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
    codes = [code for code in languages if rows and code in rows[0]]
    return [
        Concept(
            row["concept_id"],
            row["split"],
            {code: tuple(word for word in row[code].split("|") if word) for code in codes},
        )
        for row in rows
    ]


def folded(text: str) -> str:
    """Return the form in which words are compared."""
    return unicodedata.normalize("NFC", text.casefold())


class Matcher:
    """Finds the concepts of one language in text.

    Whole words where words are spaced. Else leftmost-longest among the words of all
    concepts and a dictionary, so that 水果 does not count as 水.

    Args:
        language: The language of the words.
        concepts: What to find.
        dictionary: Longer words of the language that hide the shorter words within them.
    """

    def __init__(self, language: str, concepts: Iterable[Concept], dictionary: Iterable[str] = ()) -> None:
        self._spaced = language not in UNSPACED
        self._concepts: dict[str, set[str]] = {}
        for concept in concepts:
            for word in concept.words.get(language, ()):
                key = " ".join(_TOKEN.findall(folded(word))) if self._spaced else folded(word)
                self._concepts.setdefault(key, set()).add(concept.id)
        self._known = {*self._concepts, *map(folded, dictionary)}
        self._longest: dict[str, int] = {}
        for word in self._known:
            if word:
                self._longest[word[0]] = max(self._longest.get(word[0], 0), len(word))
        self._phrases = [word for word in self._concepts if " " in word]

    def find(self, document: Document) -> set[str]:
        """Return the ids of the concepts named in a document."""
        text = folded(document.text)
        if not self._spaced:
            return self._find_unspaced(text)
        tokens = _TOKEN.findall(text)
        words = set(tokens) & self._concepts.keys()
        if self._phrases:
            joined = f" {' '.join(tokens)} "
            words.update(phrase for phrase in self._phrases if f" {phrase} " in joined)
        return {concept for word in words for concept in self._concepts[word]}

    def _find_unspaced(self, text: str) -> set[str]:
        found: set[str] = set()
        place = 0
        while place < len(text):
            step = 1
            for length in range(self._longest.get(text[place], 0), 0, -1):
                word = text[place : place + length]
                if word in self._known:
                    found |= self._concepts.get(word, set())
                    step = len(word)
                    break
            place += step
        return found
