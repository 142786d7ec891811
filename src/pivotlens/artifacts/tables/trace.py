"""Tables of ``trace``: what the layers of a model say while it translates."""

from __future__ import annotations

from pivotlens.artifacts.tables.column import (
    CODE,
    DIRECTION,
    DIRECTION_OR_ALL,
    FAILURE,
    FAILURE_OF_ITEM,
    FLAG,
    INTEGER,
    LAYER,
    MODEL_AND_PROMPT,
    NATS,
    NONE,
    NUMBER,
    PROBABILITY,
    SHARE,
    SHOT_SET,
    STRING,
    STRINGS,
    TOKEN_ID,
    TRACED_ITEM,
    Column,
    estimate,
    interval,
    table,
    token,
)

_LAYER = Column(
    "layer", INTEGER, LAYER, "0 is the embeddings, l the output of block l, the last one the model's answer."
)
_RULE = Column("rule", STRING, NONE, "Rule of behaviour (docs/trace.md).")
_BEHAVIOUR = Column("behaviour", STRING, NONE, "Label of the rule (docs/trace.md).")
_GROUP = "`neither_english`, `source_english` or `target_english`"
_DIRECTION_GROUP = Column("direction_group", STRING, NONE, f"Which directions the mean is over: {_GROUP}.")
_RESAMPLED = "concepts (jointly over directions)"
_PIVOT_LANGUAGE = "`english` (neither side is), `third`, `target`, `source`, `several` or `not_told`"
_KL = "KL(this layer ‖ last layer)"
_OF_FIGURE = "nats (entropy) or probability, 0–1 (masses)"
_PIVOT_GROUP = Column("direction_group", STRING, NONE, "`neither_english`, `all`, or one direction such as `zh-fr`.")
_KAPPA = "Cohen's kappa, −1–1"


def _count_and_share(n: str, share: str, resampled: str = _RESAMPLED) -> tuple[Column, ...]:
    return (
        Column("n", INTEGER, "items", n),
        Column("share", NUMBER, SHARE, share),
        *interval("share", SHARE, resampled),
    )


def _behaviours(lens: str) -> tuple[Column, ...]:
    return (
        *TRACED_ITEM,
        _RULE,
        _BEHAVIOUR,
        Column("layer", INTEGER, LAYER, f"Layer of the {lens} lens that decided; empty where none did."),
        *token("the token that decided"),
        Column("prob", NUMBER, PROBABILITY, "Its probability at that layer."),
        Column(
            "relation", STRING, NONE, "How a dictionary or WordNet links it with the concept; empty where none does."
        ),
        Column("languages", STRINGS, CODE, "Languages of the words that link it; empty likewise."),
        Column(
            "pivot_language", STRING, NONE, f"What a pivot (or `other`) is written in: {_PIVOT_LANGUAGE}; else empty."
        ),
        Column("correct", FLAG, NONE, "Whether the model's own answer is an accepted word."),
    )


TABLES = {
    "items": table(
        "An item (a concept in a direction) of a shot set.",
        TRACED_ITEM,
        Column("source_word", STRING, NONE, "Displayed word that is translated."),
        Column("target_word", STRING, NONE, "Displayed word that is looked for."),
        Column("same_spelling", FLAG, NONE, "Whether both are written alike, but for case."),
        Column("shares_token", FLAG, NONE, "Whether source and target can begin with the same token."),
        Column(
            "ambiguous",
            FLAG,
            NONE,
            "Whether that is so, or a first piece of one could be of the other: the lens cannot always tell which.",
        ),
        Column("target_token_id", INTEGER, TOKEN_ID, "First token of the target that writes more than space."),
        Column("target_token", STRING, NONE, "What it writes."),
        Column("n_target_tokens", INTEGER, "tokens", "Tokens of the target in this prompt, those of space included."),
        Column(
            "n_space_tokens",
            INTEGER,
            "tokens",
            "Those at its beginning that write no more of it than space, the prompt's end perhaps; the position that "
            "is read comes after them.",
        ),
        Column("pos", STRING, NONE, "Part of speech, as the benchmark spells it."),
        Column("band", STRING, NONE, "Frequency band, as the benchmark has it; may be empty."),
        Column("correct", FLAG, NONE, "Whether what the model answers by itself is an accepted word."),
        Column("calibration", FLAG, NONE, "Whether the concept is one of those that baselines are means over."),
        Column("generated", STRING, NONE, "What the model answers by itself, greedily: untrusted text."),
        FAILURE_OF_ITEM,
    ),
    "layers": table(
        "An item at a layer, read by the raw lens at the position that predicts the target's first token.",
        TRACED_ITEM,
        _LAYER,
        Column("entropy", NUMBER, NATS, "Of the layer's distribution over the vocabulary."),
        Column("kl_to_final", NUMBER, NATS, f"{_KL}: how far the layer is from the model's answer."),
        Column("target_rank", INTEGER, "rank from 1", "Place of the target's first token (`target_token_id`)."),
        Column("target_prob", NUMBER, PROBABILITY, "Its probability."),
        Column(
            "word_logprob",
            NUMBER,
            NATS,
            "Log-probability of the whole target word, its tokens given one after the other; only with `whole_word`.",
        ),
        Column(
            "mass_source",
            NUMBER,
            PROBABILITY,
            "Of the tokens that accepted source words begin with, together (`token_sets`).",
        ),
        Column("mass_target", NUMBER, PROBABILITY, "Of the tokens that accepted target words begin with, together."),
        Column("mass_english", NUMBER, PROBABILITY, "The same of English; empty where a side is English."),
        Column("mass_pivots", NUMBER, PROBABILITY, "Of the item's mined pivots; empty where there are none."),
        Column("mass_random", NUMBER, PROBABILITY, "Of as many random tokens of like frequency; empty likewise."),
    ),
    "tokens": table(
        "One of the most probable tokens of an item at a layer.",
        TRACED_ITEM,
        _LAYER,
        Column("rank", INTEGER, "rank from 1", "Place among the layer's tokens."),
        token("the token"),
        Column("prob", NUMBER, PROBABILITY, "Its probability."),
        Column(
            "baseline",
            NUMBER,
            PROBABILITY,
            "Its mean probability at that layer over the other concepts of the calibration set; empty without any.",
        ),
        Column(
            "above_baseline",
            FLAG,
            NONE,
            "Whether its probability reaches `threshold` and `ratio` times the baseline; not without a baseline.",
        ),
        Column(
            "role",
            STRING,
            NONE,
            "What it is to the item: `target`, `source`, `english`, `pivot` (linked with the concept, or mined); else "
            "empty.",
        ),
        Column(
            "relation", STRING, NONE, "How a dictionary or WordNet links it with the concept, or `mined`; else empty."
        ),
    ),
    "behaviours": table("An item under a rule, with what decided.", _behaviours("raw")),
    "tuned_behaviours": table("An item under a rule, as the run's trained lens reads it.", _behaviours("trained")),
    "lenses": table(
        "A layer in a direction, as the raw and the trained lens read it. Figures are means over items.",
        MODEL_AND_PROMPT,
        SHOT_SET,
        DIRECTION,
        _LAYER,
        Column("n", INTEGER, "items", "How many."),
        Column("same_top", NUMBER, SHARE, "Share of items in which both put the same token first."),
        Column("kl_to_final_raw", NUMBER, NATS, f"{_KL}, raw lens."),
        Column("kl_to_final_tuned", NUMBER, NATS, f"{_KL}, trained lens."),
        Column("target_prob_raw", NUMBER, PROBABILITY, "Of the target's first token, raw lens."),
        Column("target_prob_tuned", NUMBER, PROBABILITY, "Of the target's first token, trained lens."),
        Column(
            "mass_english_raw", NUMBER, PROBABILITY, "Mean `mass_english`, raw lens; empty where a side is English."
        ),
        Column("mass_english_tuned", NUMBER, PROBABILITY, "Mean `mass_english`, trained lens; empty likewise."),
    ),
    "strata": table(
        "A behaviour in a part of the items of shot set 0.",
        MODEL_AND_PROMPT,
        _DIRECTION_GROUP,
        _RULE,
        Column(
            "stratum",
            STRING,
            NONE,
            "What parts the items: `all`, `answer`, `spelling`, `pieces` (of the target), `pos` or `band`.",
        ),
        Column(
            "value", STRING, NONE, "Which part, such as `right`, `different`, `3 or more` or `high`; empty for `all`."
        ),
        _BEHAVIOUR,
        _count_and_share(
            "Items of the part, with any behaviour.",
            "Share of the behaviour, a mean over directions: few items of one direction may weigh much.",
        ),
    ),
    "failures": table(
        "A kind of wrong answer among the items of shot set 0 with a behaviour; one that none shows has no row.",
        MODEL_AND_PROMPT,
        _DIRECTION_GROUP,
        _RULE,
        Column("behaviour", STRING, NONE, "Label of the rule (docs/trace.md); `all`: whatever it is."),
        FAILURE,
        Column("n", INTEGER, "items", "Items that are answered so."),
        Column("items", INTEGER, "items", "Items with the behaviour whose answer is wrong."),
        Column("share", NUMBER, SHARE, "`n` of `items`."),
        interval("share", SHARE, "concepts"),
    ),
    "agreement": table(
        "Two ways to label the same items, over all directions: rules, lenses or shot sets.",
        MODEL_AND_PROMPT,
        Column("kind", STRING, NONE, "What differs: `rules`, `lenses` or `shot sets`."),
        Column("first", STRING, NONE, "One of both."),
        Column("second", STRING, NONE, "The other."),
        Column("n", INTEGER, "items", "Items with both labels."),
        Column("agreement", NUMBER, SHARE, "Share of items labelled alike."),
        Column("kappa", NUMBER, _KAPPA, "Over all labels; empty where it is not defined."),
        interval("kappa", _KAPPA, _RESAMPLED, ("kappa_low", "kappa_high")),
        Column("kappa_pivot", NUMBER, _KAPPA, "Over semantic pivot or not; empty likewise."),
        interval("kappa_pivot", _KAPPA, _RESAMPLED, ("kappa_pivot_low", "kappa_pivot_high")),
    ),
    "pivot_languages": table(
        "A kind of language that semantic pivots of shot set 0 are written in.",
        MODEL_AND_PROMPT,
        Column("direction_group", STRING, NONE, f"{_GROUP} (means over directions), or one direction such as `zh-fr`."),
        Column(
            "item_set", STRING, NONE, "`all`, or `different_spelling`: without words written alike in both languages."
        ),
        _RULE,
        Column("pivot_language", STRING, NONE, f"Kind of language: {_PIVOT_LANGUAGE}."),
        _count_and_share(
            "Items, pivots or not.",
            "Share of the items that are semantic pivots of this kind; the kinds add up to all semantic pivots.",
        ),
        note="`several`: spelled alike in languages of more than one kind.",
    ),
    "pivots": table(
        "A kind of token that a rule calls a pivot in a direction of shot set 0.",
        MODEL_AND_PROMPT,
        DIRECTION,
        _RULE,
        Column("pivot_language", STRING, NONE, f"What it is written in: {_PIVOT_LANGUAGE}."),
        Column(
            "languages",
            STRING,
            f"{CODE}, joined by +",
            "Languages in which it is a word for the concept or for what is linked with it; empty where nothing is.",
        ),
        Column("relation", STRING, NONE, "How a dictionary or WordNet links it; empty likewise."),
        Column("layer", INTEGER, LAYER, "Layer that decided."),
        Column("n", INTEGER, "items", "How many."),
        Column("share", NUMBER, SHARE, "Among the semantic pivots of the direction under the rule."),
    ),
    "summary": table(
        "A behaviour in a direction of shot set 0; one that no item of the direction shows has no row: its share is 0.",
        MODEL_AND_PROMPT,
        DIRECTION,
        _RULE,
        _BEHAVIOUR,
        Column(
            "item_set",
            STRING,
            NONE,
            "`all`, `different_spelling` (without words written alike in both languages), or `correct` (those of them "
            "that the model answers rightly).",
        ),
        _count_and_share("Items, with any behaviour.", "Share of the behaviour.", "concepts"),
    ),
    "sensitivity": table(
        "A behaviour in a direction and shot set under rule `calibrated` with other settings; without a row it is 0.",
        MODEL_AND_PROMPT,
        SHOT_SET,
        DIRECTION,
        Column("threshold", NUMBER, PROBABILITY, "The setting `threshold`: least probability of a specific token."),
        Column("ratio", NUMBER, "times the baseline", "The setting `ratio`: how far it must exceed the baseline."),
        _BEHAVIOUR,
        Column("n", INTEGER, "items", "Items that show it."),
        Column("share", NUMBER, SHARE, "Their share of all items."),
    ),
    "profiles": table(
        "A figure of a direction at a layer: mean over the items of shot set 0. One that no item has has no row.",
        MODEL_AND_PROMPT,
        DIRECTION,
        Column("figure", STRING, NONE, "Column of `layers`: `entropy` or one of the masses."),
        _LAYER,
        Column("n", INTEGER, "items", "Items with the figure."),
        Column("mean", NUMBER, _OF_FIGURE, "Mean of these; empty without any."),
        interval("mean", _OF_FIGURE, "items"),
    ),
    "lens_layers": table(
        "A layer under both lenses: means of `lenses` over the directions and shot sets that have the figure.",
        MODEL_AND_PROMPT,
        _LAYER,
        Column("n", INTEGER, "items", "Items, each as often as there are shot sets."),
        Column("same_top", NUMBER, SHARE, "Items in which both lenses put the same token first."),
        Column("kl_to_final_raw", NUMBER, NATS, f"{_KL}, raw lens."),
        Column("kl_to_final_tuned", NUMBER, NATS, f"{_KL}, trained lens."),
        Column("target_prob_raw", NUMBER, PROBABILITY, "Of the target's token, raw lens."),
        Column("target_prob_tuned", NUMBER, PROBABILITY, "The same, trained lens."),
        Column("mass_english_raw", NUMBER, PROBABILITY, "Of the English words, raw lens; empty without any."),
        Column("mass_english_tuned", NUMBER, PROBABILITY, "The same, trained lens."),
    ),
    "lens_shares": table(
        "A rule under both lenses: the share of semantic pivots among the items of shot set 0 that both read.",
        MODEL_AND_PROMPT,
        Column("direction_group", STRING, NONE, "Which directions the mean is over: `neither_english` or `all`."),
        _RULE,
        Column("n", INTEGER, "items", "Items."),
        estimate("raw", SHARE, "Through the raw lens, mean over directions.", _RESAMPLED),
        estimate("tuned", SHARE, "Through the trained lens.", _RESAMPLED),
    ),
    "rules": table(
        "A rule of behaviour; the default one first.",
        _RULE,
        Column("note", STRING, NONE, "What it does, in a sentence."),
    ),
    "labels": table(
        "A label of a rule in a group of directions, over items of shot set 0; one that no item has has no row.",
        MODEL_AND_PROMPT,
        Column("direction_group", STRING, NONE, "`direction`, `neither_english`, `with_english` or `all`."),
        DIRECTION_OR_ALL,
        _RULE,
        _BEHAVIOUR,
        Column("n", INTEGER, "items", "Items with the label."),
        Column("items", INTEGER, "items", "All items of the group."),
        Column("share", NUMBER, SHARE, "`n` of `items`; no mean over directions."),
    ),
    "deciding_tokens": table(
        "A token that a rule decided by, over all directions of shot set 0.",
        MODEL_AND_PROMPT,
        _RULE,
        Column("behaviour", STRING, NONE, "`semantic_pivot`: of items with this label; empty: of items with any."),
        Column("token", STRING, NONE, "What it writes, with its leading space; text of a tokenizer: untrusted."),
        Column("n", INTEGER, "items", "Items in which it decided."),
        Column("concepts", INTEGER, "concepts", "Their concepts."),
        Column("layer", INTEGER, LAYER, "Where it most often did; the lowest of several."),
        Column("prob", NUMBER, PROBABILITY, "Mean of its probability where it decided."),
    ),
    "thresholds": table(
        "A label of rule `calibrated` at other thresholds: mean over directions of the shares in `sensitivity`.",
        MODEL_AND_PROMPT,
        Column(
            "direction_group", STRING, NONE, "Which directions the mean is over: `neither_english` or `with_english`."
        ),
        Column("threshold", NUMBER, PROBABILITY, "Least probability of a token."),
        Column("ratio", NUMBER, "times the baseline", "How many times its mean over other concepts it must reach."),
        _BEHAVIOUR,
        Column("share", NUMBER, SHARE, "Of the items of shot set 0; a direction without the label counts as 0."),
    ),
    "pivot_counts": table(
        "Pivots of a rule of one kind, counted over shot set 0.",
        MODEL_AND_PROMPT,
        _PIVOT_GROUP,
        _RULE,
        Column(
            "by",
            STRING,
            NONE,
            "`language`: one of the link, a pivot counts in each of its own; `languages`: all of them, joined by +; "
            "`relation`: without its language and form; `layer`.",
        ),
        Column("value", STRING, NONE, "Which; empty where nothing links the pivot."),
        Column("n", INTEGER, "pivots", "Pivots."),
        Column("share", NUMBER, SHARE, "Of all pivots of the rule in these directions."),
    ),
    "pivot_links": table(
        "Pivots of a rule by one language of the link and relation; one in two languages is counted in both.",
        MODEL_AND_PROMPT,
        _PIVOT_GROUP,
        _RULE,
        Column("language", STRING, CODE, "Of the link; empty where nothing links."),
        Column("relation", STRING, NONE, "Without its language and form; `unknown` where nothing links."),
        Column("n", INTEGER, "pivots", "Pivots."),
    ),
    "pivot_summary": table(
        "The pivots of a rule, of shot set 0, in a line.",
        MODEL_AND_PROMPT,
        _PIVOT_GROUP,
        _RULE,
        Column("n", INTEGER, "pivots", "Pivots."),
        Column("english", NUMBER, SHARE, "Linked as a word of English."),
        Column("n_english_alone", INTEGER, "pivots", "Linked as a word of English and of no other language."),
        Column("english_alone", NUMBER, SHARE, "Their share."),
        Column("relation", STRING, NONE, "The most frequent relation."),
        Column("relation_share", NUMBER, SHARE, "Its share."),
        Column("layer", INTEGER, LAYER, "Median layer, the lower of two."),
        Column("n_alike", INTEGER, "pivots", "Spelled alike in several languages."),
        Column("n_alike_english", INTEGER, "pivots", "Those of them linked as a word of English."),
    ),
}
