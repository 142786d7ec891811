"""Translation links of one or several dictionaries, in both directions."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pivotlens.bench.lexicon import Lexicon, is_single_word
from pivotlens.text import fold, has_spaces_between_words

UNRANKED = 1 << 40
GERMAN = "de"
# Added to the sense of a link to another part of speech: it remains a link, but none of a first sense.
_LATER = 1 << 20
_LONGEST = 12
_BETWEEN_WORDS = re.compile(r"[\s'’\-]+")


class Link(NamedTuple):
    """How a dictionary gives a word as the translation of another; a smaller one is the better one.

    Attributes:
        sense: Number of the sense, 0 the first.
        position: Place within the sense; both are 0 throughout where the dictionary does not order translations.
        rank: How common the headword of the entry is.
        pos: Part of speech of the entry.
    """

    sense: int
    position: int
    rank: int
    pos: str


class Links:
    """Words that translate each other. Words are folded; `spelling` gives them as they are written.

    Args:
        lexicons: The dictionaries; of two that give the same link the better one counts.
        languages: Languages to keep.
    """

    def __init__(self, lexicons: Sequence[Lexicon], languages: Iterable[str]) -> None:
        kept = frozenset(languages)
        self._given: dict[tuple[str, str], dict[str, dict[str, Link]]] = {}
        self._phrases: dict[tuple[str, str], dict[str, set[str]]] = {}
        self._folded: dict[str, dict[str, str]] = {language: {} for language in kept}
        self._uses: dict[str, Counter[str]] = {language: Counter() for language in kept}
        self._spellings: dict[str, dict[str, list[str]]] = {language: {} for language in kept}
        self._ranks: dict[str, dict[str, int]] = {language: {} for language in kept}
        self._variants: dict[tuple[str, str], dict[str, str]] = {}
        texts: dict[str, set[str]] = {language: set() for language in kept}
        for lexicon in lexicons:
            self._add(lexicon, texts)
        self._ranked = (
            frozenset(entry.language for lexicon in lexicons if lexicon.ranked for entry in lexicon.entries[:1]) & kept
        )
        self._inverse = {(b, a): _inverted(given) for (a, b), given in self._given.items()}
        self._held = {
            language: _tokens(found)
            if has_spaces_between_words(language)
            else _compounds(found.union(self._spellings[language]), self._spellings[language])
            for language, found in texts.items()
        }
        self._order: dict[tuple[str, str, str], list[str]] = {}

    def _add(self, lexicon: Lexicon, texts: dict[str, set[str]]) -> None:
        single = functools.cache(is_single_word)
        for language, phrases in lexicon.phrases.items():
            if language in texts:
                texts[language].update(fold(phrase) for phrase in phrases)
        for entry in lexicon.entries:
            language = entry.language
            if language not in texts:
                continue
            word = self._known(language, entry.word)
            rank = UNRANKED if entry.rank is None else entry.rank
            if rank < self._ranks[language].get(word, UNRANKED):
                self._ranks[language][word] = rank
            if entry.variants:
                self._variants.setdefault((language, word), {}).update((fold(form), form) for form in entry.variants)
            for number, other, translations in entry.senses:
                if other not in texts:
                    continue
                given = self._given.setdefault((language, other), {}).setdefault(word, {})
                for place, text in enumerate(translations):
                    if not single(text):
                        phrase = fold(text)
                        texts[other].add(phrase)
                        self._phrases.setdefault((language, other), {}).setdefault(word, set()).add(phrase)
                        continue
                    order = (number, place) if lexicon.in_order else (0, 0)
                    if other == GERMAN and _is_other_kind(text, entry.pos):
                        order = (order[0] + _LATER, order[1])
                    link = Link(*order, rank, entry.pos)
                    translation = self._known(other, text)
                    known = given.get(translation)
                    if known is None or link[:3] < known[:3]:
                        given[translation] = link

    def _known(self, language: str, text: str) -> str:
        folded = self._folded[language].get(text)
        if folded is None:
            folded = self._folded[language][text] = fold(text)
            self._spellings[language].setdefault(folded, []).append(text)
        self._uses[language][text] += 1
        return folded

    def words(self, language: str, other: str) -> list[str]:
        """Return the words of a language that have a link into another, in the order of the dictionaries."""
        pair = (language, other)
        return list(dict.fromkeys((*self._given.get(pair, {}), *self._inverse.get(pair, {}))))

    def linked(self, language: str, other: str) -> bool:
        """Tell whether a dictionary has the two languages."""
        return (language, other) in self._given or (other, language) in self._given

    def spelling(self, language: str, word: str) -> str:
        """Return how a word is most often written; of several spellings, the one that stands first."""
        return max(self._spellings[language][word], key=self._uses[language].__getitem__)

    def rank(self, language: str, word: str) -> int:
        """Return how common a word is, the smallest the most common; `UNRANKED` where no dictionary tells it."""
        return self._ranks[language].get(word, UNRANKED)

    def is_ranked(self, language: str) -> bool:
        """Tell whether a dictionary has the language's words in the order of frequency."""
        return language in self._ranked

    def held(self, language: str, word: str) -> int:
        """Return how many phrases and compounds of the dictionaries hold the word.

        That tells common words from rare ones where nothing else does.
        """
        return self._held[language].get(word, 0)

    def direct(self, language: str, other: str, word: str) -> dict[str, Link]:
        """Return the links of the word's own entries; of the other language's entries where it has none itself."""
        pair = (language, other)
        return self._given.get(pair, {}).get(word) or self._inverse.get(pair, {}).get(word, {})

    def translations(self, language: str, other: str, word: str) -> list[str]:
        """Return a word's direct translations of one word, best first.

        By sense and by place within it, where the dictionary orders them; then those that an entry of the other
        language confirms; then by rank; then by how many phrases hold the word for each word that it translates, which
        puts common words before rare ones and clear ones before ambiguous ones.
        """
        key = (language, other, word)
        if key not in self._order:
            links, held = self.direct(*key), self._held[other]
            back, inverse = self._given.get((other, language), {}), self._inverse.get((other, language), {})
            self._order[key] = sorted(
                links,
                key=lambda found: (
                    *links[found][:2],
                    word not in back.get(found, {}),
                    links[found].rank,
                    -(held.get(found, 0) + 0.5) / len({*back.get(found, ()), *inverse.get(found, ())}),
                    found,
                ),
            )
        return self._order[key]

    def every(self, language: str, other: str, word: str) -> dict[str, Link]:
        """Return the links of a word in both directions, its own before the other language's."""
        pair = (language, other)
        return {**self._inverse.get(pair, {}).get(word, {}), **self._given.get(pair, {}).get(word, {})}

    def phrases(self, language: str, other: str, word: str) -> set[str]:
        """Return a word's translations of several words, folded."""
        return self._phrases.get((language, other), {}).get(word, set())

    def variants(self, language: str, word: str) -> list[str]:
        """Return other spellings and readings of a word, as they are written."""
        return list(self._variants.get((language, word), {}).values())


def _is_other_kind(german: str, pos: str) -> bool:
    """Tell by its initial that a German word is another part of speech than its entry: nouns alone have a capital."""
    return pos in ("noun", "verb", "adjective", "adverb") and german[:1].isupper() != (pos == "noun")


def _inverted(given: dict[str, dict[str, Link]]) -> dict[str, dict[str, Link]]:
    inverse: dict[str, dict[str, Link]] = {}
    for word, links in given.items():
        for translation, link in links.items():
            inverse.setdefault(translation, {})[word] = link
    return inverse


def _tokens(texts: Iterable[str]) -> dict[str, int]:
    """Count the texts that hold each word between spaces, hyphens or apostrophes."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(set(_BETWEEN_WORDS.split(text)))
    return counts


def _compounds(texts: Iterable[str], words: Iterable[str]) -> dict[str, int]:
    """Count the longer texts that hold each word anywhere, in a language without spaces."""
    known = frozenset(words)
    counts: Counter[str] = Counter()
    for text in texts:
        ends = range(1, len(text) + 1)
        pieces = {text[begin:end] for end in ends for begin in range(max(0, end - _LONGEST), end)}
        counts.update((pieces & known) - {text})
    return counts
