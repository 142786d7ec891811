"""The bench stage: a word list or dictionaries in, a benchmark out."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pivotlens.artifacts import ResultWriter
from pivotlens.bench.config import BenchConfig, part_shares
from pivotlens.bench.design import assign_splits, draw_distractors, with_enough_distractors
from pivotlens.bench.inputs import content_of
from pivotlens.bench.join import Joined, join_lexicons
from pivotlens.bench.lexicon import Lexicon
from pivotlens.bench.parts import concepts_of_part, part_of_concepts
from pivotlens.bench.sources import LexiconSource, find_lexicon, told
from pivotlens.bench.versions import answers_only, split_version
from pivotlens.bench.wordlist import Form, ListedConcept, parse_word_list
from pivotlens.errors import ConfigError, DataError
from pivotlens.stage import Work
from pivotlens.text import language_code

_LISTED_RULE = "same part of speech; no translation link in JMdict or CC-CEDICT; no hypernym or hyponym in WordNet"
_DRAWN_RULE = "same part of speech; no accepted word in common within the list; no dictionary, no WordNet"
_LEXICON_RULE = (
    "same part of speech where the lexicon tells it; no translation link in the lexicon in any sense or direction, "
    "neither direct nor over one word or phrase between; drawn by the seed; no WordNet: no distance tiers, and "
    "hypernyms and hyponyms are not kept out"
)
_SENSES = {
    "first": "a lexicon's senses are not told apart beyond one entry: the displayed words are each other's best "
    "translations in a first sense, and accepted is every translation in a first sense of the same part of speech",
    "all": "a lexicon's senses are not told apart: the displayed words are each other's best translations in a first "
    "sense, and accepted is every translation in any sense",
}
_RANKED = "by the frequency ranks or the order of lines of the lexicon"
_UNRANKED = "by how many phrases and compounds of the lexicons hold the least held of the words: none tells frequencies"


@dataclass(frozen=True)
class _Design:
    """What a benchmark is made of, before its tables are written."""

    concepts: list[ListedConcept]
    distractors: list[tuple[str, str, int | None]]
    rule: str
    links: list[dict[str, str]] = field(default_factory=list)
    other_parts: list[dict[str, str]] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)


def run(work: Work[BenchConfig]) -> dict[str, Any]:
    """Make the benchmark and write it."""
    design = _from_lexicons if work.config.lexicon else _from_words
    return _write(work.writer, design(work.writer, work.config))


def _rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8")), delimiter="\t", quoting=csv.QUOTE_NONE))


def _from_words(writer: ResultWriter, config: BenchConfig) -> _Design:
    content = content_of(config.words)
    concepts = parse_word_list(content["words"], config.words, config.languages)
    left_out = answers_only(content.get("changes", b""))
    concepts = [
        replace(
            concept,
            answers_only={
                code: left_out[concept.concept_id, code]
                for code in concept.words
                if (concept.concept_id, code) in left_out
            },
        )
        for concept in concepts
    ]
    concepts = assign_splits(concepts, config.shot_pool, config.calibration, config.seed)
    everywhere = parse_word_list(content["words"], config.words) if config.part else []
    in_part, other_parts = _in_part(config, concepts, everywhere)
    kept = _limited(writer, config, in_part)
    if len(kept) < len(concepts):
        kept = _supplied(writer, config, kept)
    kept = assign_splits(kept, config.shot_pool, config.calibration, config.seed)
    if "distractors" in content and config.distractors == 9 and len(kept) == len(concepts):
        listed = _rows(content["distractors"])
        distractors = [
            (row["concept_id"], row["distractor_id"], int(row["tier"]) if row["tier"] else None) for row in listed
        ]
        design = _Design(kept, distractors, _LISTED_RULE)
    else:
        design = _Design(kept, _drawn(kept, config), _DRAWN_RULE)
    ids = {concept.concept_id for concept in kept}
    links = [row for row in _rows(content["links"]) if row["concept_id"] in ids] if "links" in content else []
    name, version = split_version(config.words)
    details = {"word_list": name, "word_list_version": version} if version else {}
    return replace(design, links=links, other_parts=other_parts, details=details)


def _from_lexicons(writer: ResultWriter, config: BenchConfig) -> _Design:
    sources = [find_lexicon(spec) for spec in config.lexicon]
    wanted = [language_code(code, "languages") for code in config.languages]
    lexicons = _read(sources, wanted)
    for source, lexicon in zip(sources, lexicons, strict=True):
        if lexicon.skipped:
            writer.warn(
                f"{source.files[0].name}: {sum(lexicon.skipped.values()):,} of {lexicon.read:,} entries were skipped "
                f"({told(lexicon.skipped)})"
            )
    joined = join_lexicons(lexicons, wanted, config.senses)
    writer.warn(
        "the words are those of the lexicons, read by nobody: look at a sample of them before you trust figures"
    )
    _check_size(joined, config)
    concepts = list(joined.concepts[: config.concepts + config.shot_pool])
    concepts = assign_splits(concepts, config.shot_pool, config.calibration, config.seed)
    concepts = [replace(concept, calibration=None) for concept in _supplied(writer, config, concepts, joined)]
    concepts = assign_splits(concepts, config.shot_pool, config.calibration, config.seed)
    concepts, other_parts = _in_part(config, concepts, concepts)
    kept = _supplied(writer, config, _limited(writer, config, concepts), joined)
    kept = assign_splits(kept, config.shot_pool, config.calibration, config.seed)
    details = {
        "lexicons": [
            {
                "spec": source.spec,
                "format": lexicon.format,
                "languages": list(lexicon.languages),
                "entries_read": lexicon.read,
                "entries_used": len(lexicon.entries),
                "skipped": lexicon.skipped,
            }
            for source, lexicon in zip(sources, lexicons, strict=True)
        ],
        "joined_along": ["–".join(pair) for pair in joined.path],
        "joined_concepts": len(joined.concepts),
        "without_counterpart": joined.lost,
        "order": _RANKED if joined.ranked else _UNRANKED,
        "senses": _SENSES[config.senses],
    }
    drawn = _drawn(kept, config, joined.related)
    return _Design(kept, drawn, _LEXICON_RULE, other_parts=other_parts, details=details)


def _in_part(
    config: BenchConfig, concepts: list[ListedConcept], everywhere: list[ListedConcept]
) -> tuple[list[ListedConcept], list[dict[str, str]]]:
    """Return the concepts of the part that is asked for, unmarked for calibration, and the words of the others.

    Without parts all concepts are returned as they are.

    Args:
        config: The settings.
        concepts: In the languages that are kept.
        everywhere: The same in every language of the list.
    """
    if not config.part:
        return concepts, []
    tests = {concept.concept_id for concept in concepts if concept.split == "test"}
    listed = [concept for concept in everywhere if concept.concept_id in tests]
    parts = part_of_concepts(listed, part_shares(config.parts), config.seed)
    return concepts_of_part(concepts, listed, parts, config.part)


def _read(sources: list[LexiconSource], wanted: list[str]) -> list[Lexicon]:
    """Read the dictionaries; one in many languages comes last, as those of the others are enough of it."""
    several = {source.spec: source.read() for source in sources if source.format != "JMdict"}
    enough = {code for lexicon in several.values() for code in lexicon.languages}.union(wanted) if wanted else set()
    return [several[source.spec] if source.spec in several else source.read(sorted(enough)) for source in sources]


def _check_size(joined: Joined, config: BenchConfig) -> None:
    needed = config.shot_pool + config.distractors + 1
    if len(joined.concepts) < needed:
        lost = ", ".join(f"{count:,} have none in {code!r}" for code, count in joined.lost.items()) or "none was lost"
        raise DataError(
            f"the lexicons have {len(joined.concepts)} words with a counterpart in every language, too few for a "
            f"shot pool of {config.shot_pool} and {config.distractors} distractors; of the others {lost}",
            "Add a lexicon, choose fewer `languages`, or lower `shot_pool`.",
        )


def _supplied(
    writer: ResultWriter, config: BenchConfig, concepts: list[ListedConcept], joined: Joined | None = None
) -> list[ListedConcept]:
    """Leave out the test concepts without distractors enough."""
    kept = with_enough_distractors(concepts, config.distractors, None if joined is None else joined.related)
    if len(kept) < len(concepts):
        writer.warn(
            f"{len(concepts) - len(kept)} test concepts were left out: fewer than {config.distractors} others of "
            "their part of speech have no translation link with them"
        )
    tests = sum(concept.split == "test" for concept in kept)
    if tests < 2:
        raise DataError(
            f"{tests} test concepts are left with {config.distractors} distractors each",
            "Raise `limit_concepts`, lower `distractors`, add a lexicon or choose other `languages`.",
        )
    return kept


def _drawn(
    concepts: list[ListedConcept], config: BenchConfig, related: Mapping[str, Collection[Form]] | None = None
) -> list[tuple[str, str, int | None]]:
    drawn = draw_distractors(concepts, config.distractors, config.seed, related)
    return [(concept, other, None) for concept, others in drawn.items() for other in others]


def _limited(writer: ResultWriter, config: BenchConfig, concepts: list[ListedConcept]) -> list[ListedConcept]:
    tests = [concept for concept in concepts if concept.split == "test"]
    if config.limit_concepts is None or config.limit_concepts >= len(tests):
        return concepts
    if config.limit_concepts <= config.distractors:
        raise ConfigError(
            f"limit_concepts = {config.limit_concepts} leaves too few concepts for distractors = {config.distractors}",
            f"Set `limit_concepts` to {config.distractors + 1} or more, or lower `distractors`.",
        )
    writer.warn(
        f"limit_concepts = {config.limit_concepts}: only that many of {len(tests)} test concepts are in the benchmark"
    )
    kept = {concept.concept_id for concept in tests[: config.limit_concepts]}
    return [concept for concept in concepts if concept.split == "shot" or concept.concept_id in kept]


def _write(writer: ResultWriter, design: _Design) -> dict[str, Any]:
    concepts = design.concepts
    tests = sum(concept.split == "test" for concept in concepts)
    calibrating = sum(bool(concept.calibration) for concept in concepts)
    if calibrating < 100:
        writer.warn(f"the calibration set holds {calibrating} concepts; 100 or more make the trace's baseline steady")
    languages = list(concepts[0].words)
    cells = [(concept, language) for concept in concepts for language in languages]
    writer.write_table(
        "items",
        {
            "concept_id": [concept.concept_id for concept, _ in cells],
            "split": [concept.split for concept, _ in cells],
            "calibration": [bool(concept.calibration) for concept, _ in cells],
            "pos": [concept.pos for concept, _ in cells],
            "synset": [concept.synset for concept, _ in cells],
            "band": [concept.band or None for concept, _ in cells],
            "language": [language for _, language in cells],
            "word": [concept.words[language][0] for concept, language in cells],
            "accepted": [list(concept.words[language]) for concept, language in cells],
            "answers_only": [
                [word for word in concept.words[language] if word in concept.answers_only.get(language, ())]
                for concept, language in cells
            ],
            "flags": [_flags(concept, language) for concept, language in cells],
        },
    )
    writer.write_table(
        "distractors",
        {
            "concept_id": [row[0] for row in design.distractors],
            "distractor_id": [row[1] for row in design.distractors],
            "tier": [row[2] for row in design.distractors],
        },
    )
    columns = ("concept_id", "language", "word", "relation")
    writer.write_table("links", {name: [row[name] for row in design.links] for name in columns})
    columns = ("concept_id", "part", "language", "word")
    writer.write_table("other_parts", {name: [row[name] for row in design.other_parts] for name in columns})
    return {
        "languages": languages,
        "test_concepts": tests,
        "shot_concepts": len(concepts) - tests,
        "calibration_concepts": calibrating,
        "distractor_rule": design.rule,
        **design.details,
    }


def _flags(concept: ListedConcept, language: str) -> list[str]:
    word = concept.words[language][0].casefold()
    alike = [
        f"same_spelling:{other}"
        for other, words in concept.words.items()
        if other != language and words[0].casefold() == word
    ]
    return list(dict.fromkeys([*alike, *concept.flags.get(language, ())]))
