"""Compute the distractors and the linked words."""

from __future__ import annotations

import hashlib

from everyday_nouns.dictionaries import Dictionary
from everyday_nouns.evidence import Lexicons
from everyday_nouns.table import LANGUAGES, N_DISTRACTORS, Concept
from everyday_nouns.wordnet import WordNet

_SEED = "pivotlens-everyday-nouns-1"
_NEAR_EACH = 2  # at most so many distractors of each of the tiers 0, 1 and 2, so that most are unrelated


def wordnet_problems(concepts: list[Concept], wordnet: WordNet) -> list[str]:
    """Synsets that do not exist or do not hold the displayed English word."""
    problems = []
    for concept in concepts:
        synset = wordnet.synsets.get(concept.synset)
        lemmas = {lemma.casefold() for lemma in synset.lemmas} if synset else set()
        if concept.words["en"][0].casefold() not in lemmas:
            problems.append(f"{concept.concept_id}: synset {concept.synset} does not hold the displayed word")
    return problems


def distractors_tsv(concepts: list[Concept], lexicons: Lexicons) -> str:
    """Nine distractors for every test concept.

    Raises:
        ValueError: a concept has fewer than nine valid distractors.
    """
    tests = [concept for concept in concepts if concept.split == "test"]
    translations = {concept.concept_id: known_translations(concept, lexicons) for concept in tests}
    lines = ["concept_id\tdistractor_id\ttier"]
    for concept in tests:
        candidates = [
            (lexicons.wordnet.tier(concept.synset, other.synset), _rank(concept, other), other.concept_id)
            for other in tests
            if other is not concept
            and not _translation_link(concept, other, translations)
            and not _wordnet_link(concept, other, lexicons.wordnet)
        ]
        lines += sorted(f"{concept.concept_id}\t{other}\t{tier}" for tier, other in _pick(concept, candidates))
    return "\n".join(lines) + "\n"


def _pick(concept: Concept, candidates: list[tuple[int, bytes, str]]) -> list[tuple[int, str]]:
    """At most two of each near tier in hash order, then the farthest tier, then near ones again if it runs out."""
    ordered = sorted(candidates, key=lambda candidate: candidate[1])
    near = [one for tier in range(3) for one in [c for c in ordered if c[0] == tier][:_NEAR_EACH]]
    far = [one for one in ordered if one[0] == 3]
    rest = [one for one in ordered if one[0] < 3 and one not in near]
    picked = [*near, *far, *rest][:N_DISTRACTORS]
    if len(picked) < N_DISTRACTORS:
        raise ValueError(f"{concept.concept_id}: only {len(picked)} valid distractors")
    return [(tier, other) for tier, _, other in picked]


def _rank(concept: Concept, other: Concept) -> bytes:
    return hashlib.sha256(f"{_SEED}\t{concept.concept_id}\t{other.concept_id}".encode()).digest()


def known_translations(concept: Concept, lexicons: Lexicons) -> dict[str, frozenset[str]]:
    """Every word that a dictionary gives beside a word of the concept, in any sense, case-folded.

    JMdict reaches French, German and Spanish only through Japanese, so an entry found by any of the concept's words
    counts with all its languages. The concept's own words are included.
    """
    found = {language: set(concept.forms(language)) for language in LANGUAGES}
    dictionaries: list[Dictionary] = [lexicons.jmdict, lexicons.cedict, lexicons.cldr]
    for dictionary in dictionaries:
        for language in LANGUAGES:
            for entry in dictionary.entries(language, concept.forms(language)):
                for other, words in entry.words.items():
                    found[other] |= words
    return {language: frozenset(words) for language, words in found.items()}


def _translation_link(first: Concept, second: Concept, translations: dict[str, dict[str, frozenset[str]]]) -> bool:
    return any(
        translations[one.concept_id][language] & other.forms(language)
        for one, other in ((first, second), (second, first))
        for language in LANGUAGES
    )


def _wordnet_link(first: Concept, second: Concept, wordnet: WordNet) -> bool:
    """Whether any noun senses of the English words coincide or lie above one another."""
    one, other = wordnet.senses(first.forms("en")), wordnet.senses(second.forms("en"))
    above_one = frozenset().union(*(wordnet.closure(sense) for sense in one))
    above_other = frozenset().union(*(wordnet.closure(sense) for sense in other))
    return bool(one & other or one & above_other or other & above_one)


def links_tsv(concepts: list[Concept], wordnet: WordNet) -> str:
    """English words that WordNet links with each concept, one relation a word."""
    rows = set()
    for concept in concepts:
        own = frozenset().union(*(concept.forms(language) for language in LANGUAGES))
        nearest: dict[str, str] = {}
        for lemma, relation in wordnet.links(concept.synset, concept.forms("en")):
            if lemma not in own:
                nearest.setdefault(lemma, relation)
        rows |= {(concept.concept_id, "en", lemma, relation) for lemma, relation in nearest.items()}
    lines = ["\t".join(row) for row in sorted(rows)]
    return "\n".join(["concept_id\tlanguage\tword\trelation", *lines]) + "\n"
