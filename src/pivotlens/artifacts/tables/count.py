"""Tables of ``count``: words, pairs and tokens of a corpus."""

from __future__ import annotations

from pivotlens.artifacts.tables.column import (
    CODE,
    CONCEPT,
    DIRECTION,
    INTEGER,
    NONE,
    NUMBER,
    STRING,
    TOKEN_ID,
    Column,
    table,
    token,
)

_DOCUMENT_LANGUAGE = Column("document_language", STRING, CODE, "Language found of the units.")
_STRATUM = Column("stratum", INTEGER, "number from 0", "Stratum of the units, by their length and text in others.")
_WORD = (
    Column("word_language", STRING, CODE, "Language of the word."),
    Column("word", STRING, NONE, "The displayed word; it occurs where any of its counted forms does."),
)
_OTHER = (
    Column("other_language", STRING, CODE, "Language of the other word."),
    Column("other", STRING, NONE, "The other displayed word."),
)
_TOKEN = Column("token_id", INTEGER, TOKEN_ID, "The token; where it begins a longer word it is not counted.")

TABLES = {
    "languages": table(
        "A language of the corpus: of labels, or found in units.",
        Column("language", STRING, CODE, "The language."),
        Column("documents", INTEGER, "documents", "Documents that are labelled so."),
        Column("units", INTEGER, "units", "Units that were found to be in it."),
        Column("units_sampled", INTEGER, "units", "Units of its background samples, whose tokens are counted."),
        Column("tokens_sampled", INTEGER, "tokens", "Tokens of these samples."),
        Column("characters", INTEGER, "characters", "Characters of all units."),
        Column("bytes", INTEGER, "bytes", "Bytes of all units in UTF-8."),
    ),
    "strata": table(
        "Units of a language that are of about one length and hold about as much text in other languages.",
        Column("language", STRING, CODE, "Language of the units."),
        _STRATUM,
        Column("least_characters", INTEGER, "characters", "Least length of the units; the next step is their most."),
        Column("least_other_characters", INTEGER, "characters", "Least text in other languages; likewise."),
        Column("units", INTEGER, "units", "How many."),
        Column("units_sampled", INTEGER, "units", "Those of the background sample, whose tokens are counted."),
        Column("tokens_sampled", INTEGER, "tokens", "Tokens of that sample."),
    ),
    "units": table(
        "Units of one label that were found to be in one language and of one type.",
        Column("label", STRING, CODE, "Language that their documents are labelled with."),
        Column("language", STRING, CODE, "Language found."),
        Column("type", STRING, NONE, "`monolingual`, `parallel`, `code_mixed` or `other`."),
        Column("units", INTEGER, "units", "How many."),
    ),
    "boilerplate": table(
        "A line that recurs over a source's documents and was left out, the most frequent first.",
        Column("source", STRING, NONE, "The source; empty where there are too many to tell apart."),
        Column("language", STRING, CODE, "Label of its documents."),
        Column("line", STRING, NONE, "The line, as it stands in one of them; text of a corpus: untrusted."),
        Column("documents", INTEGER, "documents", "Documents of the sample that hold it."),
        Column("documents_sampled", INTEGER, "documents", "Documents of the sample."),
        Column("dropped", INTEGER, "lines", "How often it was left out of the whole corpus."),
    ),
    "boilerplate_sources": table(
        "A source with boilerplate, in the documents of one label.",
        Column("source", STRING, NONE, "The source; empty where there are too many to tell apart."),
        Column("language", STRING, CODE, "Label of its documents."),
        Column("lines", INTEGER, "lines", "Different lines of boilerplate."),
        Column("dropped", INTEGER, "lines", "How often one of them was left out."),
    ),
    "words": table(
        "A word in a language of units: where it occurs, and its own language even where it does not.",
        _WORD,
        _DOCUMENT_LANGUAGE,
        Column("df", INTEGER, "units", "Units that hold the word."),
        Column("n_sampled", INTEGER, "units", "Those sampled, whose tokens are counted: of the own language alone."),
    ),
    "tokens": table(
        "A token in a stratum of a language.",
        _DOCUMENT_LANGUAGE,
        _STRATUM,
        _TOKEN,
        Column("df", INTEGER, "units", "Of the `n_sampled` units, those that hold the token."),
        Column("n_sampled", INTEGER, "units", "Units of the stratum's background sample."),
        note="Every stratum is sampled for itself: sums over strata take each `df` times `units` / `n_sampled`.",
    ),
    "word_strata": table(
        "A word and a stratum of its own language.",
        _WORD,
        _STRATUM,
        Column("n_sampled", INTEGER, "units", "Sampled units of the word there."),
    ),
    "pair_strata": table(
        "Two words of a concept and a stratum of the first one's language.",
        _WORD,
        _OTHER,
        _STRATUM,
        Column("n_sampled", INTEGER, "units", "Sampled units of the word there that hold the other word too."),
    ),
    "pairs": table(
        "A concept in a direction, over documents in any language.",
        CONCEPT,
        DIRECTION,
        Column("df_source", INTEGER, "units", "Units that hold the source word."),
        Column("df_target", INTEGER, "units", "Units that hold the target word."),
        Column("df_both", INTEGER, "units", "Units that hold both."),
    ),
    "word_tokens": table(
        "A word and a token in its units.",
        _WORD,
        _DOCUMENT_LANGUAGE,
        _TOKEN,
        Column("df", INTEGER, "units", "Of the `n_sampled` units, those that hold the token."),
        Column("n_sampled", INTEGER, "units", "Sampled units of the word's own language that hold the word."),
    ),
    "pair_tokens": table(
        "Two words of a concept and a token, in units of the first one's sample.",
        _WORD,
        _OTHER,
        _DOCUMENT_LANGUAGE,
        _TOKEN,
        Column("df", INTEGER, "units", "Sampled units of the word that hold the other word and the token too."),
    ),
    "token_texts": table("A token that was counted.", token("the token")),
    "problems": table(
        "A row of the corpus that could not be read: the first hundred; the manifest counts them.",
        Column("file", STRING, NONE, "File of the corpus."),
        Column("row", INTEGER, "number from 1", "Line or row in it."),
        Column("problem", STRING, NONE, "What is wrong with it."),
    ),
    "coverage": table(
        "A language of the counted words.",
        Column("language", STRING, CODE, "The language."),
        Column("units", INTEGER, "units", "From how many units on a word's figures mean something."),
        Column("concepts", INTEGER, "concepts", "Concepts with a counted word."),
        Column("enough", INTEGER, "concepts", "Those whose word is in `units` units or more."),
    ),
    "pair_summary": table(
        "A direction: how many units its word pairs share.",
        DIRECTION,
        Column("pairs", INTEGER, "pairs", "Pairs."),
        Column("never", INTEGER, "pairs", "Those whose words share no unit."),
        Column("median", NUMBER, "units", "Median number of shared units."),
        Column("most", INTEGER, "units", "Largest number."),
    ),
}
