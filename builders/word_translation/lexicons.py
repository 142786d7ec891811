"""Every pinned source, loaded, and what it says about a concept."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass

from everyday_nouns.dictionaries import Dictionary, Entry, read_cedict, read_cldr, read_jmdict
from everyday_nouns.sources import FREEDICT_PAIRS, MORE_FREEDICT_PAIRS, Sources
from everyday_nouns.table import LANGUAGES, Concept
from everyday_nouns.wordnet import WordNet
from word_translation.table import stems
from word_translation.votes import FreeDictVotes, concepticon_sets

# The frequency bands depend on these, through the lookup of Chinese and Japanese words.
PINNED_PACKAGES = {"wordfreq": "3.1.1", "jieba": "0.42.1", "mecab-python3": "1.0.12", "ipadic": "1.0.0"}
FREEDICT_DIRECTIONS = (
    *(("en", "fr"), ("fr", "en"), ("en", "de"), ("de", "en"), ("en", "es"), ("es", "en")),
    *(("fr", "de"), ("de", "fr"), ("es", "de"), ("de", "es"), ("en", "ja")),
)


@dataclass(frozen=True)
class Lexicons:
    """Every source, loaded."""

    wordnet: WordNet
    jmdict: Dictionary
    cedict: Dictionary
    cldr: Dictionary
    concepticon: Dictionary
    freedict: FreeDictVotes

    def dictionaries(self) -> tuple[tuple[str, Dictionary], ...]:
        """Dictionaries that are lists of entries, by name."""
        return (
            ("jmdict", self.jmdict),
            ("cedict", self.cedict),
            ("cldr", self.cldr),
            ("concepticon", self.concepticon),
        )


def load(sources: Sources) -> Lexicons:
    """Load all sources.

    Raises:
        ValueError: a source is not the pinned one.
    """
    for package, version in PINNED_PACKAGES.items():
        found = importlib.metadata.version(package)
        if found != version:
            raise ValueError(f"{package} is {found}, not {version}: the frequency bands would differ")
    pairs = (*FREEDICT_PAIRS, *MORE_FREEDICT_PAIRS)
    freedict = sources.freedict(fetch=True, pairs=pairs)
    if freedict is None:
        raise ValueError("FreeDict is not in the cache")
    return Lexicons(
        wordnet=WordNet(sources.wordnet()),
        jmdict=read_jmdict(sources.jmdict()),
        cedict=read_cedict(sources.cedict(), alternatives=True),
        cldr=read_cldr(sources.cldr()),
        concepticon=Dictionary(Entry(words) for words in concepticon_sets(sources.concepticon(), LANGUAGES)),
        freedict=FreeDictVotes(freedict, pairs),
    )


def all_forms(concept: Concept, language: str) -> frozenset[str]:
    """Accepted words of a concept and the stems dictionaries list them under, case-folded."""
    return frozenset(form for word in concept.words[language] for form in stems(language, concept.pos, word))


def known_translations(concept: Concept, lexicons: Lexicons) -> dict[str, frozenset[str]]:
    """Every word that a dictionary gives beside a word of the concept, in any sense, case-folded.

    JMdict reaches French, German and Spanish only through Japanese, so an entry found by any of the concept's words
    counts with all its languages. The concept's own words are included.
    """
    forms = {language: all_forms(concept, language) for language in LANGUAGES}
    found = {language: set(forms[language]) for language in LANGUAGES}
    for _, dictionary in lexicons.dictionaries():
        for language in LANGUAGES:
            for entry in dictionary.entries(language, forms[language]):
                for other, words in entry.words.items():
                    found[other] |= words
    for source, target in FREEDICT_DIRECTIONS:
        for form in sorted(forms[source]):
            found[target] |= lexicons.freedict.translations(source, target, form)
    return {language: frozenset(words) for language, words in found.items()}
