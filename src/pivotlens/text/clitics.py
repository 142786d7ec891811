"""What is written together with a word without making another word (docs/method.md#matching-words)."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from itertools import chain, product

KOREAN, HEBREW, ARABIC = 1, 2, 3
"""Rules of `Rule.clitics`: particles after a word; particles and an article before it."""
ANYWHERE, AFTER_ELISION, NOWHERE = 0, 1, 2
"""Where a word may begin after an apostrophe between letters: *l'eau*; *l'eau* but not *aujourd'hui*; not at all."""
AFTER_ANY, AFTER_CONSONANT, AFTER_VOWEL, AFTER_NO_CODA_BUT_R, AFTER_CODA_BUT_R = 0, 1, 2, 3, 4
"""What a Korean particle follows, by the last consonant (batchim) of the syllable before it; R is ㄹ."""

# Letters of the language are written with an apostrophe (oʻzbek, ng'ombe, mba'e, Hawaiʻi): it parts no words there.
_APOSTROPHE_IS_A_LETTER = frozenset({"ay", "gn", "haw", "kaa", "nv", "om", "qu", "sm", "so", "sw", "to", "ty", "uz"})
ELIDED = {"fr": ("c", "ç", "d", "j", "jusqu", "l", "lorsqu", "m", "n", "puisqu", "qu", "quoiqu", "s", "t")}
"""What French elides before a vowel; after another word and an apostrophe no word begins."""


@dataclass(frozen=True)
class Rule:
    """How the words of a language are told from their surroundings.

    Attributes:
        clitics: `KOREAN`, `HEBREW`, `ARABIC`, or 0.
        apostrophes: `ANYWHERE`, `AFTER_ELISION` or `NOWHERE`.
    """

    clitics: int = 0
    apostrophes: int = ANYWHERE


_CLITICS = {"ko": KOREAN, "he": HEBREW, "ar": ARABIC}


def rule_of(language: str) -> Rule:
    """Return the rule of a language."""
    if language in _APOSTROPHE_IS_A_LETTER:
        return Rule(apostrophes=NOWHERE)
    return Rule(_CLITICS.get(language, 0), AFTER_ELISION if language in ELIDED else ANYWHERE)


def has_clitics(language: str) -> bool:
    """Tell whether words of a language are found beside what is written together with them, unless it hides them."""
    return language in _CLITICS


@functools.cache
def whole_words() -> Mapping[str, tuple[str, ...]]:
    """Return by language words that look like a shorter one with a particle (*종이* is no *종*, *בית* is in *הבית*)."""
    lines = (resources.files("pivotlens.text") / "data" / "whole_words.tsv").read_text(encoding="utf-8").splitlines()
    words: dict[str, list[str]] = {}
    for line in lines[1:]:
        language, word = line.split("\t")
        words.setdefault(language, []).append(word)
    return {language: tuple(listed) for language, listed in words.items()}


# -- Korean: particles (조사), some of them followed by another, after a noun or its plural in 들

_AFTER_CONSONANT = "이 을 은 과 이나 이랑 이라도 이든지 이야말로 이었다 이에요 이었습니다"
_AFTER_VOWEL = "가 를 는 와 나 랑 라도 든지 야말로 였다 예요 였습니다"
_AFTER_ANY = (
    "의 에 에서 에게 에게서 한테 한테서 께 께서 도 만 까지 부터 보다 처럼 같이 마다 조차 마저 밖에 뿐 대로 만큼 하고 "
    "에다 에다가 이다 입니다 입니까 이고 이며 이지만 이라고 이라는 이라면 이므로"
)
_DIRECTIONS = "로 로서 로써 로부터"
_FOLLOWED = "에 에서 에게 에게서 한테 한테서 께 께서 까지 부터 보다 처럼 밖에 대로 만큼 마다 하고 과 와 이랑 랑 같이"
_FOLLOWING = "은 는 도 만 의 까지 부터 이다 입니다"
_AFTER_ONLY = "이 을 은 도 의 으로 이다 입니다"


def coda_of(character: str) -> int | None:
    """Return the number of a Korean syllable's last consonant, 0 where it has none, 8 for ㄹ; None for other letters.

    >>> coda_of("물"), coda_of("나"), coda_of("C")
    (8, 0, None)
    """
    return (ord(character) - 0xAC00) % 28 if "가" <= character <= "힣" else None


def follows(condition: int, coda: int | None) -> bool:
    """Tell whether a particle of some condition may follow a syllable; after other letters every one may."""
    if condition == AFTER_ANY or coda is None:
        return True
    if condition == AFTER_CONSONANT:
        return coda != 0
    if condition == AFTER_VOWEL:
        return coda == 0
    return (coda in (0, _R)) == (condition == AFTER_NO_CODA_BUT_R)


_R = 8


@functools.cache
def particles() -> Mapping[str, int]:
    """Return Korean particles and strings of particles, and what each may follow."""
    single = dict.fromkeys(_AFTER_ANY.split(), AFTER_ANY)
    single |= dict.fromkeys(_AFTER_CONSONANT.split(), AFTER_CONSONANT)
    single |= dict.fromkeys(_AFTER_VOWEL.split(), AFTER_VOWEL)
    for direction in _DIRECTIONS.split():
        single |= {direction: AFTER_NO_CODA_BUT_R, f"으{direction}": AFTER_CODA_BUT_R}
    followed = [*_FOLLOWED.split(), *(start + direction for direction in _DIRECTIONS.split() for start in ("", "으"))]
    pairs = chain(product(followed, _FOLLOWING.split()), product(("만",), _AFTER_ONLY.split()))
    both = {first + second: single[first] for first, second in pairs if follows(single[second], coda_of(first[-1]))}
    found = {**both, **single}
    plural = {f"들{particle}": AFTER_ANY for particle, condition in found.items() if follows(condition, _R)}
    return {**found, **plural, "들": AFTER_ANY}


# -- Hebrew and Arabic: a conjunction, a preposition, an article, in this order

ARTICLE, NO_ARTICLE, ARTICLE_ALONE = 0, 1, 2
"""Kinds of prefixes: ending with an article, without one, and an article by itself, as within a phrase (*בית הספר*)."""
SHORTEST_AFTER = {ARTICLE: 2, NO_ARTICLE: 3, ARTICLE_ALONE: 2}
"""Letters of a word that is found after a prefix: a short one after one letter is mostly part of another (*كلب*)."""


@functools.cache
def prefixes(clitics: int) -> Mapping[str, int]:
    """Return what is written before words of Hebrew or Arabic, and its kind."""
    if clitics == HEBREW:
        parts = product(("", "ו"), ("", "ש", "כש", "מש", "לכש"), ("", "ה", "ב", "כ", "ל", "מ", "מה"))
        article = "ה"
    else:
        parts = product(("", "و", "ف"), ("", "ب", "ك", "ل"), ("", "ال"))
        article = "ال"
    found = {}
    for conjunction, preposition, last in parts:
        # ل and the article are written لل.
        prefix = (conjunction + preposition + last).replace("لال", "لل")
        found[prefix] = ARTICLE if last.endswith(article) else NO_ARTICLE
    return {prefix: kind for prefix, kind in found.items() if prefix} | {article: ARTICLE_ALONE}


# -- what is told

_BESIDE_PARTICLES = frozenset({"ko", "ar", "he", "am", "ti", "tig", "gez", "arc", "syr"})


def written_together(languages: Iterable[str]) -> list[str]:
    """Return the languages, sorted, in which words are missed beside a particle or an article (Amharic *የቤት*)."""
    return sorted({code for code in languages if code.split("-")[0] in _BESIDE_PARTICLES and code not in _CLITICS})


def missed_beside_particles(languages: Iterable[str]) -> str:
    """Return a sentence on the languages in which words are missed beside a particle; empty where there are none."""
    together = written_together(languages)
    return (
        f"In {', '.join(together)} a word is not found beside a particle, article or preposition that is written "
        "together with it: cut these off in the text, or look at other languages."
        if together
        else ""
    )
