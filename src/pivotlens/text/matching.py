"""Finding the words of a list in text: whole words where scripts have spaces, leftmost-longest where not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pivotlens.arrays import Bytes, Integers, ragged, sorted_distinct
from pivotlens.errors import DataError
from pivotlens.text.clitics import (
    AFTER_ELISION,
    ARABIC,
    ELIDED,
    HEBREW,
    KOREAN,
    Rule,
    has_clitics,
    particles,
    prefixes,
    rule_of,
    whole_words,
)
from pivotlens.text.folding import (
    APOSTROPHE,
    DOTTED_I,
    MARK,
    SPACED,
    Texts,
    character_flags,
    fold,
    matching_form,
)
from pivotlens.text.folding_kernels import ALL_CODES
from pivotlens.text.hashed_words import Dictionary, edges_of
from pivotlens.text.scripts import has_spaces_between_words
from pivotlens.text.unspaced_kernels import CUT, ENDS, Trie, find_longest, find_segments
from pivotlens.text.word_kernels import GOES_ON, WHOLE, Clitics, Lexicon, find_words

Segmenter = Callable[[Sequence[str]], Iterable[Sequence[str]]]
"""Cuts each of some texts into segments, all of it."""
_PAIRS_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class _Part:
    """Words that are looked for in one way, in texts that are folded and cut alike."""

    search: Callable[[Bytes, tuple[int, int], tuple[Integers, Integers]], tuple[int, int, int]]
    folded_for: str
    segmenter: Segmenter | None = None

    def forms(self, texts: Sequence[str]) -> Bytes:
        """Return the texts as the words are looked for in them."""
        if self.segmenter is not None:
            texts = [
                chr(CUT).join(segment.replace(chr(CUT), " ") for segment in segments)
                for segments in self.segmenter(texts)
            ]
        return fold(Texts.of(texts), self.folded_for)

    def keys(self, forms: Bytes, n_words: int) -> Integers:
        """Return the pairs of text and word, packed."""
        found = np.empty(n_words + _PAIRS_AT_ONCE, dtype=np.int64), np.full(n_words, -1, dtype=np.int64)
        keys, place, text = [found[0][:0]], 0, 0
        while place < forms.size:
            n_found, place, text = self.search(forms, (place, text), found)
            keys.append(found[0][:n_found].copy())
        return np.concatenate(keys)


class WordMatcher:
    """Finds words of several languages in text (docs/method.md#matching-words).

    In scripts with spaces a hit is a whole word or several (hits may overlap: *ice* in *ice cream*), in Korean, Hebrew
    and Arabic beside particles, prefixes and articles too. In Chinese, Japanese, Thai and the like hits are
    leftmost-longest among the language's words and its lexicon, so that 登山 does not count as 山. No hit begins or
    ends between two characters of spaced words, or before a combining mark. Text and words are compared in
    `matching_form`.

    Args:
        words: Words by language; a word may stand in several languages.
        lexicon: Further words, of languages without spaces or with particles, which only take the place of shorter
            ones.
        segmenters: By language what cuts its text: a word is one segment or several whole ones.

    Raises:
        DataError: A word is empty, or has nothing in it once it is folded.

    >>> matcher = WordMatcher({"en": ["ice", "ice cream"], "zh": ["山"], "ko": ["물"]}, {"zh": ["登山"]})
    >>> [matcher.entries[found] for found in matcher.match("Ice cream in a voice, 山 물을")]
    [('en', 'ice'), ('en', 'ice cream'), ('zh', '山'), ('ko', '물')]
    >>> matcher.match("登山 물리").tolist()
    []
    """

    def __init__(
        self,
        words: Mapping[str, Sequence[str]],
        lexicon: Mapping[str, Iterable[str]] | None = None,
        segmenters: Mapping[str, Segmenter] | None = None,
    ) -> None:
        self.entries: tuple[tuple[str, str], ...] = tuple(
            (language, word) for language, listed in words.items() for word in listed
        )
        self._languages = np.array([language for language, _ in self.entries], dtype=np.str_)
        segmenters, lexicon = segmenters or {}, lexicon or {}
        spaced: dict[str, dict[Rule, dict[str, list[int]]]] = {}
        alone: dict[str, dict[str, list[int]]] = {}
        for index, (language, word) in enumerate(self.entries):
            pattern = word_form(word, language)
            if language in segmenters or not has_spaces_between_words(language):
                forms = alone.setdefault(language, {})
            else:
                folded_for = language if language in DOTTED_I else ""
                forms = spaced.setdefault(folded_for, {}).setdefault(rule_of(language), {})
                if has_clitics(language) and not forms:
                    further = (*whole_words().get(language, ()), *lexicon.get(language, ()))
                    forms |= {word_form(word, language): [] for word in further}
            forms.setdefault(pattern, []).append(index)
        self._parts = [_words_part(by_rule, folded_for) for folded_for, by_rule in spaced.items()]
        for language, forms in alone.items():
            segmenter = segmenters.get(language)
            if segmenter is None:
                longer: dict[str, list[int]] = {word_form(word, language): [] for word in lexicon.get(language, ())}
                self._parts.append(_longest_part(_trie(longer | forms)))
            else:
                self._parts.append(_segments_part(_trie(forms), segmenter))

    def match(self, text: str, language: str | None = None) -> Integers:
        """Return the indices (into ``entries``) of the words in a text, sorted, each once.

        Args:
            text: Any text.
            language: Look for the words of this language only; None looks for all.
        """
        _, words = self.match_batch([text])
        return words if language is None else words[self._languages[words] == language]

    def match_batch(self, texts: Sequence[str]) -> tuple[Integers, Integers]:
        """Return which words are in which texts.

        Returns:
            Indices of texts and of words, both shape ``(pairs,)``, sorted by text and word, each pair once.
        """
        n_entries = max(len(self.entries), 1)
        forms: dict[str, Bytes] = {}
        keys = [np.zeros(0, dtype=np.int64)]
        for part in self._parts:
            if part.segmenter is not None:
                keys.append(part.keys(part.forms(texts), n_entries))
                continue
            if part.folded_for not in forms:
                forms[part.folded_for] = part.forms(texts)
            keys.append(part.keys(forms[part.folded_for], n_entries))
        found_texts, words = np.divmod(sorted_distinct(np.concatenate(keys)), n_entries)
        return found_texts, words


def _words_part(by_rule: Mapping[Rule, Mapping[str, Sequence[int]]], folded_for: str) -> _Part:
    flags, lexicon, clitics = character_flags(), _lexicon(by_rule), _clitics(list(by_rule))
    return _Part(lambda forms, at, found: find_words(forms, at, flags, lexicon, clitics, found), folded_for)


def _longest_part(trie: Trie) -> _Part:
    flags = character_flags()
    return _Part(lambda forms, at, found: find_longest(forms, at, flags, trie, found), "")


def _segments_part(trie: Trie, segmenter: Segmenter) -> _Part:
    return _Part(lambda forms, at, found: find_segments(forms, at, trie, found), "", segmenter)


def word_form(word: str, language: str) -> str:
    """Return what a word of a language is matched as.

    Raises:
        DataError: Nothing is left of it.
    """
    form = " ".join(matching_form(word, language).split())
    if not form or "\0" in form:
        raise DataError(f"{word!r} is no word to look for (language {language})", "Remove it from the list of words.")
    return form


def tokens_of(form: str) -> list[str]:
    """Cut a form where words may begin or end.

    >>> tokens_of("l'eau de-vie"), tokens_of("п'ять")
    (['l', "'", 'eau', ' ', 'de', '-', 'vie'], ["п'ять"])
    """
    flags = [int(character_flags()[ord(character)]) for character in form]
    cuts = [0]
    for place in range(1, len(form)):
        before, here = flags[place - 1], flags[place]
        joined = before & here & SPACED or here & MARK
        for quote in (place - 1, place):
            if form[quote] == "'" and 0 < quote < len(form) - 1:
                joined = joined or flags[quote - 1] & flags[quote + 1] & APOSTROPHE
        if not joined:
            cuts.append(place)
    return [form[start:end] for start, end in zip(cuts, [*cuts[1:], len(form)], strict=True)]


def _lexicon(by_rule: Mapping[Rule, Mapping[str, Sequence[int]]]) -> Lexicon:
    elides = any(rule.apostrophes == AFTER_ELISION for rule in by_rule)
    elided = [matching_form(word) for words in ELIDED.values() for word in words] if elides else []
    numbers = {token: number for number, token in enumerate(dict.fromkeys(elided))}
    roots: list[dict[int, int]] = [{} for _ in numbers]  # by token, of each rule the first state
    edges: dict[tuple[int, int], int] = {}
    states: list[list[int]] = []  # rule, bits
    entries: list[list[int]] = []

    def new_state(rule: int) -> int:
        states.append([rule, 0])
        entries.append([])
        return len(states) - 1

    for rule, forms in enumerate(by_rule.values()):
        for form, indices in forms.items():
            first, *rest = (numbers.setdefault(token, len(numbers)) for token in tokens_of(form))
            roots += [{} for _ in range(len(numbers) - len(roots))]
            state = roots[first].setdefault(rule, -1)
            if state < 0:
                state = roots[first][rule] = new_state(rule)
            for token in rest:
                states[state][1] |= GOES_ON
                if (state, token) not in edges:
                    edges[state, token] = new_state(rule)
                state = edges[state, token]
            states[state][1] |= 0 if rest else WHOLE
            entries[state] += indices
    looked_up = [token for token, number in numbers.items() if roots[number]] + elided
    first_codes = np.zeros(1 << 16, dtype=bool)
    first_codes[[ord(token[0]) & 0xFFFF for token in looked_up]] = True
    root_offsets, root_states = ragged([list(of_token.values()) for of_token in roots])
    entry_offsets, flat_entries = ragged(entries)
    is_elided = np.isin(np.arange(len(numbers) + 1), [numbers[token] for token in elided])
    return Lexicon(
        Dictionary.of(list(numbers)),
        first_codes,
        np.stack([root_offsets, is_elided], axis=1),
        root_states,
        edges_of([(state, token, following) for (state, token), following in edges.items()]),
        np.column_stack([np.array([*states, [-1, 0]], dtype=np.int64), entry_offsets]),
        flat_entries,
    )


def _clitics(rules: Sequence[Rule]) -> Clitics:
    by_code = np.zeros(1 << 16, dtype=np.uint8)
    numbers = np.full(ARABIC + 1, -1, dtype=np.int64)
    before: dict[str, int] = {}
    for number, rule in enumerate(rules):
        if rule.clitics:
            numbers[rule.clitics] = number
        if rule.clitics == KOREAN:
            by_code[ord("가") : ord("힣") + 1] = KOREAN
        elif rule.clitics in (HEBREW, ARABIC):
            by_code[[ord(letter) for prefix in prefixes(rule.clitics) for letter in prefix]] = rule.clitics
            before |= prefixes(rule.clitics)
    return Clitics(
        np.array([rule.apostrophes for rule in rules], dtype=np.int64),
        by_code,
        numbers,
        Dictionary.of(list(particles())),
        np.array(list(particles().values()), dtype=np.int64),
        Dictionary.of(list(before)),
        np.array(list(before.values()), dtype=np.int64),
    )


def _trie(forms: Mapping[str, Sequence[int]]) -> Trie:
    firsts = np.full(ALL_CODES, -1, dtype=np.int32)
    edges: dict[tuple[int, int], int] = {}
    bits: list[int] = []
    entries: list[Sequence[int]] = []

    def new_state() -> int:
        bits.append(0)
        entries.append(())
        return len(bits) - 1

    for form, indices in forms.items():
        first, *rest = map(ord, form)
        if firsts[first] < 0:
            firsts[first] = new_state()
        state = int(firsts[first])
        for code in rest:
            bits[state] |= GOES_ON
            if (state, code) not in edges:
                edges[state, code] = new_state()
            state = edges[state, code]
        bits[state] |= ENDS
        entries[state] = indices
    offsets, flat_entries = ragged(entries)
    rows = [(state, code, following) for (state, code), following in edges.items()]
    return Trie(firsts, edges_of(rows), np.column_stack([np.array([*bits, 0], dtype=np.int64), offsets]), flat_entries)
