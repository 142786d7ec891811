"""The words that are counted, and which of them are translations of one another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from pivotlens.arrays import Integers, ragged, ragged_take, sorted_distinct
from pivotlens.artifacts import Concept
from pivotlens.text import has_spaces_between_words
from pivotlens.text.clitics import has_clitics
from pivotlens.text.matching import WordMatcher, word_form
from pivotlens.text.segmenters import segmenter

Named = tuple[str, str]


@dataclass(frozen=True)
class CountedWords:
    """Words by language, their counted forms and the concepts they stand for.

    Two concepts that show the same word in a language share it: its forms are those of both.

    Attributes:
        words: Language and displayed word, in the order of the benchmark.
        forms: Counted forms of each word; the word occurs where any of them does.
        concepts: Concept ids.
        members: For each concept its words, one a language, as indices into ``words``.
        lexicon: By language without spaces or with particles, all words of the benchmark and longer words of a
            dictionary: they take the place of shorter ones.
        segmenters: Languages whose text a segmenter cuts into words, and its name.
    """

    words: tuple[Named, ...]
    forms: tuple[tuple[str, ...], ...]
    concepts: tuple[str, ...]
    members: tuple[tuple[int, ...], ...]
    lexicon: tuple[tuple[str, tuple[str, ...]], ...]
    segmenters: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(
        cls,
        concepts: Sequence[Concept],
        everything: Iterable[Concept] = (),
        longer: Mapping[str, Iterable[str]] | None = None,
        segmenters: Mapping[str, str] | None = None,
    ) -> CountedWords:
        """Take the words of ``concepts``, and as lexicon those of ``everything`` and, by language, of ``longer``.

        Args:
            concepts: What is counted.
            everything: All that the benchmark has.
            longer: Longer words of a dictionary, by language.
            segmenters: Names of segmenters, by language.
        """
        forms: dict[Named, dict[str, None]] = {}
        for concept in concepts:
            for language, word in concept.words.items():
                forms.setdefault((language, word), {}).update(dict.fromkeys((word, *concept.counted(language))))
        index = {named: number for number, named in enumerate(forms)}
        lexicon: dict[str, set[str]] = {}
        for concept in (*concepts, *everything):
            for language in concept.accepted:
                if has_clitics(language) or not has_spaces_between_words(language):
                    lexicon.setdefault(language, set()).update(concept.counted(language))
        for language in lexicon:
            lexicon[language].update((longer or {}).get(language, ()))
        return cls(
            words=tuple(forms),
            forms=tuple(tuple(counted) for counted in forms.values()),
            concepts=tuple(concept.concept_id for concept in concepts),
            members=tuple(tuple(index[named] for named in concept.words.items()) for concept in concepts),
            lexicon=tuple((language, tuple(sorted(words))) for language, words in sorted(lexicon.items())),
            segmenters=tuple(sorted((segmenters or {}).items())),
        )

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """Languages of the words, in order of appearance."""
        return tuple(dict.fromkeys(language for language, _ in self.words))

    @cached_property
    def language_of_word(self) -> Integers:
        """Index into ``languages`` of each word, shape ``(words,)``."""
        index = {language: number for number, language in enumerate(self.languages)}
        return np.array([index[language] for language, _ in self.words], dtype=np.int64)

    def of_language(self, language: str) -> tuple[CountedWords, Integers]:
        """Return the words of one language alone, without concepts, and their numbers here."""
        numbers = [number for number, (code, _) in enumerate(self.words) if code == language]
        lexicon = tuple((code, words) for code, words in self.lexicon if code == language)
        words = tuple(self.words[number] for number in numbers)
        forms = tuple(self.forms[number] for number in numbers)
        segmenters = tuple((code, name) for code, name in self.segmenters if code == language)
        return CountedWords(words, forms, (), (), lexicon, segmenters), np.array(numbers, dtype=np.int64)

    @cached_property
    def concepts_of_word(self) -> tuple[Integers, Integers]:
        """Concepts of each word, as offsets and values."""
        rows: list[list[int]] = [[] for _ in self.words]
        for concept, members in enumerate(self.members):
            for word in members:
                rows[word].append(concept)
        return ragged(rows)

    @cached_property
    def translations(self) -> Integers:
        """Ordered pairs of words that share a concept, each once, sorted; shape ``(pairs, 2)``."""
        pairs = {(a, b) for members in self.members for a in members for b in members if a != b}
        return np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)


@dataclass(frozen=True)
class Finder:
    """Finds counted words in texts."""

    matcher: WordMatcher
    offsets: Integers
    words: Integers
    n_words: int

    def find(self, texts: Sequence[str]) -> tuple[Integers, Integers]:
        """Return the sorted pairs of text and word, both shape ``(pairs,)``, each pair once."""
        found_texts, forms = self.matcher.match_batch(texts)
        origins, words = ragged_take(self.offsets, self.words, forms)
        pairs = sorted_distinct(found_texts[origins] * max(self.n_words, 1) + words)
        return np.divmod(pairs, max(self.n_words, 1))


@lru_cache(maxsize=2)
def finder_of(words: CountedWords) -> Finder:
    """Return the finder of the words; made once a process."""
    return make_finder(words)


def make_finder(words: CountedWords) -> Finder:
    """Return a finder of the words."""
    listed: dict[str, dict[str, list[int]]] = {language: {} for language in words.languages}
    for number, ((language, _), forms) in enumerate(zip(words.words, words.forms, strict=True)):
        # Forms that fold alike are one; a form may belong to several words.
        for form in dict.fromkeys(word_form(form, language) for form in forms):
            listed[language].setdefault(form, []).append(number)
    matcher = WordMatcher(
        {language: tuple(forms) for language, forms in listed.items()},
        dict(words.lexicon),
        {language: segmenter(name) for language, name in words.segmenters},
    )
    offsets, values = ragged([rows for forms in listed.values() for rows in forms.values()])
    return Finder(matcher, offsets, values, len(words.words))
