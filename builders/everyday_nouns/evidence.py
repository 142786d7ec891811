"""Which source attests which word of the table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from everyday_nouns.dictionaries import Dictionary, FreeDict
from everyday_nouns.table import LANGUAGES, Concept
from everyday_nouns.wordnet import WordNet


@dataclass(frozen=True)
class Lexicons:
    """Every source, loaded."""

    wordnet: WordNet
    jmdict: Dictionary
    cedict: Dictionary
    cldr: Dictionary
    freedict: FreeDict | None


@dataclass(frozen=True)
class Finding:
    """The pinned sources that attest a word, and FreeDict's vote beside them."""

    concept_id: str
    language: str
    word: str
    displayed: bool
    sources: tuple[str, ...]
    freedict: bool
    reason: str


def findings(concepts: list[Concept], lexicons: Lexicons) -> list[Finding]:
    """Look every word of every cell up."""
    return [
        Finding(
            concept_id=concept.concept_id,
            language=language,
            word=word,
            displayed=word == concept.words[language][0],
            sources=tuple(_sources(concept, language, word, lexicons)),
            freedict=bool(lexicons.freedict and lexicons.freedict.attests(language, word, concept.forms("en"))),
            reason=concept.reason(language, word),
        )
        for concept in concepts
        for language in LANGUAGES
        for word in concept.words[language]
    ]


def _sources(concept: Concept, language: str, word: str, lexicons: Lexicons) -> list[str]:
    """Pinned sources that attest the word; an English word is attested by its synset, or through ja and zh."""
    english = concept.forms("en")
    found: list[tuple[str, Callable[[], bool]]]
    if language == "en":
        form = frozenset({word.casefold()})
        found = [
            ("wordnet", lambda: form <= {one.casefold() for one in lexicons.wordnet.synsets[concept.synset].lemmas}),
            ("jmdict", lambda: any(lexicons.jmdict.attests("ja", one, form) for one in concept.words["ja"])),
            ("cedict", lambda: any(lexicons.cedict.attests("zh", one, form) for one in concept.words["zh"])),
        ]
    else:
        found = [
            ("cldr", lambda: lexicons.cldr.attests(language, word, english)),
            ("jmdict", lambda: _jmdict_row(concept, language, word, lexicons.jmdict)),
            ("jmdict-pivot", lambda: lexicons.jmdict.attests(language, word, english)),
            ("cedict", lambda: lexicons.cedict.attests(language, word, english)),
        ]
    return [name for name, holds in found if holds()]


def _jmdict_row(concept: Concept, language: str, word: str, jmdict: Dictionary) -> bool:
    """Stronger than the pivot: an entry of the row's own Japanese word gives the word back."""
    if language in {"ja", "zh"}:
        return False  # for Japanese it would be the pivot said twice
    entries = jmdict.entries("ja", frozenset(concept.words["ja"]))
    return any(word.casefold() in entry.words.get(language, ()) for entry in entries)


def report(rows: list[Finding]) -> str:
    """Write the table of findings, the words without a source, and the counts."""
    lines = ["\t".join(("concept_id", "language", "word", "sources", "freedict", "reason"))]
    for row in rows:
        sources = ",".join(row.sources) or "-"
        lines.append(
            "\t".join((row.concept_id, row.language, row.word, sources, "yes" if row.freedict else "-", row.reason))
        )
    lines += ["", "Without a pinned source:"]
    for row in rows:
        if not row.sources:
            kind = "displayed" if row.displayed else "also accepted"
            vote = ", FreeDict has it" if row.freedict else ""
            lines.append(f"  {row.concept_id} {row.language} {row.word} ({kind}{vote}): {row.reason or 'NO REASON'}")
    lines += ["", f"{len(rows)} words in {sum(row.displayed for row in rows)} cells; displayed words attested by:"]
    by_source = Counter(source for row in rows if row.displayed for source in row.sources)
    lines += [f"  {source}: {count}" for source, count in sorted(by_source.items())]
    lines.append(f"  two sources or more: {sum(row.displayed and len(row.sources) > 1 for row in rows)}")
    lines.append(f"  none: {sum(row.displayed and not row.sources for row in rows)}")
    return "\n".join(lines)


def evidence_problems(rows: list[Finding]) -> list[str]:
    """Words with neither source nor reason, and reasons that are no longer needed."""
    problems = []
    for row in rows:
        name = f"{row.concept_id}: {row.language} {row.word}"
        if not row.sources and not row.reason:
            problems.append(f"{name} has neither a source nor a reason")
        if row.sources and row.reason:
            problems.append(f"{name} has a source and needs no reason")
    return problems
