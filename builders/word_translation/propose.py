"""Propose words for an English lemma, with the sources that attest them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from everyday_nouns.sources import Sources
from everyday_nouns.table import LANGUAGES
from word_translation.frequency import zipf
from word_translation.senses import ChineseSense, JapaneseSense, read_chinese, read_japanese
from word_translation.spine import Lemma, read_lemmas
from word_translation.table import is_one_word
from word_translation.votes import FreeDictVotes, read_cldr_names, read_concepticon

TARGETS = LANGUAGES[1:]
N_PROPOSALS = 5


@dataclass
class Proposal:
    """A proposed word: how many sources attest it, and what it is ranked by."""

    word: str
    sources: set[str] = field(default_factory=set)
    score: float = 0.0


@dataclass(frozen=True)
class Candidate:
    """A concept with the proposals of every language, best first."""

    lemma: Lemma
    zipf: float
    cells: dict[str, tuple[Proposal, ...]]

    @property
    def concept_id(self) -> str:
        """Return the id, such as `dog.n`."""
        return f"{self.lemma.word}.{self.lemma.pos}"


class Proposer:
    """All sources, loaded for proposing."""

    def __init__(self, sources: Sources) -> None:
        """Read them."""
        freedict = sources.freedict(fetch=True)
        if freedict is None:
            raise ValueError("FreeDict is not in the cache")
        self._freedict = FreeDictVotes(freedict)
        self._japanese = read_japanese(sources.jmdict())
        self._chinese = read_chinese(sources.cedict())
        self._cldr = read_cldr_names(sources.cldr(), LANGUAGES)
        self._concepticon = read_concepticon(sources.concepticon(), LANGUAGES)
        self._lemmas = read_lemmas(sources.wordnet())

    def lemmas(self) -> list[Lemma]:
        """All English lemmas."""
        return self._lemmas

    def cells(self, word: str, pos: str) -> dict[str, tuple[Proposal, ...]]:
        """Proposals for one English lemma in every language."""
        japanese = self._japanese.get((pos, word), [])
        cells: dict[str, tuple[Proposal, ...]] = {
            language: self._pivoted(word, pos, language, japanese) for language in ("fr", "de", "es")
        }
        cells["zh"] = self._zh(word, pos, japanese)
        cells["ja"] = self._ja(word, pos, japanese)
        return cells

    def _outside(self, word: str, pos: str, language: str) -> list[tuple[str, set[str]]]:
        """Words of the sources that know no Japanese."""
        cldr = self._cldr.get(word, {}).get(language, set()) if pos == "n" else set()
        return [("cldr", cldr), ("concepticon", self._concepticon.get((pos, word), {}).get(language, set()))]

    def _pivoted(self, word: str, pos: str, language: str, japanese: list[JapaneseSense]) -> tuple[Proposal, ...]:
        found: dict[str, Proposal] = {}
        for sense in japanese:
            weight = _weight(sense, pos, word)
            for gloss, position in sense.words[language].items():
                spelling = _shaped(language, pos, gloss)
                if spelling:
                    proposal = found.setdefault(spelling, Proposal(spelling))
                    proposal.sources.add(f"jmdict:{sense.entry}")
                    proposal.score += weight / (1 + 0.3 * position)
        for name, words in self._outside(word, pos, language):
            for one in sorted(words):
                spelling = _shaped(language, pos, _german(one, pos) if language == "de" else one)
                if spelling:
                    proposal = found.setdefault(spelling, Proposal(spelling))
                    proposal.sources.add(name)
                    proposal.score += 3
        for proposal in found.values():
            directions = self._freedict.directions(word, language, proposal.word)
            proposal.sources |= {f"freedict:{i}" for i in range(directions)}
            proposal.score += 2.5 * directions + 0.7 * min(zipf(language, proposal.word), 6)
        return _best(found)

    def _ja(self, word: str, pos: str, japanese: list[JapaneseSense]) -> tuple[Proposal, ...]:
        found: dict[str, Proposal] = {}
        freedict = {language: self._freedict.translations("en", language, word) for language in ("fr", "de", "es")}
        chinese = {sense.traditional for sense in self._chinese.get((pos, word), ())}
        chinese |= {sense.simplified for sense in self._chinese.get((pos, word), ())}
        outside = dict(self._outside(word, pos, "ja"))
        for sense in japanese:
            if not is_one_word("ja", sense.spelling):
                continue
            proposal = found.setdefault(sense.spelling, Proposal(sense.spelling))
            new = {"jmdict"}
            new |= {
                language
                for language, words in freedict.items()
                if words & {one.casefold() for one in sense.words[language]}
            }
            new |= {name for name, words in outside.items() if sense.spelling in words}
            if sense.spelling.removesuffix("する") in chinese:
                new.add("cedict")
            proposal.score += len(new - proposal.sources) + 2 * _weight(sense, pos, word)
            proposal.sources |= new
        for proposal in found.values():
            stem = proposal.word.removesuffix("する") if pos == "v" else proposal.word
            proposal.score += 0.8 * min(zipf("ja", stem), 6)
        return _best(found)

    def _zh(self, word: str, pos: str, japanese: list[JapaneseSense]) -> tuple[Proposal, ...]:
        found: dict[str, Proposal] = {}
        spellings = {sense.spelling.removesuffix("する") for sense in japanese}
        senses: list[ChineseSense] = self._chinese.get((pos, word), [])
        outside = self._outside(word, pos, "zh")
        for sense in senses:
            if not is_one_word("zh", sense.simplified):
                continue
            proposal = found.setdefault(sense.simplified, Proposal(sense.simplified))
            new = {"cedict"}
            if {sense.traditional, sense.simplified} & spellings:
                new.add("jmdict")
            proposal.score += len(new - proposal.sources) + 2 / (1 + sense.position)
            proposal.sources |= new
        for name, words in outside:
            for one in sorted(words):
                if is_one_word("zh", one):
                    proposal = found.setdefault(one, Proposal(one))
                    proposal.score += 2
                    proposal.sources.add(name)
        for proposal in found.values():
            proposal.score += 1.2 * min(zipf("zh", proposal.word), 6) - (1.5 if len(proposal.word) == 1 else 0)
        return _best(found)


def _weight(sense: JapaneseSense, pos: str, word: str) -> float:
    """How much the sense is about the word: first gloss of the first sense of a common entry counts most."""
    return (
        (1.0 if sense.common else 0.4)
        * (1.0 if sense.number == 0 else 0.5)
        * (1.0 if sense.glosses[pos, word] == 0 else 0.5)
    )


def _best(found: dict[str, Proposal]) -> tuple[Proposal, ...]:
    return tuple(sorted(found.values(), key=lambda one: (-round(one.score, 6), one.word))[:N_PROPOSALS])


def _german(word: str, pos: str) -> str:
    return word[:1].upper() + word[1:] if pos == "n" else word


_INFINITIVE = {"fr": r".+(er|ir|re|oir|ïr)", "de": r".+(en|ern|eln|tun|ein)", "es": r".+[aeií]r"}


def _shaped(language: str, pos: str, word: str) -> str:
    """Return the word in the shape its part of speech has in the language, or '' when it cannot have it."""
    reflexive = word[:-2] if language == "es" and pos == "v" and re.fullmatch(r".+[aeií]rse", word) else word
    word = reflexive
    if not is_one_word(language, word) or len(word) < 2:
        return ""
    if language == "de":
        if pos == "n" and not (word[0].isupper() and word[1:].islower()):
            return ""
        if pos != "n" and not word.islower():
            return ""
    elif not word.islower():
        return ""
    if pos == "v" and not re.fullmatch(_INFINITIVE[language], word):
        return ""
    if pos == "a" and language in {"fr", "es"} and re.fullmatch(_ABSTRACT[language], word):
        return ""
    if zipf(language, word) < 1.5:
        return ""
    return word


# Glosses of Japanese adjectives are often abstract nouns.
_ABSTRACT = {"fr": r".+(té|tion|ment|sse|isme|ance|ence|eur)", "es": r".+(dad|ción|miento|ismo|anza|encia|eza|tud)"}
