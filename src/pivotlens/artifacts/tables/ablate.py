"""Tables of ``ablate``: what taking a pivot out of the states does to the answer."""

from __future__ import annotations

from pivotlens.artifacts.tables.column import (
    CONCEPT,
    DIRECTION,
    DIRECTION_OR_ALL,
    FLAG,
    INTEGER,
    LAYER,
    MODEL_AND_PROMPT,
    NATS,
    NONE,
    NUMBER,
    PROBABILITY,
    STRING,
    TOKEN_ID,
    Column,
    estimate,
    interval,
    table,
    token,
)

_FIRST_LAYER = Column("first_layer", INTEGER, LAYER, "First layer of the window; layer l is the output of block l.")
_LAST_LAYER = Column("last_layer", INTEGER, LAYER, "Its last one.")
_ITEM_SETS = (
    "`all`, `english_pivot` (the pivot writes the accepted English word) or `correct` (the own answer is right)"
)
_RESAMPLED = "concepts (jointly over directions)"

TABLES = {
    "items": table(
        "An item of the tested half under a condition.",
        MODEL_AND_PROMPT,
        DIRECTION,
        CONCEPT,
        Column(
            "behaviour",
            STRING,
            NONE,
            "`semantic_pivot`, or `direct`, where the accepted English token stands for the pivot.",
        ),
        Column("half", STRING, NONE, "Half of the concepts: `test`, as the other (`window`) only chose the window."),
        Column("correct", FLAG, NONE, "Whether the model's own answer is right."),
        Column("pivot_id", INTEGER, TOKEN_ID, "The item's pivot."),
        Column("english_pivot", FLAG, NONE, "Whether it writes an accepted English word or the beginning of one."),
        Column(
            "condition",
            STRING,
            NONE,
            "`own` (the pivot is taken out), `random` (a random vector), `matched` (a token of like frequency in the "
            "lens), `other` (another item's pivot), `synonym` (the concept's word in a third language), `target` (the "
            "target itself: what an edit does that must harm), all moved as far as `own`; `early` (the same removal "
            "in the first layers); `last_layer` (the same Δh right before the final norm); `swap` and "
            "`swap_unrelated` (another item's pivot, or a third one's, put in its place); `unrelated_item` and "
            "`unrelated_text` (the pivot taken out while something else is read).",
        ),
        Column("repeat", INTEGER, "number from 0", "Which draw of a random vector."),
        Column(
            "dose", NUMBER, "times the pivot's component", "How much of it is taken out; 1 leaves what others have."
        ),
        _FIRST_LAYER,
        _LAST_LAYER,
        token("the token whose vector the state was moved along; empty for a random vector"),
        Column("other_concept_id", STRING, NONE, "The other item's concept, where the condition has one."),
        Column(
            "clean_logprob",
            NUMBER,
            NATS,
            "Log-probability of the whole target without intervention; of the other item's target in swaps, of the "
            "text's next token in `unrelated_text`.",
        ),
        Column("logprob", NUMBER, NATS, "The same with the intervention."),
        Column("change", NUMBER, NATS, "`logprob` − `clean_logprob`: negative is harm."),
        Column("kl", NUMBER, NATS, "KL(clean ‖ with intervention) of the token that is read."),
        Column("norm", NUMBER, "length of states", "Mean over the layers of ‖Δh‖."),
        Column("relative_norm", NUMBER, "ratio", "Mean over the layers of ‖Δh‖ / ‖h‖."),
        Column(
            "cosine",
            NUMBER,
            "cosine, −1–1",
            "Mean over the layers, of the vector moved along and the pivot's; of `random`, `matched`, `other`, "
            "`synonym` and `target`.",
        ),
        Column(
            "pivot_prob_clean",
            NUMBER,
            PROBABILITY,
            "Lens probability of the pivot at the last layer changed, without intervention; of `own` and `early`.",
        ),
        Column("pivot_prob", NUMBER, PROBABILITY, "The same with it."),
    ),
    "windows": table(
        "A window of layers that one half of the concepts chose from.",
        _FIRST_LAYER,
        _LAST_LAYER,
        Column("n", INTEGER, "items", "Items with both figures."),
        Column("own", NUMBER, NATS, "Mean change of the target's log-probability when the pivot is taken out."),
        Column("other", NUMBER, NATS, "The same when the states are moved as far away from another item's pivot."),
        Column("chosen", FLAG, NONE, "Whether it is the one that was tested."),
    ),
    "effects": table(
        "A contrast over a group of directions: a mean over directions of means over items.",
        Column(
            "direction_group",
            STRING,
            NONE,
            "`neither_english` and `with_english` are means over such directions; `direction` is one direction.",
        ),
        DIRECTION_OR_ALL,
        Column("item_set", STRING, NONE, f"{_ITEM_SETS}; where items are paired, both are of the set."),
        Column(
            "contrast",
            STRING,
            NONE,
            "A condition; `x_minus_y`: of two, by item; `dose_d_step`: from the dose before; `own_minus_direct`: of a "
            "pivot item and the direct item of nearest clean log-probability, `net_minus_direct` net of random "
            "vectors; `clean_minus_direct`: how far their clean log-probabilities lie apart; `direct_own` and "
            "`direct_random`: of direct items alone.",
        ),
        Column("n", INTEGER, "items", "Items, or pairs of them."),
        Column("concepts", INTEGER, "concepts", "Their concepts."),
        Column(
            "mean",
            NUMBER,
            NATS,
            "Of the change of log-probability; negative is harm. Empty with fewer than two concepts.",
        ),
        interval("mean", NATS, _RESAMPLED),
        Column("p", NUMBER, "probability, 0–1", "Two-sided, of a sign-flip test over concepts."),
    ),
    "conditions": table(
        "One of the five conditions under which a pivot counts as causal, fixed before any result was seen.",
        Column("direction_group", STRING, NONE, "`neither_english` or `with_english`: the directions."),
        Column("item_set", STRING, NONE, f"{_ITEM_SETS}."),
        Column("number", INTEGER, "number from 1", "Which condition (docs/method.md#ablation)."),
        Column("condition", STRING, NONE, "What it says."),
        Column("holds", FLAG, NONE, "Whether all its intervals lie on the right side of 0; empty where not tested."),
        Column("rests_on", STRING, NONE, "The contrasts of `effects` that it rests on, with their figures."),
    ),
    "side_effects": table(
        "What taking the pivot out (dose 1) does where it has nothing to do with what is read.",
        Column("direction_group", STRING, NONE, "`neither_english` or `with_english`: a mean over such directions."),
        Column("read", STRING, NONE, "`unrelated_item`, `unrelated_text`, or `own`: the items themselves, for scale."),
        Column("n", INTEGER, "items", "Semantic-pivot items of the tested half."),
        estimate("change", NATS, "Mean change of log-probability.", _RESAMPLED),
        estimate("kl", NATS, "Mean KL(clean ‖ with intervention) of the token that is read.", _RESAMPLED),
        estimate("relative_norm", "ratio", "Mean ‖Δh‖ / ‖h‖.", _RESAMPLED),
    ),
    "doses": table(
        "A dose of the removal: the tested items of a behaviour, a mean over a group of directions.",
        Column("direction_group", STRING, NONE, "`neither_english` or `with_english`: the directions."),
        Column("behaviour", STRING, NONE, "`semantic_pivot` or `direct`."),
        Column("dose", NUMBER, "multiple of the difference", "1 puts the component where other items have it."),
        Column("n", INTEGER, "items", "Items."),
        Column("concepts", INTEGER, "concepts", "Their concepts."),
        Column("mean", NUMBER, NATS, "Of the change of log-probability. Empty with fewer than two concepts."),
        interval("mean", NATS, _RESAMPLED),
    ),
    "removals": table(
        "How far a dose of the removal reaches: medians over the tested semantic-pivot items of all directions.",
        Column("dose", NUMBER, "multiple of the difference", "1 puts the component where other items have it."),
        Column("n", INTEGER, "items", "Items."),
        Column("pivot_prob_clean", NUMBER, PROBABILITY, "The pivot's lens probability at the window's last layer."),
        Column("pivot_prob", NUMBER, PROBABILITY, "The same with the intervention."),
        Column("kl", NUMBER, NATS, "KL(clean ‖ with intervention) of the token that is read."),
        Column("relative_norm", NUMBER, "ratio", "‖Δh‖ / ‖h‖, mean over the layers."),
    ),
}
