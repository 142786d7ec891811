"""Tables of ``select``: the units of a corpus, and which of them each arm takes."""

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

TABLES = {
    "scores": table(
        "A unit of the corpus, in its order.",
        Column("file", STRING, NONE, "File of the corpus."),
        Column("row", INTEGER, "number from 1", "Line or row of the document in its file."),
        Column("unit", INTEGER, "number from 0", "Which unit of the document."),
        Column("language", STRING, CODE, "Language of the document."),
        Column("n_tokens", INTEGER, "tokens", "Its tokens."),
        Column("n_pivots", INTEGER, "tokens", "Those of them that are pivots, every occurrence counted."),
        Column("pivot_share", NUMBER, SHARE, "`n_pivots` / `n_tokens`; 0 without tokens."),
        Column("pivot_share_low", NUMBER, SHARE, "Lower end of its 95 % Wilson interval: what arm `top` goes by."),
        Column("selected", STRINGS, NONE, "The arms that hold the unit."),
        Column("duplicate", FLAG, NONE, "Whether an earlier unit has the same text but for case: no arm takes it."),
    ),
    "summary": table(
        "An arm in a language.",
        Column("mode", STRING, NONE, "The arm: `top` or `random`."),
        Column("language", STRING, CODE, "Language of the documents."),
        Column("units", INTEGER, "units", "Units of the arm."),
        Column("tokens", INTEGER, "tokens", "Tokens of the arm."),
        Column("budget", INTEGER, "tokens", "Most tokens that it could take."),
        Column("available", INTEGER, "tokens", "Tokens of all units that could be taken: long enough, no duplicate."),
        Column("pivot_share", NUMBER, SHARE, "Pivots among the arm's tokens; empty where it holds none."),
    ),
    "arms": table(
        "An arm over all languages.",
        Column("mode", STRING, NONE, "The arm."),
        Column("units", INTEGER, "units", "Units taken."),
        Column("tokens", INTEGER, "tokens", "Their tokens."),
        Column("pivot_share", NUMBER, SHARE, "Of these tokens, those that are pivots; 0 where there are none."),
    ),
}
