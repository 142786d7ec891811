"""Nine distractors for every test concept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from everyday_nouns.table import LANGUAGES, N_DISTRACTORS
from word_translation.lexicons import all_forms
from word_translation.relations import Relations
from word_translation.splits import seeded
from word_translation.table import Row

MAX_ZIPF_DIFFERENCE = 1.0
NEAR_EACH = 2  # at most so many distractors of each of the tiers 0, 1 and 2, so that most are unrelated

Translations = Mapping[str, Mapping[str, frozenset[str]]]


@dataclass(frozen=True)
class Chosen:
    """A distractor; `far_in_frequency` says that the bound on frequency had to be relaxed for it."""

    concept_id: str
    distractor_id: str
    tier: int
    far_in_frequency: bool


def distractors_tsv(chosen: list[Chosen]) -> str:
    """Write the distractors as they are shipped."""
    lines = sorted(f"{one.concept_id}\t{one.distractor_id}\t{one.tier}" for one in chosen)
    return "\n".join(["concept_id\tdistractor_id\ttier", *lines]) + "\n"


def choose(
    rows: list[Row], translations: Translations, relations: Relations, frequency: Callable[[str], float]
) -> tuple[list[Chosen], dict[str, int]]:
    """Choose the distractors; concepts without nine are left out, of the candidates of the others too.

    Args:
        rows: The concepts; only test concepts take part.
        translations: Known translations of each concept by language.
        relations: WordNet.
        frequency: Zipf frequency of an English word.

    Returns:
        The distractors, and for every concept left out the number of valid ones it had.
    """
    tests = sorted((row for row in rows if row.split == "test"), key=lambda row: row.concept_id)
    linked = translation_links(tests, translations)
    for one, others in wordnet_links(tests, relations).items():
        linked[one] |= others
    for one, others in spelling_links(tests).items():
        linked[one] |= others
    zipf = {row.concept_id: frequency(row.words["en"][0]) for row in tests}
    dropped: dict[str, int] = {}
    while True:
        pool = [row for row in tests if row.concept_id not in dropped]
        chosen: list[Chosen] = []
        failed: dict[str, int] = {}
        for row in pool:
            valid = [
                other
                for other in pool
                if other is not row and other.pos == row.pos and other.concept_id not in linked[row.concept_id]
            ]
            if len(valid) < N_DISTRACTORS:
                failed[row.concept_id] = len(valid)
            else:
                chosen += _pick(row, valid, zipf, relations)
        if not failed:
            return chosen, dropped
        dropped |= failed


def _pick(row: Row, valid: list[Row], zipf: Mapping[str, float], relations: Relations) -> list[Chosen]:
    """At most two of each near tier in seeded order, then the farthest tier, then near ones again if it runs out."""
    own = zipf[row.concept_id]
    distance = {other.concept_id: round(abs(zipf[other.concept_id] - own), 6) for other in valid}
    near = [other for other in valid if distance[other.concept_id] <= MAX_ZIPF_DIFFERENCE]
    relaxed: list[Row] = []
    if len(near) < N_DISTRACTORS:
        ids = {other.concept_id for other in near}
        rest = [other for other in valid if other.concept_id not in ids]
        rest.sort(key=lambda other: (distance[other.concept_id], other.concept_id))
        relaxed = rest[: N_DISTRACTORS - len(near)]
    ordered = sorted([*near, *relaxed], key=lambda other: seeded(f"distractors/{row.concept_id}", other.concept_id))
    by_tier: defaultdict[int, list[Row]] = defaultdict(list)
    for other in ordered:
        by_tier[relations.tier(row.synset, other.synset)].append(other)
    picked = [(tier, other) for tier in range(3) for other in by_tier[tier][:NEAR_EACH]]
    picked += [(3, other) for other in by_tier[3]]
    picked += [(tier, other) for tier in range(3) for other in by_tier[tier][NEAR_EACH:]]
    return [
        Chosen(row.concept_id, other.concept_id, tier, distance[other.concept_id] > MAX_ZIPF_DIFFERENCE)
        for tier, other in picked[:N_DISTRACTORS]
    ]


def translation_links(rows: list[Row], translations: Translations) -> defaultdict[str, set[str]]:
    """Concepts of which a known translation of one is a word of the other, in any language, in either direction."""
    owners: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        for language in LANGUAGES:
            for form in all_forms(row, language):
                owners[language, form].append(row.concept_id)
    linked: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        for language, words in translations[row.concept_id].items():
            for word in words:
                for other in owners.get((language, word), ()):
                    if other != row.concept_id:
                        linked[row.concept_id].add(other)
                        linked[other].add(row.concept_id)
    return linked


def wordnet_links(rows: list[Row], relations: Relations) -> defaultdict[str, set[str]]:
    """Concepts of the same part of speech that WordNet links in any sense."""
    owners: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        for synset in relations.marks(row):
            owners[row.pos, synset].append(row.concept_id)
    linked: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        for synset in relations.forbidden(row):
            for other in owners.get((row.pos, synset), ()):
                if other != row.concept_id:
                    linked[row.concept_id].add(other)
                    linked[other].add(row.concept_id)
    return linked


def spelling_links(rows: list[Row]) -> defaultdict[str, set[str]]:
    """Concepts of which a displayed word of one is spelled as a displayed word of the other in whatever language."""
    owners: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        for language in LANGUAGES:
            owners[row.words[language][0].casefold()].add(row.concept_id)
    linked: defaultdict[str, set[str]] = defaultdict(set)
    for group in owners.values():
        for one in group:
            linked[one] |= group - {one}
    return linked


def pair_problem(
    one: Row, other: Row, translations: Translations, relations: Relations, frequency: Callable[[str], float]
) -> str:
    """Say why a concept may not be a distractor of another, or ''; the slow twin of the links above."""
    if one.pos != other.pos:
        return "is another part of speech"
    if one.split != "test" or other.split != "test":
        return "is no test concept"
    for first, second in ((one, other), (other, one)):
        for language in LANGUAGES:
            shared = translations[first.concept_id][language] & all_forms(second, language)
            if shared:
                return f"is linked by a dictionary: {language} {sorted(shared)[0]}"
    if relations.linked(one, other):
        return "is linked by WordNet"
    spellings = {words[0].casefold() for words in one.words.values()}
    if spellings & {words[0].casefold() for words in other.words.values()}:
        return "has a displayed word with the same spelling"
    if round(abs(frequency(one.words["en"][0]) - frequency(other.words["en"][0])), 6) > MAX_ZIPF_DIFFERENCE:
        return "is far in frequency"
    return ""
