"""What kind of wrong an answer is (docs/method.md#wrong-answers): texts only, no tokens."""

from __future__ import annotations

import functools
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile

import regex

from pivotlens.artifacts import Concept
from pivotlens.text import ENGLISH, Direction, bare_answer, has_cjk
from pivotlens.text.forms import stems
from pivotlens.text.function_words import is_function_word
from pivotlens.text.word_lists import WordLists, bundled_word_lists

COPIED_SOURCE, ENGLISH_WORD, THIRD_LANGUAGE = "copied_source", "english_word", "third_language"
RELATED_WORD, OTHER_FORM, TARGET_LANGUAGE = "related_word", "other_form", "target_language"
OTHER, EMPTY = "other", "empty"
FAILURES = (
    COPIED_SOURCE, ENGLISH_WORD, THIRD_LANGUAGE, RELATED_WORD, OTHER_FORM, TARGET_LANGUAGE, OTHER, EMPTY
)  # fmt: skip
"""Kinds of wrong answers, in the order of tables and bars."""

_NEAR_TIER = 1
_MOST_SIBLINGS = 20
"""A hypernym of more concepts than these is too general to make its hyponyms siblings."""
_RATIO = 10
"""A word that is this many times rarer in a language than in another counts as the other's, as for pivots."""
_SHORTEST_PIECE = 4
_SHORTEST_MISSPELT = 6
_HIRAGANA = regex.compile(r"\p{Hiragana}+")
_MARKS = regex.compile(r"\p{Mn}+")


@dataclass(frozen=True)
class ItemWords:
    """The words that an item's answer is held against, as `bare_answer` writes them.

    Attributes:
        displayed: The word that was to be translated.
        source: Of the concept in the source language.
        target: In the target language: what is right.
        english: In English; empty where a side is English.
        third: In the other languages.
        related: Words of the target language linked with the concept, and linked words as the benchmark lists them.
        lexicon: All words of the benchmark in the target language.
        direction: Source and target language.
        languages: Of the benchmark.
    """

    displayed: str
    source: frozenset[str]
    target: frozenset[str]
    english: frozenset[str]
    third: frozenset[str]
    related: frozenset[str]
    lexicon: frozenset[str]
    direction: Direction
    languages: frozenset[str]


def failure_kind(answer: str, words: ItemWords) -> str:
    """Return which of `FAILURES` a wrong answer is; what is right must have been told before.

    The first that fits: nothing written; the source word itself; the English word and a word of a third language, if
    the target language has no such word; a linked word; a form of the right word; a form of the source word; of the
    English word; of a third language's; a word that shares its stem with the right one or is written inside it; a word
    of the target language.
    """
    bare = bare_answer(answer)
    if not bare:
        return EMPTY
    if not has_cjk(bare):
        bare = _without_grammar(bare)
    own = _is_of_language(bare, words)
    foreign = not own
    fitting = (
        (COPIED_SOURCE, bare == words.displayed or (foreign and bare in words.source)),
        (ENGLISH_WORD, foreign and bare in words.english),
        (THIRD_LANGUAGE, foreign and bare in words.third),
        (RELATED_WORD, bare in words.related),
        (OTHER_FORM, _is_form(bare, words.target)),
        (COPIED_SOURCE, foreign and _is_form(bare, words.source)),
        (ENGLISH_WORD, foreign and _is_form(bare, words.english)),
        (THIRD_LANGUAGE, foreign and _is_form(bare, words.third)),
        (RELATED_WORD, _is_derived(bare, words.target)),
        (TARGET_LANGUAGE, own),
    )
    return next((kind for kind, fits in fitting if fits), OTHER)


def _without_grammar(bare: str) -> str:
    """Return an answer without the articles and other words of grammar before its last word."""
    *before, last = bare.split()
    return " ".join([*(word for word in before if not is_function_word(word)), last])


def _is_form(bare: str, words: Iterable[str]) -> bool:
    """Tell whether an answer is a form of a word: by endings, accents, a slip of one letter, or a piece of it."""
    return any(_same_word(_plain(bare), _plain(word)) for word in words)


def _same_word(answer: str, word: str) -> bool:
    if word.startswith(answer) and len(answer) >= _SHORTEST_PIECE and 2 * len(answer) >= len(word):
        return True
    if has_cjk(answer):
        kanji = _HIRAGANA.sub("", answer)
        return bool(kanji) and kanji == _HIRAGANA.sub("", word)
    if stems(answer) & stems(word):
        return True
    return min(len(answer), len(word)) >= _SHORTEST_MISSPELT and _differs_by_a_letter(answer, word)


@functools.lru_cache(maxsize=1 << 18)
def _plain(text: str) -> str:
    """Return a Latin text without accents; Chinese and Japanese as it is."""
    return text if has_cjk(text) else _MARKS.sub("", unicodedata.normalize("NFD", text))


def _differs_by_a_letter(first: str, second: str) -> bool:
    """Tell whether one letter is another, missing or too many."""
    shorter, longer = sorted((first, second), key=len)
    if len(longer) - len(shorter) > 1:
        return False
    place = _shared(shorter, longer)
    return longer[place + 1 :] in (shorter[place:], shorter[place + 1 :])


def _shared(first: str, second: str) -> int:
    """Return with how many of the same letters two words begin."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False)))


def _is_derived(bare: str, words: Iterable[str]) -> bool:
    """Tell whether an answer shares the first half of a word, or, in Chinese characters, is inside it or around it."""
    answer = _plain(bare)
    return any(_share_stem(answer, _plain(word)) for word in words)


def _share_stem(answer: str, word: str) -> bool:
    if has_cjk(answer):
        return answer in word or (has_cjk(word) and word in answer)
    shared = _shared(answer, word)
    return shared >= _SHORTEST_PIECE and 2 * shared >= max(len(answer), len(word))


def _is_of_language(bare: str, words: ItemWords) -> bool:
    """Tell whether all words of an answer are words of the target language."""
    parts = [bare] if has_cjk(bare) else bare.split()
    return bare in words.lexicon or all(_is_listed(part, words, bundled_word_lists()) for part in parts)


def _is_listed(word: str, words: ItemWords, lists: WordLists) -> bool:
    if word in words.lexicon:
        return True
    found = lists.of(word)
    own = {code: frequency for code, frequency in found.items() if code in words.languages}
    return _RATIO * own.get(words.direction.target, 0.0) >= max(own.values(), default=1.0)


@dataclass(frozen=True)
class FailureKinds:
    """Tells the kinds of wrong answers to the items of a benchmark.

    Attributes:
        concepts: Of the benchmark, by id.
        related: Of each, the ids of the concepts that are linked with it.
        lexicon: By language, all words of the benchmark.
    """

    concepts: Mapping[str, Concept]
    related: Mapping[str, Collection[str]]
    lexicon: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, concepts: Iterable[Concept]) -> FailureKinds:
        """Take the words and links of a benchmark."""
        by_id = {concept.concept_id: concept for concept in concepts}
        lexicon: dict[str, set[str]] = {}
        for concept in by_id.values():
            for code, accepted in concept.accepted.items():
                lexicon.setdefault(code, set()).update(map(bare_answer, accepted))
        return cls(by_id, _related(by_id), {code: frozenset(found) for code, found in lexicon.items()})

    def kind(self, answer: str, concept: Concept, direction: Direction) -> str:
        """Return which of `FAILURES` a wrong answer to a concept's word is."""
        return failure_kind(answer, self.words(concept, direction))

    def words(self, concept: Concept, direction: Direction) -> ItemWords:
        """Return the words that answers to a concept's word are held against."""
        others = {code: accepted for code, accepted in concept.accepted.items() if code not in direction}
        near = [self.concepts[other].accepted.get(direction.target, ()) for other in self.related[concept.concept_id]]
        linked = [word for _, word, _ in concept.links]
        return ItemWords(
            displayed=_bare_word(concept.words[direction.source]),
            source=_bare(concept.accepted[direction.source]),
            target=_bare(concept.accepted[direction.target]),
            english=_bare(others.pop(ENGLISH, ())),
            third=_bare(word for accepted in others.values() for word in accepted),
            related=_bare([*linked, *(word for accepted in near for word in accepted)]),
            lexicon=self.lexicon[direction.target],
            direction=direction,
            languages=frozenset(self.lexicon),
        )


@functools.lru_cache(maxsize=1 << 18)
def _bare_word(word: str) -> str:
    return bare_answer(word)


def _bare(words: Iterable[str]) -> frozenset[str]:
    return frozenset(map(_bare_word, words))


def _related(concepts: Mapping[str, Concept]) -> dict[str, frozenset[str]]:
    """Return the concepts that are linked with each.

    One's word is among the other's links, both have a hypernym that few have, or one is a near distractor of the other.
    """
    named: dict[tuple[str, str], list[str]] = {}
    below: dict[tuple[str, str], list[str]] = {}
    general: Counter[tuple[str, str]] = Counter()
    for key, concept in concepts.items():
        for code, accepted in concept.accepted.items():
            for word in accepted:
                named.setdefault((code, _bare_word(word)), []).append(key)
        for code, word, relation in concept.links:
            if relation == "hypernym":
                below.setdefault((code, _bare_word(word)), []).append(key)
                general[code, _bare_word(word)] += 1
    found: dict[str, set[str]] = {key: set() for key in concepts}

    def join(one: str, others: Iterable[str]) -> None:
        for other in others:
            if other != one:
                found[one].add(other)
                found[other].add(one)

    for key, concept in concepts.items():
        join(key, (other for other, tier in concept.tiers.items() if tier <= _NEAR_TIER and other in concepts))
        for code, word, relation in concept.links:
            bare = (code, _bare_word(word))
            join(key, named.get(bare, ()))
            if relation == "hypernym" and general[bare] <= _MOST_SIBLINGS:
                join(key, below[bare])
    return {key: frozenset(others) for key, others in found.items()}
