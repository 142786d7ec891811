"""Names of what tables hold, each once: what the page, the terminal and the results pages call it."""

from __future__ import annotations

from pivotlens.text import ENGLISH, Direction

BEHAVIOUR_NAMES = {
    "direct": "direct",
    "copy": "copy",
    "source_or_english": "copy (English source)",
    "semantic_pivot": "semantic pivot",
    "other": "other",
    "none": "none",
    "dropped": "dropped by the rule",
}
"""Behaviours in the order of the bars."""

PIVOT_LANGUAGE_NAMES = {
    "english": "English",
    "third": "a third language",
    "target": "the target's own language",
    "source": "the source's own language",
    "several": "spelled alike in several",
    "not_told": "not told",
}
"""What a semantic pivot is written in."""

GROUP_NAMES = {
    "neither_english": "neither side English",
    "source_english": "English as the source",
    "target_english": "English as the target",
}
"""Groups of directions; the first one present holds the headline."""

COARSE_GROUP_NAMES = {"neither_english": GROUP_NAMES["neither_english"], "with_english": "English on a side"}
"""Groups of directions where English as the source and as the target are not told apart."""

STRATUM_NAMES = {
    "answer": "answer",
    "spelling": "spelling of the two words",
    "pieces": "tokens of the target word",
    "pos": "part of speech",
    "band": "frequency band",
    "tier": "tier of distractors",
}
ITEM_NAMES = {
    "all": "all items",
    "different_spelling": "spelled differently",
    "correct": "correctly answered items",
    "correct_unlike_english": "correctly answered items, no word spelled like an English one",
    "all_unlike_english": "all items, no word spelled like an English one",
}
"""Which items a figure is over."""

ABLATED_NAMES = {
    "all": "all pivot items",
    "english_pivot": "the pivot is the English word",
    "correct": "the answer is right",
}
"""Which pivot items an effect is over."""

READ_NAMES = {
    "own": "the item itself",
    "unrelated_item": "another item of the direction",
    "unrelated_text": "a plain text",
}
"""What the model reads while a pivot is taken out."""

CONTRAST_NAMES = {
    "own": "own pivot taken out",
    "own_minus_random": "more than a random vector, equally far",
    "own_minus_matched": "more than a word of like frequency",
    "own_minus_other": "more than another item's pivot",
    "own_minus_early": "more than in the layers before the window",
    "swap_minus_unrelated": "other pivot in: more than an unrelated word in",
    "swap": "other concept's pivot in: that concept's target",
    "own_minus_direct": "more than for direct items of like log P",
    "net_minus_direct": "more than for direct items, net of random",
    "clean_minus_direct": "pivot less direct items, before any change",
    "own_minus_synonym": "more than a synonym of a third language",
    "synonym_minus_random": "the synonym, more than a random vector",
    "own_minus_last_layer": "more than if no later block had read it",
    "random": "random vector",
    "matched": "word of like frequency",
    "other": "another item's pivot",
    "early": "own pivot, layers before the window",
    "target": "the target itself, equally far",
    "synonym": "synonym of a third language",
    "last_layer": "the same change after the last block",
    "swap_unrelated": "unrelated word in: other concept's target",
    "direct_own": "direct items: English word taken out",
    "direct_random": "direct items: random vector",
    "direct_target": "direct items: the target itself",
}
"""Contrasts in the order of the forest; the steps of the dose are named by `contrast_name`."""

PREDICTOR_NAMES = {
    "log_joint": "joint frequency",
    "log_target": "target's frequency",
    "npmi": "NPMI",
    "llr": "log-likelihood ratio",
}
CURVE_NAMES = {
    "target": "target word",
    "source": "source word",
    "english": "English word",
    "mined": "mined pivots",
    "random": "random control",
}
FIGURE_NAMES = {
    "score": "score",
    "probability_share": "probability share",
    "margin": "margin, nats",
    "accuracy_10way": "10-way",
    "accuracy_generated": "generated",
}
"""Figures of the translation score."""


def contrast_name(contrast: str) -> str:
    """Return what a contrast says in words."""
    if contrast.startswith("dose_") and contrast.endswith("_step"):
        return f"dose raised to {contrast[5:-5]}"
    return CONTRAST_NAMES.get(contrast, contrast.replace("_", " "))


def group_of(direction: Direction) -> str:
    """Return the key of `GROUP_NAMES` whose mean a direction is in."""
    if ENGLISH not in direction:
        return "neither_english"
    return "source_english" if direction.source == ENGLISH else "target_english"


def short_names(models: tuple[str, ...] | list[str]) -> dict[str, str]:
    """Return names without the folder, owner or model that all of them begin with."""
    shared = 0
    if len(models) > 1:
        while all(len(model) > shared + 1 and model[shared] == models[0][shared] for model in models):
            shared += 1
        while shared and models[0][shared - 1] not in "/@:":
            shared -= 1
    return {model: model[shared:] or model for model in models}
