"""Tables of ``mine``: semantic pivots of word pairs and of the corpus."""

from __future__ import annotations

from pivotlens.artifacts.tables.column import (
    CONCEPT,
    DIRECTION,
    FLAG,
    INTEGER,
    INTEGERS,
    NONE,
    NUMBER,
    SHARE,
    STRING,
    TOKEN_ID,
    Column,
    table,
    token,
)

_G2 = "G², with the sign of the association"
_VARIANTS = Column(
    "variant_ids",
    INTEGERS,
    TOKEN_ID,
    "All tokens that are merged into it, which differ in case or a leading space; upwards.",
)

TABLES = {
    "pair_pivots": table(
        "A pivot of an item: a token that goes with both words of a concept's pair.",
        CONCEPT,
        DIRECTION,
        Column("source_word", STRING, NONE, "Displayed word in the source language."),
        Column("target_word", STRING, NONE, "Displayed word in the target language."),
        token("the token that stands for the pivot, its most frequent variant"),
        Column("df_source", INTEGER, "units", "Of the `n_source` units, those that hold the token."),
        Column("df_target", INTEGER, "units", "Of the `n_target` units, those that hold the token."),
        Column("df_both", INTEGER, "units", "Units of the whole corpus that hold both words."),
        Column("npmi_source", NUMBER, "NPMI, −1–1", "Association of token and source word, beyond what is expected."),
        Column("npmi_target", NUMBER, "NPMI, −1–1", "Association of token and target word, beyond what is expected."),
        Column("llr_source", NUMBER, _G2, "Dunning's log-likelihood ratio of token and source word."),
        Column("llr_target", NUMBER, _G2, "Dunning's log-likelihood ratio of token and target word."),
        Column(
            "q_value",
            NUMBER,
            "false discovery rate, 0–1",
            "Benjamini–Hochberg over all candidates of the run, of the worse of both p-values.",
        ),
        Column(
            "strength",
            NUMBER,
            "NPMI, a difference of shares, or nats",
            "The smaller of both lower ends of the 95 % parametric bootstrap intervals of NPMI; in mode `paper` of "
            "both shares of the word's units with the token minus the language's; in mode `pmi` of both PMIs.",
        ),
        Column("rank", INTEGER, "rank from 1", "Place by strength."),
        Column(
            "relation",
            STRING,
            NONE,
            "How the benchmark links the token with the concept: `translation:` with a third language, `hypernym` and "
            "so on; empty where it does not.",
        ),
        Column("n_source", INTEGER, "units", "Sampled units of the source language with its word and not the other."),
        Column("n_target", INTEGER, "units", "Sampled units of the target language with its word and not the other."),
        Column(
            "null_share",
            NUMBER,
            SHARE,
            "Share of shuffled pairs of the same languages in which the token is at least as strong: "
            "(1 + such pairs) / (1 + pairs).",
        ),
        Column(
            "stability",
            NUMBER,
            SHARE,
            "Share of parametric bootstrap resamples of the pair in which both NPMIs are positive.",
        ),
        _VARIANTS,
        note="Counts of a pivot are the largest of its variants': a lower bound of the units that hold any of them.",
    ),
    "pivots": table(
        "A pivot of the corpus: a token that is a pivot of some pair.",
        token("the token that stands for the pivot, its most frequent variant"),
        Column("degree", INTEGER, "pairs", "Pairs (a concept in two languages, in no order) that it is a pivot of."),
        Column("degree_shuffled", NUMBER, "pairs", "The same among shuffled pairs, mean over the shuffles."),
        Column("language_pairs", INTEGER, "language pairs", "Pairs of languages among them, in no order."),
        Column("stability", NUMBER, SHARE, "Mean `stability` of `pair_pivots` over its pairs."),
        Column(
            "score",
            NUMBER,
            "standard deviations",
            "max(`degree` − `degree_shuffled`, 0) / √(`degree_shuffled` + 1) · `stability`.",
        ),
        _VARIANTS,
    ),
    "summary": table(
        "The mining as a whole, one row; both directions of a pair are one pair.",
        Column("pairs_mined", INTEGER, "pairs", "Pairs of which both words occur."),
        Column("pairs", INTEGER, "pairs", "Those with a pivot."),
        Column("pair_pivots", INTEGER, "pivots", "Their pivots."),
        Column("linked", INTEGER, "pivots", "Those linked with the concept in a dictionary or WordNet."),
        Column("corpus_pivots", INTEGER, "tokens", "Rows of `pivots`."),
        Column(
            "share_with_pivots", NUMBER, SHARE, "Of the mined pairs, those with a pivot; empty where none was mined."
        ),
        Column("share_with_pivots_shuffled", NUMBER, SHARE, "The same of shuffled pairs; empty where there are none."),
    ),
    "grammar": table(
        "A token of `pivots` that is a word of grammar: it goes with everything.",
        token("the token"),
        Column("listed", FLAG, NONE, "Whether it is listed as one, or frequent in a bundled word list."),
        Column(
            "everywhere",
            FLAG,
            NONE,
            "Whether no list knows it and it is in more units of a language than what is met once in a thousand "
            "tokens.",
        ),
    ),
}
