"""Tables of ``select``: the units of a corpus, their scores, and which of them each arm takes."""

from __future__ import annotations

from pivotlens.artifacts.tables.column import (
    CODE,
    FLAG,
    INTEGER,
    NONE,
    NUMBER,
    SHARE,
    STRING,
    STRINGS,
    Column,
    table,
)

_PER_THOUSAND = "per 1,000 tokens"
_PLACE = (
    Column("file", STRING, NONE, "File of the corpus."),
    Column("row", INTEGER, "number from 1", "Line or row of the document in its file."),
    Column("unit", INTEGER, "number from 0", "Which unit of the document."),
)
_ARM = Column("arm", STRING, NONE, "The arm.")
_LANGUAGE = Column("language", STRING, CODE, "Language found in the text of the units.")

TABLES = {
    "scores": table(
        "A unit of the corpus, in its order.",
        _PLACE,
        Column("label", STRING, CODE, "Language of the document, as the corpus tells it."),
        Column(
            "language",
            STRING,
            CODE,
            "Language found: the label, unless less than a fifth of the identified text is in it.",
        ),
        Column("language_share", NUMBER, SHARE, "Of the identified text, that in `language`; 1 where none is."),
        Column("other_language", STRING, CODE, "The other language that most of the rest is in; empty without rest."),
        Column("document_type", STRING, NONE, "`monolingual`, `parallel`, `code_mixed` or `other`."),
        Column("source", STRING, NONE, "What the document was taken from; text of the corpus: untrusted."),
        Column("n_tokens", INTEGER, "tokens", "Its tokens."),
        Column("n_pivots", INTEGER, "tokens", "Those of them that are corpus pivots, every occurrence counted."),
        Column("n_words", INTEGER, "words", "Distinct mining words of `language` in it."),
        Column("n_bridges", INTEGER, "pairs", "Distinct pairs of such a word and one of its own pivots, both in it."),
        Column(
            "n_bridges_shuffled",
            INTEGER,
            "pairs",
            "The same where the pivots of words of like frequency are dealt out anew among them.",
        ),
        Column("share", NUMBER, SHARE, "Lower end of the 95 % Wilson interval of `n_pivots` / `n_tokens`."),
        Column(
            "excess",
            NUMBER,
            "difference of shares",
            "`share` minus the share of pivot tokens in all units of the same language composition.",
        ),
        Column("bridge", NUMBER, _PER_THOUSAND, "Lower end of the exact 95 % interval of the rate of `n_bridges`."),
        Column(
            "importance",
            NUMBER,
            "log ratio",
            "Log importance weight toward units with two mining words; empty unless arm `dsir` is made.",
        ),
        Column("repetition", NUMBER, SHARE, "Of its runs of ten tokens, those that stood in it before."),
        Column(
            "duplicate",
            FLAG,
            NONE,
            "Whether an earlier unit has the same text, compared as words are: no arm takes it.",
        ),
        Column(
            "similarity",
            NUMBER,
            SHARE,
            "Of an earlier unit, the most similar that was compared: estimated Jaccard index of runs of five words, 0 "
            "where none was; empty where the setting `max_similarity` is 1.",
        ),
        Column("selected", STRINGS, NONE, "The arms that hold the unit."),
    ),
    "summary": table(
        "An arm in a language.",
        _ARM,
        _LANGUAGE,
        Column("units", INTEGER, "units", "Units of the arm."),
        Column("tokens", INTEGER, "tokens", "Tokens of the arm, with the one that ends each unit."),
        Column("budget", INTEGER, "tokens or units", "Most that it could take, in what the setting counts."),
        Column("available", INTEGER, "tokens", "Tokens of all units of the language that an arm could take."),
        Column("pivot_share", NUMBER, SHARE, "Pivots among the arm's own tokens; empty where it holds none."),
        Column("bridges", NUMBER, _PER_THOUSAND, "Rate of `n_bridges` over the arm's tokens; empty where it has none."),
        Column("language_share", NUMBER, SHARE, "Of the arm's text, that in the language; empty where it holds none."),
        Column(
            "explained",
            NUMBER,
            "share",
            "Of the difference to the whole corpus in what the setting `score` is a rate of, the share that language "
            "composition and document type bring along; empty where there is no difference.",
        ),
        Column(
            "exchanged",
            INTEGER,
            "units",
            "Of arm `matched` the units that stand for others that were drawn, so that its text is in the same "
            "languages as that of `top`; 0 in other arms.",
        ),
    ),
    "arms": table(
        "An arm over all languages.",
        _ARM,
        Column("units", INTEGER, "units", "Units taken."),
        Column("tokens", INTEGER, "tokens", "Their tokens, with the one that ends each."),
        Column("packed", INTEGER, "tokens", "Those in whole training sequences of `sequence_length`, as one stream."),
        Column("pivot_share", NUMBER, SHARE, "Of their own tokens, those that are pivots; 0 where there are none."),
        Column("bridges", NUMBER, _PER_THOUSAND, "Rate of `n_bridges` over them; 0 where there are none."),
    ),
    "composition": table(
        "A part of an arm in a language.",
        Column("arm", STRING, NONE, "The arm; `corpus` for all units that an arm could take."),
        _LANGUAGE,
        Column(
            "facet",
            STRING,
            NONE,
            "By what it is parted: `text_language`, `document_type`, `source`, `label` or `length_decile`.",
        ),
        Column(
            "value",
            STRING,
            NONE,
            "Which part: a language code, a type, a source, or the tenth by length, from 1; text: untrusted.",
        ),
        Column("units", INTEGER, "units", "Its units; of a text language those that hold any."),
        Column("tokens", INTEGER, "tokens", "Its tokens; of a text language in proportion to the identified text."),
        Column("share", NUMBER, SHARE, "Of the tokens of the arm in the language."),
        Column("corpus_share", NUMBER, SHARE, "The same of the corpus."),
        note="Text that is in no language of a unit's two commonest counts as the second one's.",
    ),
    "overlap": table(
        "Two arms.",
        _ARM,
        Column("other", STRING, NONE, "The other arm."),
        Column("units", INTEGER, "units", "Units that both hold."),
        Column("share", NUMBER, SHARE, "Of the units of `arm`; empty where it holds none."),
    ),
    "losses": table(
        "Why units of a language cannot be taken, or count for another one.",
        _LANGUAGE,
        Column(
            "reason",
            STRING,
            NONE,
            "`duplicate`, `near_duplicate`, `short`, `repetitive` (the first that holds counts), or `mislabelled`: "
            "these can be taken, and count for the language found.",
        ),
        Column("units", INTEGER, "units", "How many."),
        Column("tokens", INTEGER, "tokens", "Their tokens."),
    ),
    "boilerplate": table(
        "A line that recurs over a source's documents and was left out.",
        Column("source", STRING, NONE, "The source; text of the corpus: untrusted."),
        Column("label", STRING, CODE, "Language of its documents, as the corpus tells it."),
        Column("line", STRING, NONE, "The line in one of the documents; text of the corpus: untrusted."),
        Column("documents", INTEGER, "documents", "Documents of the sample that hold it."),
        Column("documents_sampled", INTEGER, "documents", "Documents of the sample."),
        Column("dropped", INTEGER, "lines", "How often it was left out of the corpus."),
    ),
    "matching": table(
        "How much of arm `top` in a language was matched, and on what.",
        _LANGUAGE,
        Column("matched_on", STRING, NONE, "What the units have in common; `nothing` where none was left."),
        Column("taken", INTEGER, "tokens or units", "What `top` takes of its budget, in what that counts."),
        Column("share", NUMBER, SHARE, "Of what it takes in the language."),
    ),
    "examples": table(
        "A unit of an arm, drawn by hash.",
        _ARM,
        _LANGUAGE,
        _PLACE,
        Column("text", STRING, NONE, "Its beginning; text of the corpus: untrusted."),
    ),
}
