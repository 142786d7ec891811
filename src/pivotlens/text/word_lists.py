"""How frequent words are in languages: lists of common words, for telling in which language a word is written."""

from __future__ import annotations

import functools
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources

import zstandard

LEAST_ZIPF = 3.0
"""Words of the benchmark's own languages are listed from here: once in a million words."""


@dataclass(frozen=True)
class WordLists:
    """Common words of several languages.

    Attributes:
        languages: Codes.
        words: Folded words, sorted.
        cells: Of each word, the languages that list it: ``fr:45 es:30`` is ten times its Zipf frequency in each, the
            log10 of how often it is met in a thousand million words.
    """

    languages: frozenset[str]
    words: tuple[str, ...]
    cells: tuple[str, ...]

    def of(self, folded: str) -> Mapping[str, float]:
        """Return how often a word is met in each language that lists it, in a thousand million words."""
        place = bisect_left(self.words, folded)
        there = place < len(self.words) and self.words[place] == folded
        return dict(_frequencies(self.cells[place])) if there else {}

    def beginning(self, folded: str) -> Mapping[str, float]:
        """Return the same for all words that begin so, taken together."""
        found: dict[str, float] = {}
        for place in range(bisect_left(self.words, folded), len(self.words)):
            if not self.words[place].startswith(folded):
                break
            for code, frequency in _frequencies(self.cells[place]):
                found[code] = found.get(code, 0.0) + frequency
        return found

    @functools.cached_property
    def characters(self) -> Mapping[str, frozenset[str]]:
        """Characters of each language's words."""
        found: dict[str, set[str]] = {code: set() for code in self.languages}
        for word, cells in zip(self.words, self.cells, strict=True):
            for cell in cells.split():
                found[cell.partition(":")[0]].update(word)
        return {code: frozenset(characters) for code, characters in found.items()}


def _frequencies(cells: str) -> Iterator[tuple[str, float]]:
    for cell in cells.split():
        code, _, tenfold = cell.partition(":")
        yield code, 10 ** (int(tenfold) / 10)


@functools.cache
def bundled_word_lists() -> WordLists:
    """Return the bundled lists; see ``text/data/README.md``."""
    packed = (resources.files("pivotlens.text") / "data" / "word_frequencies.tsv.zst").read_bytes()
    header, *lines = zstandard.ZstdDecompressor().decompress(packed).decode("utf-8").splitlines()
    words, cells = zip(*(line.split("\t") for line in lines), strict=True)
    return WordLists(frozenset(header.split("\t")[1].split()), words, cells)
