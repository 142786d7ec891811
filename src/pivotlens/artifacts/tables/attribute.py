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
    SHARE,
    STRING,
    Column,
    interval,
    table,
)

_RESAMPLED = "concepts (jointly over directions)"
_NPMI, _G2 = "NPMI, −1–1", "G², with the sign of the association"
_LOG_COUNT = "log(1 + units)"
_OR_OCCURRENCES = 'with `counts = "query"` here and below occurrences in an index.'
_NOTE = Column("note", STRING, NONE, "Why there is no figure, or of how many directions the mean is; else empty.")
_ITEM_SETS = "`correct` (the model's own answer is right) or `all`; neither has words spelled alike in both languages."
_AUC_ITEM_SETS = (
    f"{_ITEM_SETS} With `_unlike_english` at its end, items with a word that is not English but spelled like an "
    "English one of the benchmark are left out too."
)

TABLES = {
    "auc": table(
        "A predictor of direct against semantic-pivot behaviour in a direction, or their mean (`all`).",
        DIRECTION_OR_ALL,
        Column("rule", STRING, NONE, "Rule of behaviour."),
        Column("item_set", STRING, NONE, _AUC_ITEM_SETS),
        Column("predictor", STRING, NONE, "Column of `predictors`: `log_joint`, `log_target`, `npmi` or `llr`."),
        Column(
            "auc",
            NUMBER,
            "probability, 0–1",
            "That a direct item has the larger predictor than a semantic-pivot item, ties half; of `all` the mean over "
            "the directions that have one. Empty where there is none.",
        ),
        interval("auc", "probability, 0–1", _RESAMPLED),
        Column("n_direct", INTEGER, "items", "Direct items."),
        Column("n_pivot", INTEGER, "items", "Semantic-pivot items."),
        _NOTE,
    ),
    "predictors": table(
        "An item with what the corpus says of its words.",
        CONCEPT,
        DIRECTION,
        Column("df_source", INTEGER, "units", f"Units that hold the source word; {_OR_OCCURRENCES}"),
        Column("df_target", INTEGER, "units", "Units that hold the target word, or occurrences."),
        Column("df_both", INTEGER, "units", "Units that hold both, or occurrences of both near each other."),
        Column("log_joint", NUMBER, _LOG_COUNT, "Of `df_both`, natural logarithm."),
        Column("log_target", NUMBER, _LOG_COUNT, "Of `df_target`, natural logarithm."),
        Column(
            "npmi",
            NUMBER,
            _NPMI,
            "Association of both words over all units; −1 where no unit holds both. Empty for occurrences.",
        ),
        Column("llr", NUMBER, _G2, "Dunning's log-likelihood ratio of both words over all units; likewise."),
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
        Column("item_set", STRING, NONE, _ITEM_SETS),
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
    "bins": table(
        "A range of joint frequency: items of all directions, those spelled alike in both languages left out.",
        Column("low", INTEGER, "units", "Fewest units that hold both words."),
        Column("high", INTEGER, "units", "Most units."),
        Column("n_direct", INTEGER, "items", "Correctly answered items that rule `calibrated` calls `direct`."),
        Column("n_pivot", INTEGER, "items", "Those that it calls `semantic_pivot`."),
        Column("share_direct", NUMBER, SHARE, "Of all such `direct` items; the ranges add up to 1. Empty without any."),
        Column("share_pivot", NUMBER, SHARE, "Of all such `semantic_pivot` items, likewise."),
        Column("n_scored", INTEGER, "items", "Items with a score, whatever their answer."),
        Column("log_joint", NUMBER, _LOG_COUNT, "Mean of these; empty where there are none."),
        Column("score", NUMBER, "difference of probabilities, −1–1", "Mean of these; empty where there are none."),
    ),
    "joint": table(
        "How often both words of an item share a unit, by directions and class; those spelled alike are left out.",
        Column(
            "direction_group",
            STRING,
            NONE,
            "`direction`, `neither_english`, `with_english`, or `with_auc`: directions in which joint frequency has an "
            "AUC under rule `calibrated`.",
        ),
        DIRECTION_OR_ALL,
        Column("item_set", STRING, NONE, "`correct` (the model's own answer is right) or `all`."),
        Column("behaviour", STRING, NONE, "Class under rule `calibrated`; empty for items of any label."),
        Column("n", INTEGER, "items", "Items."),
        Column("n_shared", INTEGER, "items", "Those whose words share one unit or more."),
        Column("share_never", NUMBER, SHARE, "Of the items, those whose words share none."),
        Column("median", NUMBER, "units", "Median number of units that hold both words."),
        Column("most", INTEGER, "units", "Largest number."),
        Column(
            "n_as_english",
            INTEGER,
            "items",
            "Of `n_shared`, those with a word that is not English but spelled like an English one of the benchmark.",
        ),
        Column("share_as_english", NUMBER, SHARE, "Their share of `n_shared`; empty where that is 0."),
    ),
    "significance": table(
        "A test, over the directions.",
        Column("test", STRING, NONE, "As in `tests`."),
        Column("rule", STRING, NONE, "Rule of behaviour; empty where the test needs none."),
        Column("item_set", STRING, NONE, "`correct` or `all`."),
        Column("directions", INTEGER, "directions", "Directions."),
        Column("tested", INTEGER, "directions", "Those in which the test could be made."),
        Column("significant", INTEGER, "directions", "Those of these with p < 0.05; not corrected for their number."),
        Column("smallest_p", NUMBER, "probability, 0–1", "Smallest p; empty where none could be tested."),
    ),
}
