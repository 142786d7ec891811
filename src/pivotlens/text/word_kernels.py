"""Compiled loops that look for words in folded text: word by word, or leftmost-longest in scripts without spaces."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pivotlens.arrays import Booleans, Integers
from pivotlens.text.clitics import (
    AFTER_ANY,
    AFTER_CODA_BUT_R,
    AFTER_CONSONANT,
    AFTER_ELISION,
    AFTER_VOWEL,
    ANYWHERE,
    ARTICLE_ALONE,
    KOREAN,
    NO_ARTICLE,
    NOWHERE,
    SHORTEST_AFTER,
)
from pivotlens.text.compiled import compiled
from pivotlens.text.folding import APOSTROPHE, MARK, SPACED
from pivotlens.text.folding_kernels import decoded
from pivotlens.text.hashed_words import NO_HASH, Dictionary, extended, find, follow

_QUOTE = ord("'")
_FIRST_SYLLABLE, _LAST_SYLLABLE = 0xAC00, 0xD7A3
_CODAS, _R = 28, 8
_LONGEST_PARTICLE = 16
_SHORTEST_AFTER_ARTICLE, _SHORTEST_ELSE = SHORTEST_AFTER[ARTICLE_ALONE], SHORTEST_AFTER[NO_ARTICLE]
_ALL, _LONGER, _SINGLE = 0, 1, 2
WHOLE, GOES_ON = 1, 2
"""Bits of a state: a word of one token ends there, be it one that only hides others; a longer word goes on."""
# Rows of the lists of states, whose lengths stand in their last column.
_ACTIVE, _ENDED, _GOING = 0, 1, 2


class Lexicon(NamedTuple):
    """The words that are looked for between spaces, as sequences of tokens.

    A token is a run within which no word begins or ends: letters, digits and marks; or it is one other character.

    Attributes:
        tokens: Those of all words.
        first_codes: Whether a word, or what French elides, begins with a character of such a code point, modulo 65,536.
        token_rows: Of each token where its first states begin in ``root_states``, and whether French elides it; a row
            more stands for the end; shape ``(tokens + 1, 2)``.
        root_states: States that the first token of words leads to, one a rule.
        edges: What follows a state after a further token: `hashed_words.edges_of`.
        states: Rule and bits of each state, and where the words that end there begin in ``entries``; a row more stands
            for the end; shape ``(states + 1, 3)``.
        entries: Numbers of words.
    """

    tokens: Dictionary
    first_codes: Booleans
    token_rows: Integers
    root_states: Integers
    edges: Integers
    states: Integers
    entries: Integers


class Clitics(NamedTuple):
    """What is taken off words, and where words begin after apostrophes.

    Attributes:
        apostrophes: Of each rule `ANYWHERE`, `AFTER_ELISION` or `NOWHERE`; shape ``(rules,)``.
        by_code: By code point modulo 65,536: `KOREAN` if a word that ends so may end with a particle, `HEBREW` or
            `ARABIC` if one that begins so may begin with a prefix; else 0, as everywhere if no word of the language is
            looked for.
        rules: By `KOREAN`, `HEBREW` and `ARABIC` the number of the rule, shape ``(4,)``.
        particles: Of Korean.
        conditions: What each may follow.
        prefixes: Of Hebrew and Arabic.
        kinds: Their kinds.
    """

    apostrophes: Integers
    by_code: npt.NDArray[np.uint8]
    rules: Integers
    particles: Dictionary
    conditions: Integers
    prefixes: Dictionary
    kinds: Integers


@compiled
def _follows(condition: Any, code: Any) -> Any:
    """Tell whether a particle of a condition follows a character; see `clitics.follows`."""
    if condition == AFTER_ANY or not _FIRST_SYLLABLE <= code <= _LAST_SYLLABLE:
        return True
    coda = (code - _FIRST_SYLLABLE) % _CODAS
    if condition == AFTER_CONSONANT:
        return coda != 0
    if condition == AFTER_VOWEL:
        return coda == 0
    return (coda != 0 and coda != _R) == (condition == AFTER_CODA_BUT_R)


@compiled
def _push(lists: Any, which: Any, state: Any) -> None:
    lists[which, lists[which, -1]] = state
    lists[which, -1] += 1


@compiled
def _begin(token_rows: Any, root_states: Any, states: Any, lists: Any, token: Any, how: Any) -> Any:
    """Begin the words of a rule at a token: all, longer ones or single tokens; return whether one ended there."""
    rule, which = how
    met = False
    for place in range(token_rows[token, 0], token_rows[token + 1, 0]):
        state = root_states[place]
        if states[state, 0] == rule:
            if which != _LONGER and states[state, 1] & WHOLE:
                met = True
                _push(lists, _ENDED, state)
            if which != _SINGLE and states[state, 1] & GOES_ON:
                _push(lists, _GOING, state)
    return met


@compiled
def _go_on(edges: Any, states: Any, lists: Any, token: Any, how: Any) -> None:
    """Lead the words of a rule (-1: of any) that have begun on to a token; single ones can only end with it."""
    rule, which = how
    for place in range(lists[_ACTIVE, -1]):
        state = lists[_ACTIVE, place]
        if rule < 0 or states[state, 0] == rule:
            state = follow(edges, state, token)
            if state >= 0:
                _push(lists, _ENDED, state)
                if which != _SINGLE and states[state, 1] & GOES_ON:
                    _push(lists, _GOING, state)


@compiled
def _is_whole(token_rows: Any, root_states: Any, states: Any, token: Any, rule: Any) -> Any:
    """Tell whether a token is a word of a rule, or one that only hides others."""
    if token >= 0:
        for place in range(token_rows[token, 0], token_rows[token + 1, 0]):
            state = root_states[place]
            if states[state, 0] == rule and states[state, 1] & WHOLE:
                return True
    return False


@compiled
def _before_particles(content: Any, word: Any, lexicon: Any, clitics: Any, lists: Any, scratch: Any) -> None:
    """Take in what is left of a Korean word without particles: the longest word, and the ends of phrases.

    Args:
        content: Folded text.
        word: Where the word begins and ends, and its number as a token or -1.
        lexicon: Words.
        clitics: Particles.
        lists: States that have begun, ended, and that go on.
        scratch: Of the last characters where they end, the characters, and hashes up to there; shape ``(3, 16)``.
    """
    start, end, token = word
    dictionary, _, token_rows, root_states, edges, states, _ = lexicon
    _, _, rules, particles, conditions, _, _ = clitics
    rule = rules[KOREAN]
    place, hashed, n_characters = start, NO_HASH, 0
    while place < end:
        code, size = decoded(content, place)
        hashed = extended(hashed, content, place, place + size)
        place += size
        at = n_characters % _LONGEST_PARTICLE
        scratch[0, at], scratch[1, at], scratch[2, at] = place, code, np.int64(hashed)
        n_characters += 1
    hidden = _is_whole(token_rows, root_states, states, token, rule)
    for back in range(1, min(_LONGEST_PARTICLE, n_characters)):
        at = (n_characters - 1 - back) % _LONGEST_PARTICLE
        cut = scratch[0, at]
        stem = find(dictionary, content, (start, cut), np.uint64(scratch[2, at]))
        if stem < 0:
            continue
        particle = find(particles, content, (cut, end), extended(NO_HASH, content, cut, end))
        if particle >= 0 and _follows(conditions[particle], scratch[1, at]):
            _go_on(edges, states, lists, stem, (rule, _SINGLE))
            hidden = hidden or _begin(token_rows, root_states, states, lists, stem, (rule, _SINGLE))


@compiled
def _after_prefixes(content: Any, word: Any, lexicon: Any, clitics: Any, lists: Any) -> None:
    """Take in what is left of a Hebrew or Arabic word without prefixes: the longest word; phrases begin and go on."""
    start, end, token = word
    dictionary, _, token_rows, root_states, edges, states, _ = lexicon
    _, by_code, rules, _, _, prefixes, kinds = clitics
    code, _ = decoded(content, start)
    rule = rules[by_code[code & 0xFFFF]]
    n_letters = 0
    for place in range(start, end):
        n_letters += (content[place] & 0xC0) != 0x80
    hidden = _is_whole(token_rows, root_states, states, token, rule)
    place, hashed = start, NO_HASH
    for n_left in range(n_letters - 1, _SHORTEST_AFTER_ARTICLE - 1, -1):
        code, size = decoded(content, place)
        if by_code[code & 0xFFFF] == 0:
            break
        hashed = extended(hashed, content, place, place + size)
        place += size
        prefix = find(prefixes, content, (start, place), hashed)
        if prefix < 0 or (kinds[prefix] == NO_ARTICLE and n_left < _SHORTEST_ELSE):
            continue
        rest = find(dictionary, content, (place, end), extended(NO_HASH, content, place, end))
        if rest < 0:
            continue
        if kinds[prefix] == ARTICLE_ALONE:
            _go_on(edges, states, lists, rest, (rule, _ALL))
        which = _LONGER if hidden else _ALL
        hidden = _begin(token_rows, root_states, states, lists, rest, (rule, which)) or hidden


@compiled
def _token_end(content: Any, flags: Any, place: Any, hashed: Any, last: Any) -> Any:
    """Return where a token ends, its hash, and its last character.

    Args:
        content: Folded text.
        flags: `folding.character_flags`.
        place: After a character of it.
        hashed: Hash of it up to there.
        last: That character.
    """
    flag = flags[last]
    while True:
        lead = content[place]
        if lead < 0x80:
            code, size = np.int64(lead), 1
        elif lead < 0xE0:
            code, size = np.int64(lead & 0x1F) << 6 | np.int64(content[place + 1] & 0x3F), 2
        else:
            code, size = decoded(content, place)
        after = flags[code]
        if not (flag & after & SPACED or after & MARK):
            if code != _QUOTE or not flag & APOSTROPHE:
                return place, hashed, last
            code, size = decoded(content, place + 1)
            if not flags[code] & APOSTROPHE:
                return place, hashed, last
            hashed = extended(hashed, content, place, place + 1)
            place += 1
            after = flags[code]
        hashed = extended(hashed, content, place, place + size)
        last, flag = code, after
        place += size


@compiled
def find_words(content: Any, at_text: Any, flags: Any, lexicon: Any, clitics: Any, found: Any) -> Any:
    """Return which words between spaces are in which texts.

    Args:
        content: Folded texts, each ended by a zero byte, shape ``(bytes,)``, uint8.
        at_text: Where the first text that is looked into begins, and its number.
        flags: `folding.character_flags`.
        lexicon: The words.
        clitics: What is taken off them.
        found: What is written to: pairs of text and word, text times the number of words plus the word, each once, by
            text, shape ``(more than the words,)``; and by word a number below that of the first text, shape
            ``(words,)``.

    Returns:
        How many pairs were written; where the next text begins and its number: the end, or where there may be no more
        room for all words.
    """
    dictionary, first_codes, token_rows, root_states, edges, states, entries = lexicon
    apostrophes, by_code, _, _, _, _, _ = clitics
    keys, latest = found
    place, text = at_text
    n_found, n_bytes, most = 0, content.size, keys.size - latest.size
    lists, scratch = np.zeros((3, states.shape[0] + 1), dtype=np.int64), np.zeros((3, _LONGEST_PARTICLE), np.int64)
    n_active, is_word, elides, after_quote, after_elision = 0, False, False, False, False
    while place < n_bytes:
        start = place
        if content[start] == 0:
            text, place, n_active = text + 1, start + 1, 0
            is_word, elides, after_quote = False, False, False
            if n_found > most:
                break
            continue
        first, size = decoded(content, start)
        flag, looked_up = flags[first], first_codes[first & 0xFFFF] or n_active > 0
        if not looked_up and not flag & SPACED and first != _QUOTE:  # most of what is between words
            place = start + size
            is_word, elides, after_quote = False, False, False
            continue
        place, last, hashed = start + size, first, extended(NO_HASH, content, start, start + size)
        if first < 0x80 and flag & SPACED:  # what most text is made of
            while content[place] < 0x80 and flags[content[place]] & SPACED:
                last = np.int64(content[place])
                hashed = extended(hashed, content, place, place + 1)
                place += 1
        if first >= 0x80 or content[place] >= 0x80:
            place, hashed, last = _token_end(content, flags, place, hashed, last)
        quote_before, elided_before = after_quote, after_elision
        after_quote, after_elision = first == _QUOTE and is_word, elides
        is_word, elides = flags[last] & SPACED > 0, False
        before, after = by_code[first & 0xFFFF], by_code[last & 0xFFFF]
        token = np.int64(-1)
        if looked_up and not flag & MARK:  # a mark belongs to what it follows
            token = find(dictionary, content, (start, place), hashed)
        if token < 0 and before <= KOREAN and after != KOREAN:
            n_active = 0
            continue
        lists[_ACTIVE, -1], lists[_ENDED, -1], lists[_GOING, -1] = n_active, 0, 0
        if token >= 0:
            elides = token_rows[token, 1] > 0
            _go_on(edges, states, lists, token, (-1, _ALL))
            for number in range(token_rows[token, 0], token_rows[token + 1, 0]):
                state = root_states[number]
                how = apostrophes[states[state, 0]]
                if how == ANYWHERE or not quote_before or (how == AFTER_ELISION and elided_before):
                    if states[state, 1] & WHOLE:
                        _push(lists, _ENDED, state)
                    if states[state, 1] & GOES_ON:
                        _push(lists, _GOING, state)
        if looked_up and after == KOREAN and not flag & MARK:
            _before_particles(content, (start, place, token), lexicon, clitics, lists, scratch)
        if before > KOREAN:
            _after_prefixes(content, (start, place, token), lexicon, clitics, lists)
        if lists[_ENDED, -1] > 0:
            further, _ = decoded(content, min(place + 1, n_bytes - 1))
            before_quote = content[place] == _QUOTE and flags[last] & flags[further] & SPACED > 0
            for number in range(lists[_ENDED, -1]):
                state = lists[_ENDED, number]
                if before_quote and apostrophes[states[state, 0]] == NOWHERE:
                    continue
                for at in range(states[state, 2], states[state + 1, 2]):
                    entry = entries[at]
                    if latest[entry] != text:
                        latest[entry], keys[n_found] = text, text * latest.size + entry
                        n_found += 1
        for number in range(lists[_GOING, -1]):
            lists[_ACTIVE, number] = lists[_GOING, number]
        n_active = lists[_GOING, -1]
    return n_found, place, text
