"""The cleaning rules: shape, evidence, and one owner a word."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from everyday_nouns.table import LANGUAGES
from word_translation.evidence import Finding
from word_translation.table import Row, shape_problem


@dataclass(frozen=True)
class Removal:
    """What a rule took out: a whole concept, or an accepted word of a cell."""

    rule: str
    concept_id: str
    language: str
    word: str
    detail: str

    def line(self) -> str:
        """Return a line of the report."""
        return "\t".join((self.rule, self.concept_id, self.language, self.word, self.detail))


def without_misshapen(rows: list[Row], traditional: frozenset[str]) -> tuple[list[Row], list[Removal]]:
    """Drop accepted words of the wrong shape, and concepts whose displayed word has it.

    Args:
        rows: The concepts.
        traditional: Characters that are only written in traditional Chinese.
    """
    kept: list[Row] = []
    removals: list[Removal] = []
    for row in rows:
        words: dict[str, tuple[str, ...]] = {}
        failed = False
        for language in LANGUAGES:
            good: list[str] = []
            forms: set[str] = set()
            for position, word in enumerate(row.words[language]):
                problem = shape_problem(language, row.pos, word)
                if not problem and language == "zh" and set(word) & traditional:
                    problem = "is not simplified"
                if not problem and word.casefold() in forms:
                    problem = "stands in the cell twice"
                if not problem:
                    good.append(word)
                    forms.add(word.casefold())
                    continue
                rule = "displayed word misshapen: concept dropped" if position == 0 else "accepted word misshapen"
                removals.append(Removal(rule, row.concept_id, language, word, problem))
                failed = failed or position == 0
            words[language] = tuple(good)
        if not failed:
            kept.append(replace(row, words=words))
    return kept, removals


def without_unattested(
    rows: list[Row], findings: Mapping[str, list[Finding]], whys: Mapping[str, Mapping[tuple[str, str], str]]
) -> tuple[list[Row], list[Removal], list[Removal]]:
    """Drop accepted words that no source attests and no reviewer explains; note the reasons of the others.

    Returns:
        The concepts, what was removed, and the displayed words without source (the reason, if any, as the detail).
    """
    kept: list[Row] = []
    removals: list[Removal] = []
    unattested: list[Removal] = []
    for row in rows:
        words = {language: list(row.words[language]) for language in LANGUAGES}
        notes: list[str] = []
        for finding in findings[row.concept_id]:
            if finding.sources:
                continue
            reasons = whys.get(row.concept_id, {})
            why = reasons.get((finding.language, finding.word), "")
            if finding.displayed:
                why = why or reasons.get((finding.language, ""), "")
                unattested.append(Removal("unattested", row.concept_id, finding.language, finding.word, why))
                if why:
                    notes.append(f"{finding.language}:no-source:{why}")
            elif why:
                notes.append(f"{finding.language}/{finding.word}:no-source:{why}")
            else:
                words[finding.language].remove(finding.word)
                rule = "accepted word without source or reason"
                removals.append(Removal(rule, row.concept_id, finding.language, finding.word, ""))
        fixed = {language: tuple(words[language]) for language in LANGUAGES}
        kept.append(replace(row, words=fixed, flags_note=";".join(notes)))
    return kept, removals, unattested


def without_shared(rows: list[Row], frequency: Callable[[str], float]) -> tuple[list[Row], list[Removal]]:
    """Keep no two concepts that are nearly the same.

    Of two concepts that have the same synset, or display the same word in English or in two languages, the one whose
    English word is less frequent is dropped. Two concepts may display the same word in one other language, as the verb
    and the noun of a Chinese word do; `flags` marks them.

    Args:
        rows: The concepts.
        frequency: Of an English word; greater is more frequent.
    """
    removals: list[Removal] = []
    displayed: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    senses: dict[str, str] = {}
    kept: list[Row] = []
    for row in sorted(rows, key=lambda row: (-frequency(row.words["en"][0]), row.concept_id)):
        if row.synset in senses:
            rule = "synset shared: less frequent concept dropped"
            removals.append(Removal(rule, row.concept_id, "en", row.words["en"][0], senses[row.synset]))
            continue
        forms = [(language, row.words[language][0].casefold()) for language in LANGUAGES]
        clashes = [form for form in forms if displayed[form]]
        if len(clashes) > 1 or any(language == "en" for language, _ in clashes):
            removals += [
                Removal(
                    "displayed words shared: less frequent concept dropped",
                    row.concept_id,
                    language,
                    word,
                    f"displayed by {displayed[language, word][0]}",
                )
                for language, word in clashes
            ]
            continue
        senses[row.synset] = row.concept_id
        for form in forms:
            displayed[form].append(row.concept_id)
        kept.append(row)
    return sorted(kept, key=lambda row: row.concept_id), removals
