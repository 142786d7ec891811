"""Finding the words of a list in text: whole words where scripts have spaces, leftmost-longest where not."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import daachorse
import numpy as np
import numpy.typing as npt
import regex

from pivotlens.arrays import Booleans, Bytes, Integers, ragged, ragged_take, sorted_distinct
from pivotlens.errors import DataError
from pivotlens.text.scripts import UNSPACED_SCRIPTS, has_spaces_between_words

_WORD_CHARACTERS = regex.compile(r"[\p{L}\p{M}\p{N}_]+")
# What Latin shares is no letter of theirs: the letter apostrophe, and marks such as the tilde, which Thai borrows.
# Bopomofo stands between them unspaced, though a token in it is not taken to begin a word.
_UNSPACED = regex.compile(
    "(?V1)[[" + "".join(map(r"\p{{scx={}}}".format, (*UNSPACED_SCRIPTS, "Bopomofo"))) + r"]--\p{scx=Latin}]+"
)
_MARKS = regex.compile(r"\p{M}+")
# Scripts in which an apostrophe is a letter within a word (п'ять, צ'ק); in Latin and Greek it may stand for one.
_WITH_APOSTROPHES = regex.compile(r"[\p{sc=Cyrillic}\p{sc=Hebrew}]+")
_SPACED_BIT, _MARK_BIT, _APOSTROPHE_BIT = 1, 2, 4
_SEPARATOR, _UNUSED = "\0", "\ufdd0"

# Written or left out without making another word: soft hyphens, joiners and marks of direction, selectors of a glyph,
# the vowel signs of Hebrew, Arabic and Syriac, tatweel. A dot above is left after NFC only on an i: that of İ in
# lower case. The space of no width is none of them: it parts words.
_IGNORED = regex.compile(
    r"[\u00ad\u034f\u061c\u200c-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef"
    r"\u180b-\u180f\u0307\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670"
    r"\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0711\u0730-\u074a]+"
)
_ALIKE = {"'": "‘’ʻʼ׳＇", "-": "\u2010\u2011", " ": "\t\n\v\f\r\x85\u2028\u2029"}
_SPACES = regex.compile(r"\p{Zs}+")
_FOLDED_AT_ONCE = 1 << 14  # what is worked on stays in the processor's cache
_NOTHING = 0xFFFFFFFF
_APOSTROPHE = ord("'")


@functools.cache
def _every_character() -> str:
    return "".join(map(chr, range(0x110000)))


@functools.cache
def _character_flags() -> Bytes:
    """Return, by code point, whether a character joins into words between spaces, is a mark, or takes apostrophes."""
    flags = np.zeros(0x110000, dtype=np.uint8)
    for run in _WORD_CHARACTERS.finditer(_every_character()):
        flags[run.start() : run.end()] = _SPACED_BIT
    for run in _UNSPACED.finditer(_every_character()):
        flags[run.start() : run.end()] = 0
    for run in _MARKS.finditer(_every_character()):
        flags[run.start() : run.end()] |= _MARK_BIT
    for run in _WITH_APOSTROPHES.finditer(_every_character()):
        flags[run.start() : run.end()] |= _APOSTROPHE_BIT
    return flags


@functools.cache
def _matched_as() -> npt.NDArray[np.uint32]:
    """Return, by code point, the code point that a folded character is matched as, or `_NOTHING`."""
    matched = np.arange(0x110000, dtype=np.uint32)
    for run in _SPACES.finditer(_every_character()):
        matched[run.start() : run.end()] = ord(" ")
    for character, alike in _ALIKE.items():
        matched[[ord(one) for one in alike]] = ord(character)
    for run in _IGNORED.finditer(_every_character()):
        matched[run.start() : run.end()] = _NOTHING
    return matched


_CLITICS = frozenset({"ko", "ar", "he", "am", "ti", "arc", "syr"})
"""Languages that write particles, articles or prepositions together with the word beside them."""


def written_together(languages: Iterable[str]) -> list[str]:
    """Return the languages, sorted, in which words are missed beside a particle or an article (*물을*, *הבית*)."""
    return sorted({language for language in languages if language.split("-")[0] in _CLITICS})


def missed_beside_particles(languages: Iterable[str]) -> str:
    """Return a sentence on the languages in which words are missed beside a particle; empty where there are none."""
    together = written_together(languages)
    return (
        f"In {', '.join(together)} a word is not found beside a particle, article or preposition that is written "
        "together with it: cut these off in the text, or look at other languages."
        if together
        else ""
    )


def joins_words(character: str) -> bool:
    """Tell whether a character is part of words written between spaces: letter, mark, digit or underscore.

    Characters of scripts without spaces are not: beside one of them a Latin word ends.
    """
    return bool(_character_flags()[ord(character)] & _SPACED_BIT)


def takes_apostrophes(character: str) -> bool:
    """Tell whether an apostrophe between this character and another such is a letter of the word: in Cyrillic, Hebrew.

    In other scripts a word may begin or end at one, as *eau* does in *l'eau*.
    """
    return bool(_character_flags()[ord(character)] & _APOSTROPHE_BIT)


def matching_form(text: str) -> str:
    """Return text as words are matched: folded, without what is written or left out at will, the like made the same.

    Apostrophes, hyphens and kinds of white space are one each. Soft hyphens, joiners, the vowel signs of Hebrew,
    Arabic and Syriac, tatweel and the dot that *İ* keeps in lower case are left out.
    """
    # The steps of `fold`, with one more between: leaving out a character may let its neighbours be composed.
    folded = unicodedata.normalize("NFC", text).casefold().encode("utf-32-le", "surrogatepass")
    points = np.take(_matched_as(), np.frombuffer(folded, dtype=np.uint32))
    if points.max(initial=0) == _NOTHING:
        points = points[points != _NOTHING]
    return unicodedata.normalize("NFC", str(points.data, "utf-32-le", "surrogatepass"))


@dataclass(frozen=True)
class _Automaton:
    """Patterns of one kind; a hit of a pattern stands for entries, each with its length in bytes."""

    automaton: daachorse.DoubleArrayAhoCorasick
    leftmost: bool
    offsets: Integers
    entries: Integers
    lengths: Integers

    def hits(self, content: bytes) -> tuple[Integers, Integers]:
        """Return start and entry of every hit that begins and ends where words may."""
        find = self.automaton.find if self.leftmost else self.automaton.find_overlapping_no_suffix
        found = find(content)
        flat = np.fromiter(chain.from_iterable(found), dtype=np.int64, count=3 * len(found))
        ends, patterns = flat[1::3], flat[2::3]
        characters = np.frombuffer(content, dtype=np.uint8)
        # Whatever a pattern stands for ends where it does: most hits fall away here, before anything else is done.
        kept = _end_words(characters, ends)
        ends, patterns = ends[kept], patterns[kept]
        origins, places = ragged_take(self.offsets, np.arange(self.entries.size), patterns)
        starts = ends[origins] - self.lengths[places]
        kept = _begin_words(characters, starts)
        return starts[kept], self.entries[places[kept]]


class WordMatcher:
    """Finds words of several languages in text.

    In scripts with spaces a hit is a whole word or several (hits may overlap: *ice* in *ice cream*). In Chinese,
    Japanese, Thai and the like hits are leftmost-longest among the language's words and its lexicon, so that 登山
    does not count as 山. No hit begins or ends between two characters of spaced words, or before a combining mark.
    Text and words are compared in `matching_form`.

    Args:
        words: Words by language; a word may stand in several languages.
        unspaced_lexicon: Further words of languages without spaces, which only take the place of shorter ones.

    Raises:
        DataError: A word is empty, or has nothing in it once it is folded.

    >>> matcher = WordMatcher({"en": ["ice", "ice cream"], "zh": ["山"]}, {"zh": ["登山"]})
    >>> [matcher.entries[found] for found in matcher.match("Ice cream in a voice, 山")]
    [('en', 'ice'), ('en', 'ice cream'), ('zh', '山')]
    >>> matcher.match("登山").tolist()
    []
    """

    def __init__(
        self, words: Mapping[str, Sequence[str]], unspaced_lexicon: Mapping[str, Iterable[str]] | None = None
    ) -> None:
        self.entries: tuple[tuple[str, str], ...] = tuple(
            (language, word) for language, listed in words.items() for word in listed
        )
        self._languages = np.array([language for language, _ in self.entries], dtype=np.str_)
        by_language: dict[str, dict[str, list[int]]] = {}
        for index, (language, word) in enumerate(self.entries):
            kind = "" if has_spaces_between_words(language) else language
            by_language.setdefault(kind, {}).setdefault(_pattern(word, language), []).append(index)
        self._automata = []
        for kind, forms in by_language.items():
            further = {_pattern(word, kind) for word in (unspaced_lexicon or {}).get(kind, ())} if kind else set()
            self._automata.append(_leftmost(forms, further) if kind else _overlapping(forms))

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
        return self.match_forms(separated_forms(texts))

    def match_forms(self, forms: bytes) -> tuple[Integers, Integers]:
        """Return which words are in which texts, given their forms as `separated_forms` returns them."""
        # The separator keeps every hit inside one text; it is no part of a word.
        content = b"\0" + forms
        starts_of_texts = np.flatnonzero(np.frombuffer(content, dtype=np.uint8) == 0)[:-1] + 1
        keys = [np.zeros(0, dtype=np.int64)]
        for automaton in self._automata:
            starts, entries = automaton.hits(content)
            texts_of_hits = np.searchsorted(starts_of_texts, starts, side="right") - 1
            keys.append(texts_of_hits * len(self.entries) + entries)
        pairs = sorted_distinct(np.concatenate(keys))
        found_texts, found_words = np.divmod(pairs, max(len(self.entries), 1))
        return found_texts, found_words


def separated_forms(texts: Sequence[str]) -> bytes:
    """Return the `matching_form` of each text in UTF-8, each ended by a zero byte, of which there are no others."""
    return b"".join(_separated_forms(texts))


def _separated_forms(texts: Sequence[str]) -> Iterator[bytes]:
    """Yield the forms of texts, each ended by the separator, several short ones or a long one at a time."""
    held: list[str] = []
    characters = 0
    for text in texts:
        held.append(text.replace(_SEPARATOR, _UNUSED))
        characters += len(text)
        if characters > _FOLDED_AT_ONCE:
            yield matching_form(_SEPARATOR.join([*held, ""])).encode("utf-8", "surrogatepass")
            held, characters = [], 0
    yield matching_form(_SEPARATOR.join([*held, ""])).encode("utf-8", "surrogatepass")


def _pattern(word: str, language: str) -> str:
    pattern = " ".join(matching_form(word).split())
    if not pattern or _SEPARATOR in pattern:
        raise DataError(f"{word!r} is no word to look for (language {language})", "Remove it from the list of words.")
    return pattern


def _overlapping(forms: Mapping[str, Sequence[int]]) -> _Automaton:
    # Of the patterns that end at one place the search reports the longest alone. A shorter one can be a whole word
    # there only if it begins at a boundary within the longer one, so the longer one stands for it as well.
    patterns = list(forms)
    rows: list[list[int]] = []
    lengths: list[list[int]] = []
    for pattern in patterns:
        inside = [cut for cut in range(1, len(pattern)) if not _glued(pattern[cut - 1], pattern[cut])]
        ending_here = [pattern, *(pattern[cut:] for cut in inside if pattern[cut:] in forms)]
        rows.append([index for form in ending_here for index in forms[form]])
        lengths.append([len(form.encode("utf-8", "surrogatepass")) for form in ending_here for _ in forms[form]])
    return _automaton(patterns, rows, lengths, leftmost=False)


def _leftmost(forms: Mapping[str, Sequence[int]], further: Iterable[str]) -> _Automaton:
    patterns = [*forms, *sorted(set(further) - set(forms))]
    rows = [forms.get(pattern, ()) for pattern in patterns]
    lengths = [
        [len(pattern.encode("utf-8", "surrogatepass"))] * len(row) for pattern, row in zip(patterns, rows, strict=True)
    ]
    return _automaton(patterns, rows, lengths, leftmost=True)


def _automaton(
    patterns: Sequence[str], rows: Sequence[Sequence[int]], lengths: Sequence[Sequence[int]], *, leftmost: bool
) -> _Automaton:
    kind = daachorse.MATCH_KIND_LEFTMOST_LONGEST if leftmost else daachorse.MATCH_KIND_STANDARD
    encoded = [pattern.encode("utf-8", "surrogatepass") for pattern in patterns]
    offsets, entries = ragged(rows)
    return _Automaton(
        daachorse.DoubleArrayAhoCorasick(encoded, match_kind=kind), leftmost, offsets, entries, ragged(lengths)[1]
    )


def _glued(before: str, after: str) -> bool:
    flags = _character_flags()
    both = flags[ord(before)] & flags[ord(after)] & _SPACED_BIT
    return bool(both) or bool(flags[ord(after)] & _MARK_BIT)


def _begin_words(content: Bytes, starts: Integers) -> Booleans:
    flags = _character_flags()
    before, first = _character_before(content, starts), flags[_character_at(content, starts)]
    free: Booleans = (flags[before] & first & _SPACED_BIT) == 0
    beside = np.flatnonzero(before == _APOSTROPHE)
    further = flags[_character_before(content, starts[beside] - 1)]
    free[beside] = (further & first[beside] & _APOSTROPHE_BIT) == 0
    return free


def _end_words(content: Bytes, ends: Integers) -> Booleans:
    flags = _character_flags()
    last, after = flags[_character_before(content, ends)], _character_at(content, ends)
    free: Booleans = ((last & flags[after] & _SPACED_BIT) | (flags[after] & _MARK_BIT)) == 0
    beside = np.flatnonzero(after == _APOSTROPHE)
    further = flags[_character_at(content, ends[beside] + 1)]
    free[beside] = (last[beside] & further & _APOSTROPHE_BIT) == 0
    return free


def _character_at(content: Bytes, at: Integers) -> Integers:
    """Decode the UTF-8 character that begins at each place."""
    points = content[at].astype(np.int64)
    longer = np.flatnonzero(points >= 0x80)
    at, lead = at[longer], points[longer]
    length = 2 + (lead >= 0xE0) + (lead >= 0xF0)
    decoded = lead & (0x7F >> length)
    for step in (1, 2, 3):
        within = length > step
        following = content[np.where(within, at + step, at)]
        decoded = np.where(within, decoded << 6 | (following & 0x3F), decoded)
    points[longer] = decoded
    return points


def _character_before(content: Bytes, at: Integers) -> Integers:
    """Decode the UTF-8 character that ends before each place."""
    start = at - 1
    inside = np.flatnonzero(content[start] >= 0x80)
    for _ in range(3):
        start[inside] -= (content[start[inside]] & 0xC0) == 0x80
    return _character_at(content, start)
