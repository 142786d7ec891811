"""Tables of ``score``: how well a model translates words."""

from __future__ import annotations

from pivotlens.artifacts.tables.column import (
    CONCEPT,
    DIRECTION,
    DIRECTION_OR_ALL,
    FAILURE,
    FAILURE_OF_ITEM,
    FLAG,
    INTEGER,
    MODEL_AND_PROMPT,
    NATS,
    NONE,
    NUMBER,
    PROBABILITY,
    SHARE,
    SHOT_SET,
    STRING,
    Column,
    estimate,
    interval,
    table,
)

_RESAMPLED = "concepts (jointly over directions) and shot sets"
_SCORE = "difference of probabilities, −1–1"

TABLES = {
    "answers": table(
        "The target word of an item, scored after one choice of source word.",
        MODEL_AND_PROMPT,
        DIRECTION,
        CONCEPT,
        Column("choice_id", STRING, NONE, "Concept whose source word the prompt shows: the concept itself is right."),
        SHOT_SET,
        Column("n_tokens", INTEGER, "tokens", "Tokens of the target word."),
        Column("sum_logprob", NUMBER, NATS, "Log-probability of the whole target word: a sum over its tokens."),
        Column(
            "n_tokens_line",
            INTEGER,
            "tokens",
            "The same with the newline that ends the answer; empty where it was not scored (`newline`).",
        ),
        Column("sum_logprob_line", NUMBER, NATS, "Log-probability with that newline; empty likewise."),
    ),
    "concepts": table(
        "An item: a concept in a direction. Figures are means over the shot sets.",
        MODEL_AND_PROMPT,
        DIRECTION,
        CONCEPT,
        Column("same_spelling", FLAG, NONE, "Whether source and target word are written alike, but for case."),
        Column(
            "p_source",
            NUMBER,
            PROBABILITY,
            "exp of the mean token log-probability of the target after the right source word.",
        ),
        Column("p_distractors", NUMBER, PROBABILITY, "The same after a distractor's source word, mean over these."),
        Column("score", NUMBER, _SCORE, "`p_source` − `p_distractors`."),
        Column(
            "probability_share",
            NUMBER,
            SHARE,
            "Probability of the whole target after the right source word, over its sum after all choices.",
        ),
        Column(
            "probability_share_line",
            NUMBER,
            SHARE,
            "`probability_share` with the newline that ends the answer; empty where not scored.",
        ),
        Column(
            "margin",
            NUMBER,
            NATS,
            "Log ratio of the whole target's probability after the right source word to its mean after distractors.",
        ),
        Column("rank", NUMBER, "rank from 1", "Place of the right source word among the choices; ties count half."),
        Column(
            "accuracy_10way",
            NUMBER,
            SHARE,
            "Whether the right source word is first of all choices (ten with nine distractors); a tie of k counts 1/k.",
        ),
        Column("generated", STRING, NONE, "What the model answers by itself, greedily, in shot set 0: untrusted text."),
        Column("correct", FLAG, NONE, "Whether that is an accepted word."),
        FAILURE_OF_ITEM,
    ),
    "summary": table(
        "A direction, or all of them (`all`): the mean over directions of means over items.",
        MODEL_AND_PROMPT,
        DIRECTION_OR_ALL,
        Column(
            "item_set", STRING, NONE, "`all`, or `different_spelling`: without words written alike in both languages."
        ),
        Column("n", INTEGER, "items", "How many."),
        Column("score", NUMBER, _SCORE, "Mean `score`."),
        interval("score", _SCORE, _RESAMPLED),
        estimate("probability_share", SHARE, "Mean `probability_share`.", _RESAMPLED),
        Column(
            "probability_share_line", NUMBER, SHARE, "Mean `probability_share_line`; empty where it was not scored."
        ),
        estimate("margin", NATS, "Mean `margin`.", _RESAMPLED),
        estimate("accuracy_10way", SHARE, "Mean `accuracy_10way`.", _RESAMPLED),
        estimate("accuracy_generated", SHARE, "Share of items whose own answer is accepted.", _RESAMPLED),
        note="The table `score/concepts` defines the figures that these are means of.",
    ),
    "failures": table(
        "A kind of wrong answer in a direction, or in all of them (`all`); one that no item shows has no row.",
        MODEL_AND_PROMPT,
        DIRECTION_OR_ALL,
        Column(
            "item_set", STRING, NONE, "`all`, or `different_spelling`: without words written alike in both languages."
        ),
        FAILURE,
        Column("n", INTEGER, "items", "Items that are answered so."),
        Column("items", INTEGER, "items", "All items, right ones too."),
        Column("share", NUMBER, SHARE, "Share of all items; for `all`, the mean over directions."),
        interval("share", SHARE, "concepts (jointly over directions)"),
        note="With `accuracy_generated` of `score/summary` the shares of a direction add up to 1.",
    ),
    "strata": table(
        "A part of the items of a direction (or of all, `all`), or its items against one tier of their distractors.",
        MODEL_AND_PROMPT,
        DIRECTION_OR_ALL,
        Column("stratum", STRING, NONE, "What parts them: `pos`, `band`, or `tier` (of distractors)."),
        Column("value", STRING, NONE, "Which part: of speech, of frequency, or the tier, 0 the nearest."),
        Column("n", INTEGER, "items", "How many; in a tier those that have a distractor of it."),
        Column("score", NUMBER, _SCORE, "Mean `score`; in a tier against its distractors alone."),
        interval("score", _SCORE, _RESAMPLED),
        Column("probability_share", NUMBER, SHARE, "Mean `probability_share`; empty in a tier."),
        Column("margin", NUMBER, NATS, "Mean `margin`; in a tier against its distractors alone."),
        Column("accuracy_10way", NUMBER, SHARE, "Mean `accuracy_10way`; empty in a tier."),
        Column(
            "accuracy_pairwise",
            NUMBER,
            SHARE,
            "Share of the tier's distractors that the right source word beats, ties half; empty but in a tier.",
        ),
        Column("accuracy_generated", NUMBER, SHARE, "Share of items whose own answer is accepted; empty in a tier."),
    ),
}
