"""Which source attests which word."""

from __future__ import annotations

from dataclasses import dataclass

from everyday_nouns.table import LANGUAGES, Concept
from word_translation.lexicons import Lexicons, all_forms
from word_translation.table import stems


@dataclass(frozen=True)
class Finding:
    """The sources that attest a word of a concept."""

    concept_id: str
    language: str
    word: str
    displayed: bool
    sources: tuple[str, ...]


def findings(concept: Concept, lexicons: Lexicons) -> list[Finding]:
    """Look every word of every cell up."""
    return [
        Finding(
            concept.concept_id,
            language,
            word,
            position == 0,
            tuple(
                _english(concept, word, lexicons) if language == "en" else _foreign(concept, language, word, lexicons)
            ),
        )
        for language in LANGUAGES
        for position, word in enumerate(concept.words[language])
    ]


def _foreign(concept: Concept, language: str, word: str, lexicons: Lexicons) -> list[str]:
    """Sources that link the word with an English word of the concept.

    Chinese words and the stems of Japanese ones serve several parts of speech, of which a dictionary often glosses one:
    计算 "to calculate" attests "calculation", 承認 "approval" attests 承認する "approve". There a source also counts,
    as `jmdict-derived` or `cedict-derived`, when its English word is one that WordNet derives from the concept's; and
    as `jmdict-phrase` or `cedict-phrase`, when one of these English words stands in a longer gloss, as 雄心 is "great
    ambition".

    JMdict speaks for French, German and Spanish in two ways: `jmdict` is an entry of the row's own Japanese word that
    gives the word back, `jmdict-pivot` an entry that holds the word and an English word of the row. FreeDict speaks for
    French and Spanish through English, and as `freedict-german` through the German words of the row.
    """
    english = plurals(all_forms(concept, "en"))
    forms = stems(language, concept.pos, word)
    found = []
    for name, dictionary in lexicons.dictionaries():
        if any(dictionary.attests(language, form, english) for form in sorted(forms)):
            found.append("jmdict-pivot" if name == "jmdict" and language != "ja" else name)
    derivable = {"zh": ("cedict", lexicons.cedict), "ja": ("jmdict", lexicons.jmdict)}
    if not found and language in derivable:
        name, dictionary = derivable[language]
        derived = plurals(lexicons.wordnet.derived(concept.forms("en"), concept.pos))
        glosses = {head for entry in dictionary.entries(language, forms) for head in entry.words.get("en", ())}
        if glosses & derived:
            found.append(f"{name}-derived")
        elif {token for gloss in glosses for token in gloss.split()} & (english | derived):
            found.append(f"{name}-phrase")
    if language in {"fr", "de", "es"}:
        japanese = lexicons.jmdict.entries("ja", all_forms(concept, "ja"))
        if any(forms & entry.words.get(language, frozenset()) for entry in japanese):
            found.append("jmdict")
    if language != "zh" and lexicons.freedict.links("en", english, language, forms):
        found.append("freedict")
    if language in {"fr", "es"} and lexicons.freedict.links("de", all_forms(concept, "de"), language, forms):
        found.append("freedict-german")
    return sorted(found)


def plurals(words: frozenset[str]) -> frozenset[str]:
    """English words with their regular plurals: a dictionary may gloss 成本 as "costs"."""
    more = {word + ending for word in words for ending in ("s", "es")}
    return words | more | {word[:-1] + "ies" for word in words if word.endswith("y")}


def _english(concept: Concept, word: str, lexicons: Lexicons) -> list[str]:
    """An English word is attested by its synset, or by the words of the other languages."""
    form = frozenset({word.casefold()})
    found = []
    if form <= {lemma.casefold() for lemma in lexicons.wordnet.synsets[concept.synset].lemmas}:
        found.append("wordnet")
    for name, dictionary in lexicons.dictionaries():
        if any(
            dictionary.attests(language, one, form)
            for language in LANGUAGES[1:]
            for one in sorted(all_forms(concept, language))
        ):
            found.append(name)
    others = (language for language in LANGUAGES[1:] if language != "zh")
    if any(lexicons.freedict.links("en", form, language, all_forms(concept, language)) for language in others):
        found.append("freedict")
    return sorted(found)
