"""Tables of ``bench``: the benchmark."""

from __future__ import annotations

from pivotlens.artifacts.tables.column import (
    CODE,
    CONCEPT,
    FLAG,
    INTEGER,
    NONE,
    STRING,
    STRINGS,
    Column,
    table,
)

TABLES = {
    "items": table(
        "A concept in a language.",
        CONCEPT,
        Column("split", STRING, NONE, "`test`, or `shot` where the concept is put apart for the examples of prompts."),
        Column(
            "calibration", FLAG, NONE, "Whether the concept is in the calibration set, which baselines are made of."
        ),
        Column("pos", STRING, NONE, "Part of speech, as the word list or the lexicon spells it; may be empty."),
        Column("synset", STRING, NONE, "Synset of WordNet 3.0 (offset and part of speech); empty where none is known."),
        Column("band", STRING, NONE, "Frequency band, `high`, `middle` or `low`; empty where the list has none."),
        Column("language", STRING, CODE, "The language."),
        Column("word", STRING, NONE, "The displayed word: the one that prompts show and that is scored."),
        Column("accepted", STRINGS, NONE, "All words that count as right, the displayed one first."),
        Column("answers_only", STRINGS, NONE, "Those of them that are right as an answer but not counted in a corpus."),
        Column(
            "flags",
            STRINGS,
            NONE,
            "What is to be known of the displayed word, such as `same_spelling:fr`: the French one is written alike.",
        ),
    ),
    "distractors": table(
        "A distractor of a concept: another one whose source word stands in for a wrong source word.",
        CONCEPT,
        Column("distractor_id", STRING, NONE, "The concept whose word stands in."),
        Column(
            "tier",
            INTEGER,
            "rank from 0",
            "How far apart both are in WordNet: at 0 nouns and verbs share a direct hypernym, 3 is farthest; empty "
            "where it is not known.",
        ),
    ),
    "links": table(
        "A word that a dictionary or WordNet links with a concept.",
        CONCEPT,
        Column("language", STRING, CODE, "Language of the word."),
        Column("word", STRING, NONE, "The word."),
        Column("relation", STRING, NONE, "How it is linked: `synonym`, `hypernym`, `hyponym`, `meronym` and so on."),
    ),
    "other_parts": table(
        "A word of a concept of another part than the one that is kept, in any language of the list.",
        CONCEPT,
        Column("part", STRING, NONE, "Its part."),
        Column("language", STRING, CODE, "Language of the word."),
        Column("word", STRING, NONE, "The word, accepted for the concept."),
    ),
}
