"""Tables of ``attribute``: how well counts predict behaviour."""

from __future__ import annotations

from pivotlens.artifacts.tables.column import (
    CONCEPT,
    DIRECTION,
    DIRECTION_OR_ALL,
    FLAG,
    INTEGER,
    NONE,
    NUMBER,
    STRING,
    Column,
    interval,
    table,
)

_RESAMPLED = "concepts (jointly over directions)"
_NPMI, _G2 = "NPMI, −1–1", "G², with the sign of the association"
_LOG_COUNT = "log(1 + units)"
_NOTE = Column("note", STRING, NONE, "Why there is no figure, or of how many directions the mean is; else empty.")
_ITEMS = "`correct` (the model's own answer is right) or `all`; neither has words spelled alike in both languages."

TABLES = {
    "auc": table(
        "A predictor of direct against semantic-pivot behaviour in a direction, or their mean (`all`).",
        DIRECTION_OR_ALL,
        Column("rule", STRING, NONE, "Rule of behaviour."),
        Column("items", STRING, NONE, _ITEMS),
        Column("predictor", STRING, NONE, "Column of `predictors`: `log_joint`, `log_target`, `npmi` or `llr`."),
        Column(
            "auc",
            NUMBER,
            "probability, 0–1",
            "That a direct item has the larger predictor than a semantic-pivot item, ties half; of `all` the mean over "
            "the directions that have one. Empty where there is none.",
        ),
        interval("auc", "probability, 0–1", _RESAMPLED),
        Column("n_cooccurrence", INTEGER, "items", "Direct items."),
        Column("n_pivot", INTEGER, "items", "Semantic-pivot items."),
        _NOTE,
    ),
    "predictors": table(
        "An item with what the corpus says of its words.",
        CONCEPT,
        DIRECTION,
        Column("df_source", INTEGER, "units", "Units that hold the source word."),
        Column("df_target", INTEGER, "units", "Units that hold the target word."),
        Column("df_both", INTEGER, "units", "Units that hold both."),
        Column("log_joint", NUMBER, _LOG_COUNT, "Of `df_both`, natural logarithm."),
        Column("log_target", NUMBER, _LOG_COUNT, "Of `df_target`, natural logarithm."),
        Column("npmi", NUMBER, _NPMI, "Association of both words over all units; −1 where no unit holds both."),
        Column("llr", NUMBER, _G2, "Dunning's log-likelihood ratio of both words over all units."),
        Column(
            "score",
            NUMBER,
            "difference of probabilities, −1–1",
            "`score` of `score/concepts`; empty where the run holds none of this model and prompt.",
        ),
        Column("behaviour", STRING, NONE, "Label under rule `calibrated`; empty where there is none."),
        Column("correct", FLAG, NONE, "Whether the model's own answer is right."),
        Column("same_spelling", FLAG, NONE, "Whether source and target word are written alike, but for case."),
        Column("n_target_tokens", INTEGER, "tokens", "Tokens of the target word in its prompt."),
    ),
    "tests": table(
        "A test in a direction, or its mean over them (`all`).",
        DIRECTION_OR_ALL,
        Column(
            "test",
            STRING,
            NONE,
            "`joint_beyond_marginals`: likelihood-ratio test of whether `log_joint` adds to both words' own log "
            "frequencies and `n_target_tokens` in a logistic regression of direct against semantic pivot. "
            "`spearman_joint_score`: rank correlation of `log_joint` with `score`.",
        ),
        Column("rule", STRING, NONE, "Rule of behaviour; empty where the test needs none."),
        Column("items", STRING, NONE, _ITEMS),
        Column(
            "statistic",
            NUMBER,
            "χ² with one degree of freedom, or ρ, −1–1",
            "Likelihood ratio or Spearman's ρ; empty where there is none.",
        ),
        interval("statistic", "ρ, −1–1", f"{_RESAMPLED}; empty for the likelihood ratio"),
        Column("p_value", NUMBER, "probability, 0–1", "Of the test; empty for a mean over directions."),
        Column("n", INTEGER, "items", "How many."),
        _NOTE,
    ),
}
