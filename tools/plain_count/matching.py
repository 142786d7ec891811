"""Which words of a list stand in which units: one word after another is looked for in the text of all units."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import accumulate

import regex

from pivotlens.text.clitics import (
    AFTER_ELISION,
    ANYWHERE,
    ARTICLE_ALONE,
    ELIDED,
    KOREAN,
    NO_ARTICLE,
    NOWHERE,
    particles,
    prefixes,
    rule_of,
)
from pivotlens.text.clitics import follows as may_follow

_UNSPACED_LANGUAGES = {"zh", "ja", "th", "lo", "km", "my", "bo"}
_UNSPACED = (
    r"\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Thai}\p{scx=Laoo}\p{scx=Khmr}\p{scx=Mymr}\p{scx=Tibt}\p{scx=Bopo}"
)
_JOINING = rf"[[\p{{L}}\p{{M}}\p{{N}}_]--[[{_UNSPACED}]--\p{{scx=Latn}}]]"
_QUOTED = r"[\p{sc=Cyrl}\p{sc=Hebr}]"
# One token after another: what no word begins or ends within.
_TOKEN = regex.compile(
    rf"(?V1s).(?:(?<={_JOINING}){_JOINING}|\p{{M}}|(?<={_QUOTED})'(?={_QUOTED})|(?<={_QUOTED}'){_QUOTED})*"
)
# Default ignorables but for letters, the space of no width, signs of music and tags; then marks left out at will.
_LEFT_OUT = regex.compile(
    r"(?V1)[[\p{DI}--[\p{Lo}\u200b\u17b4\u17b5\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]][\p{Mn}&&[\u0590-\u074f]]\u0640\u0307]+"
)
_ALIKE = str.maketrans("‘’ʻʼ׳＇\u2010\u2011\t\n\v\f\r\x85\u2028\u2029\0", "''''''--        \ufdd0")
_SPACE = regex.compile(r"\p{Zs}")
_END = "\0"


@cache
def joins(character: str) -> bool:
    """Tell whether a character is of words written between spaces."""
    return bool(regex.fullmatch(rf"(?V1){_JOINING}", character))


@cache
def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")


@cache
def _is_quoted(character: str) -> bool:
    return bool(regex.fullmatch(_QUOTED, character))


def fold(text: str, language: str) -> str:
    """Return text as words of a language are looked for in it."""
    text = unicodedata.normalize("NFC", text)
    if language in ("tr", "az"):
        text = text.replace("I", "ı")
    text = _SPACE.sub(" ", text.casefold().translate(_ALIKE))
    return unicodedata.normalize("NFC", _LEFT_OUT.sub("", text))


def folded_word(word: str, language: str) -> str:
    """Return a word as it is looked for."""
    return " ".join(fold(word, language).split())


class Words:
    """Words that are looked for in units.

    Args:
        forms: Of each word its language and its forms.
        hiding: By language, words that only hide shorter ones.
    """

    def __init__(self, forms: Sequence[tuple[str, Iterable[str]]], hiding: Mapping[str, Iterable[str]]) -> None:
        self._numbers: dict[str, dict[str, list[int]]] = {}
        for number, (language, of_word) in enumerate(forms):
            listed = self._numbers.setdefault(language, {})
            for form in {folded_word(form, language) for form in of_word}:
                listed.setdefault(form, []).append(number)
        self._hiding = {code: {folded_word(word, code) for word in words} for code, words in hiding.items()}

    def find(self, texts: Sequence[str]) -> list[set[int]]:
        """Return the numbers of the words in each text."""
        found: list[set[int]] = [set() for _ in texts]
        folded: dict[str, list[str]] = {}
        for language, numbers in self._numbers.items():
            how = language if language in ("tr", "az") else ""
            if how not in folded:
                folded[how] = [fold(text, how) for text in texts]
            for text, form in self._places(folded[how], language, list(numbers)):
                found[text].update(numbers[form])
        return found

    def _places(self, texts: Sequence[str], language: str, forms: Sequence[str]) -> Iterator[tuple[int, str]]:
        hiding = self._hiding.get(language, set())
        if language.split("-")[0] in _UNSPACED_LANGUAGES:
            return _longest(texts, set(forms), hiding)
        if rule_of(language).clitics:
            return _beside_particles(texts, language, forms, hiding)
        return _whole(texts, language, forms)


def _is_cut(text: str, place: int) -> bool:
    """Tell whether a word may begin or end before a character."""
    before, here, after = (text[at] if 0 <= at < len(text) else _END for at in (place - 1, place, place + 1))
    if (joins(before) and joins(here)) or _is_mark(here):
        return False
    further = text[place - 2] if place > 1 else _END
    in_quotes = (before, here, after), (further, before, here)
    return not any(quote == "'" and _is_quoted(left) and _is_quoted(right) for left, quote, right in in_quotes)


def _whole(texts: Sequence[str], language: str, forms: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Look for whole words: every occurrence of every form in all texts, one after another."""
    everything = _END.join([*texts, ""])
    ends = list(accumulate(len(text) + 1 for text in texts))
    for form in forms:
        start = everything.find(form)
        while start >= 0:
            end = start + len(form)
            if (
                _is_cut(everything, start)
                and _is_cut(everything, end)
                and _quotes_allow(everything, start, end, language)
            ):
                text = bisect_right(ends, start)
                yield text, form
                start = everything.find(form, ends[text])
            else:
                start = everything.find(form, start + 1)


def _quotes_allow(text: str, start: int, end: int, language: str) -> bool:
    """Tell whether a word of a language may stand where apostrophes are beside it."""
    how = rule_of(language).apostrophes
    if how == ANYWHERE:
        return True
    before = _tokens_before(text, start)
    after_quote = len(before) == 2 and before[1].startswith("'") and joins(before[0][-1])
    if after_quote and not (how == AFTER_ELISION and before[0] in ELIDED[language]):
        return False
    goes_on = text[end : end + 1] == "'" and joins(text[end - 1]) and joins(text[end + 1 : end + 2] or _END)
    return not (how == NOWHERE and goes_on)


def _tokens_before(text: str, end: int) -> list[str]:
    """Return the two tokens before a place, of the text up to the last end of a unit; fewer where there are no more."""
    tokens: list[str] = []
    while len(tokens) < 2 and end and text[end - 1] != _END:
        start = end - 1
        while start and not _is_cut(text, start):
            start -= 1
        tokens.insert(0, text[start:end])
        end = start
    return tokens


def _longest(texts: Sequence[str], forms: set[str], hiding: set[str]) -> Iterator[tuple[int, str]]:
    """Look for words leftmost-longest, in scripts without spaces."""
    words = forms | hiding
    lengths: dict[str, set[int]] = defaultdict(set)
    for word in words:
        lengths[word[0]].add(len(word))
    descending = {first: sorted(of_first, reverse=True) for first, of_first in lengths.items()}
    for number, text in enumerate(texts):
        place = 0
        while place < len(text):
            for length in descending.get(text[place], ()):
                word = text[place : place + length]
                if word in words:
                    end = place + len(word)
                    apart = (place == 0 or _is_cut(text, place)) and _is_cut(text, end)
                    if word in forms and apart and not is_other_kana(text, place, end):
                        yield number, word
                    place = end
                    break
            else:
                place += 1


def is_other_kana(text: str, start: int, end: int) -> bool:
    """Tell whether one or two kana go on a word: hiragana after hiragana or kanji, katakana beside katakana."""
    word, before, after = text[start:end], text[max(start - 1, 0) : start], text[end : end + 1]
    if regex.fullmatch(r"\p{sc=Hiragana}{1,2}", word):
        return bool(regex.match(r"[\p{sc=Hiragana}\p{sc=Han}]", before))
    katakana = r"[\p{sc=Katakana}ー]"
    return bool(regex.fullmatch(katakana + "{1,2}", word) and regex.search(katakana, before + after))


def _beside_particles(
    texts: Sequence[str], language: str, forms: Sequence[str], hiding: set[str]
) -> Iterator[tuple[int, str]]:
    """Look for words of Korean, Hebrew and Arabic, token by token."""
    tokens_of = {form: _TOKEN.findall(form) for form in {*forms, *hiding}}
    single = {form for form, tokens in tokens_of.items() if len(tokens) == 1}
    phrases: dict[str, list[str]] = defaultdict(list)
    for form in forms:
        if form not in single:
            phrases[tokens_of[form][0]].append(form)
    wanted = set(forms)
    korean = rule_of(language).clitics == KOREAN

    @cache
    def readings(token: str) -> tuple[str, ...]:
        return tuple(sorted({token, *_without(token, language)}, key=len, reverse=True))

    @cache
    def longest(token: str) -> str | None:
        return next((reading for reading in readings(token) if reading in single), None)

    for number, text in enumerate(texts):
        tokens = _TOKEN.findall(text)
        for at, token in enumerate(tokens):
            if _is_mark(token[0]):
                continue
            word = longest(token)
            if word in wanted:
                yield number, str(word)
            for first in (token,) if korean else readings(token):
                for form in phrases.get(first, ()):
                    parts = tokens_of[form][1:]
                    here = tokens[at + 1 : at + 1 + len(parts)]
                    if len(here) == len(parts) and _goes_on(parts, here, language):
                        yield number, form


def _goes_on(parts: Sequence[str], tokens: Sequence[str], language: str) -> bool:
    """Tell whether tokens are the further ones of a phrase."""
    if rule_of(language).clitics == KOREAN:
        return parts[:-1] == tokens[:-1] and (parts[-1] == tokens[-1] or parts[-1] in _without(tokens[-1], language))
    (article,) = (prefix for prefix, kind in prefixes(rule_of(language).clitics).items() if kind == ARTICLE_ALONE)
    return all(
        part == token or (len(part) > 1 and token == article + part) for part, token in zip(parts, tokens, strict=True)
    )


def _without(token: str, language: str) -> Iterator[str]:
    """Yield what a token may be without what is written together with it."""
    clitics = rule_of(language).clitics
    for cut in range(1, len(token)):
        if clitics == KOREAN:
            condition = particles().get(token[cut:])
            if condition is not None and may_follow(condition, _last_consonant(token[cut - 1])):
                yield token[:cut]
        else:
            kind = prefixes(clitics).get(token[:cut])
            if kind is not None and len(token) - cut >= (3 if kind == NO_ARTICLE else 2):
                yield token[cut:]


def _last_consonant(syllable: str) -> int | None:
    decomposed = unicodedata.normalize("NFD", syllable)
    if not "\uac00" <= syllable <= "\ud7a3":
        return None
    return ord(decomposed[2]) - 0x11A7 if len(decomposed) == 3 else 0
