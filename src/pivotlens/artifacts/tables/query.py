"""Tables of ``query``: occurrences of words and pairs in an infini-gram index."""

from __future__ import annotations

from pivotlens.artifacts.tables.column import (
    CODE,
    CONCEPT,
    DIRECTION,
    FLAG,
    INTEGER,
    INTEGERS,
    NONE,
    NUMBER,
    STRING,
    STRINGS,
    TOKEN_ID,
    Column,
    table,
)

_OCCURRENCES, _RATIO = "occurrences", "occurrences / units"
_WORD = (
    Column("word_language", STRING, CODE, "Language of the word."),
    Column("word", STRING, NONE, "The displayed word; it occurs where any of its forms does."),
)
_NEAR = "Occurrences of the rarer word, as the engine takes it, that have the other within `max_diff_tokens` tokens."
_SUBSAMPLED = (
    "Whether a word has more than `max_clause_freq` occurrences: then the engine looked at some of them alone and may "
    "say that the count is exact; below twice that many it is up to half too low."
)

TABLES = {
    "words": table(
        "A word: how often one of its forms occurs in the index, in text of any language and within longer words too.",
        _WORD,
        Column("occurrences", INTEGER, _OCCURRENCES, "Places of any of its forms; exact."),
        Column("n_forms", INTEGER, "forms", "Forms that were asked for; 0 where the tokenizer cannot tell the word."),
    ),
    "forms": table(
        "A form of a word, as it was asked for.",
        _WORD,
        Column("form", STRING, NONE, "`space`, `space_capital`, `line` or `line_capital`; without spaces `line`."),
        Column("text", STRING, NONE, "How it is written, with its space."),
        Column("token_ids", INTEGERS, TOKEN_ID, "Its tokens."),
        Column("tokens", STRINGS, NONE, "What these write; text of a tokenizer: untrusted."),
        Column("occurrences", INTEGER, _OCCURRENCES, "Places in the index."),
        Column("in_pairs", FLAG, NONE, "Whether pairs were asked for with it: of the API's four, the most frequent."),
    ),
    "pairs": table(
        "A concept in a direction; the two directions of a pair say the same.",
        CONCEPT,
        DIRECTION,
        Column("occurrences_source", INTEGER, _OCCURRENCES, "Of the source word."),
        Column("occurrences_target", INTEGER, _OCCURRENCES, "Of the target word."),
        Column("co_occurrences", INTEGER, _OCCURRENCES, _NEAR),
        Column("approx", FLAG, NONE, "Whether the engine calls the co-occurrences approximate."),
        Column("subsampled", FLAG, NONE, _SUBSAMPLED),
        note="Not units: a document counts as often as it holds the rarer word near the other.",
    ),
    "languages": table(
        "A language of the words.",
        Column("language", STRING, CODE, "The language."),
        Column("words", INTEGER, "words", "Words of the benchmark."),
        Column("asked", INTEGER, "words", "Those with a form that the tokenizer can tell."),
        Column("found", INTEGER, "words", "Those that occur."),
        Column("median", NUMBER, _OCCURRENCES, "Median over all words."),
    ),
    "directions": table(
        "Two languages: how often both words of a pair are near each other.",
        DIRECTION,
        Column("pairs", INTEGER, "pairs", "Pairs."),
        Column("never", INTEGER, "pairs", "Those whose words are nowhere near each other."),
        Column("median", NUMBER, _OCCURRENCES, "Median of the co-occurrences."),
        Column("most", INTEGER, _OCCURRENCES, "Largest number."),
        Column("approx", INTEGER, "pairs", "Those that the engine calls approximate."),
        Column("subsampled", INTEGER, "pairs", "Those with a word that the engine subsampled."),
    ),
    "agreement": table(
        "Occurrences of the index beside units of `count`, of the words of a language or the pairs of two; no row "
        "where `count` has not run.",
        Column("of", STRING, NONE, "`words` or `pairs`."),
        Column("language", STRING, CODE, "Language of the words, or the first of the pairs."),
        Column("other_language", STRING, CODE, "The other one of the pairs; else empty."),
        Column("n", INTEGER, "words or pairs", "Those in both stages."),
        Column("in_both", INTEGER, "words or pairs", "With a unit and an occurrence."),
        Column("only_units", INTEGER, "words or pairs", "In units of `count`, and without an occurrence."),
        Column("only_occurrences", INTEGER, "words or pairs", "In no unit of `count`, and with an occurrence."),
        Column("ratio_low", NUMBER, _RATIO, "10th percentile over `in_both`; empty where there are none."),
        Column("ratio_median", NUMBER, _RATIO, "Median, likewise."),
        Column("ratio_high", NUMBER, _RATIO, "90th percentile, likewise."),
        Column("rank_correlation", NUMBER, "ρ, −1–1", "Spearman's, of all `n`; empty where one side is constant."),
    ),
    "differences": table(
        "A word whose occurrences differ most from its units: of each language and kind at most five.",
        Column("difference", STRING, NONE, "`only_units`, `only_occurrences`, `fewer` or `more` occurrences a unit."),
        _WORD,
        Column("units", INTEGER, "units", "Units of `count` that hold the word."),
        Column("occurrences", INTEGER, _OCCURRENCES, "Places in the index."),
    ),
}
