"""Telling direct from semantic-pivot behaviour: the rules by name (docs/method.md#behaviours)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np

from pivotlens.arrays import Booleans, Floats, Integers

DIRECT, COPY, SOURCE_OR_ENGLISH = "direct", "copy", "source_or_english"
SEMANTIC_PIVOT, OTHER, NONE, DROPPED = "semantic_pivot", "other", "none", "dropped"


@dataclass(frozen=True)
class ItemView:
    """An item's kept tokens as the rules read them; every array has shape ``(layers, top_k)``.

    Layer 0 is the embeddings, the last layer the model's answer.

    Attributes:
        token_ids: Most probable tokens, best first.
        probs: Their probabilities.
        baseline: Their mean probability over other concepts.
        target: Whether a token is of the target's set.
        source: Whether it is of the source's set.
        linked: Whether it is linked with the concept.
        word: Whether it can be a word; one that begins within a word only if it is either side's or linked.
        shares_token: Whether source and target share a token.
        source_is_english: Whether the source language is English.
    """

    token_ids: Integers
    probs: Floats
    baseline: Floats
    target: Booleans
    source: Booleans
    linked: Booleans
    word: Booleans
    shares_token: bool
    source_is_english: bool

    @property
    def answer(self) -> int:
        """The last layer's most probable token."""
        return int(self.token_ids[-1, 0])


@dataclass(frozen=True)
class Behaviour:
    """What a rule says of an item; layer, rank and probability of the token that decided, or -1 and NaN."""

    label: str
    layer: int = -1
    rank: int = -1
    prob: float = float("nan")


def _decided(view: ItemView, label: str, layer: int, rank: int = 0) -> Behaviour:
    return Behaviour(label, layer, rank, float(view.probs[layer, rank]))


def peak(view: ItemView) -> Behaviour:
    """Apply the paper's text to the raw lens: the most probable token over all blocks.

    The embedding layer is no block: with tied embeddings it only echoes the prompt.
    """
    layer = int(view.probs[1:, 0].argmax()) + 1
    if view.token_ids[layer, 0] == view.answer:
        return _decided(view, DIRECT, layer)
    if view.source[layer, 0]:
        return _decided(view, SOURCE_OR_ENGLISH if view.source_is_english else COPY, layer)
    return _decided(view, DIRECT if view.target[layer, 0] else SEMANTIC_PIVOT, layer)


def authors_peak(view: ItemView) -> Behaviour:
    """Apply the released script's first rule: ties to the later layer, everything but pivots is direct."""
    if view.shares_token:
        return Behaviour(DROPPED)
    column = view.probs[1:, 0]
    layer = len(column) - int(column[::-1].argmax())
    if view.token_ids[layer, 0] == view.answer or view.source[layer, 0]:
        return _decided(view, DIRECT, layer)
    return _decided(view, SEMANTIC_PIVOT, layer)


def authors_threshold(view: ItemView) -> Behaviour:
    """Apply the released script's second rule: any layer whose best token has p ≥ 0.1 and is neither side's."""
    foreign = (view.probs[1:, 0] >= 0.1) & ~view.source[1:, 0] & ~view.target[1:, 0]
    if foreign.any():
        layer = int(np.where(foreign, view.probs[1:, 0], -1.0).argmax()) + 1
        return _decided(view, SEMANTIC_PIVOT, layer)
    return _decided(view, DIRECT, len(view.probs) - 1)


def above_baseline(probs: Floats, baseline: Floats, ratio: float, threshold: float) -> Booleans:
    """Tell which tokens are probable enough, and more than over other concepts.

    Args:
        probs: Probabilities, of any shape.
        baseline: Mean probabilities over other concepts, same shape; NaN where there are none, and nothing can be told.
        ratio: How many times the baseline is asked for.
        threshold: The least probability.
    """
    found: Booleans = probs >= np.maximum(ratio * np.where(np.isnan(baseline), np.inf, baseline), threshold)
    return found


def specific(view: ItemView, ratio: float, threshold: float) -> Booleans:
    """Tell which kept tokens are specific to the item: probable enough, and more than over other concepts.

    Tokens of the target's set count whatever their length: the answer's first piece may be short. All others must be
    words, and what neither a dictionary nor the answer knows must last (`_lasting`): held against labelled items, what
    flashes up and goes is junk that happened to meet few concepts.
    """
    counts = view.word | view.target
    above = above_baseline(view.probs, view.baseline, ratio, threshold)
    known = view.linked | view.source | view.target | (view.token_ids == view.answer)
    found: Booleans = counts & above & (known | _lasting(view, threshold))
    return found


def _lasting(view: ItemView, threshold: float) -> Booleans:
    """Tell which kept tokens last over layers.

    They have half the threshold or more at two layers or more between the embeddings and the last, and there their
    probabilities add up to three times the threshold.
    """
    likely = view.probs[1:-1] >= threshold / 2
    tokens, place = np.unique(view.token_ids[1:-1][likely], return_inverse=True)
    mass = np.bincount(place, weights=view.probs[1:-1][likely], minlength=len(tokens))
    lasting: Booleans = np.isin(
        view.token_ids, tokens[(np.bincount(place, minlength=len(tokens)) >= 2) & (mass >= 3 * threshold)]
    )
    return lasting


def calibrated(view: ItemView, ratio: float, threshold: float) -> Behaviour:
    """Apply the default rule: the most probable *specific* token before the last layer decides.

    A word that is specific to the item and neither side's is a semantic pivot: held against labelled items, such a
    word has to do with the concept far more often than a dictionary knows.
    """
    kept = np.where(specific(view, ratio, threshold), view.probs, -1.0)[1:-1]
    if kept.size == 0 or kept.max() < 0:
        return Behaviour(NONE)
    row, rank = divmod(int(kept.argmax()), kept.shape[1])
    layer = row + 1
    if view.target[layer, rank]:
        label = DIRECT
    elif view.source[layer, rank]:  # before the answer: a source word that is answered is a copy, not a translation
        label = SOURCE_OR_ENGLISH if view.source_is_english else COPY
    elif view.token_ids[layer, rank] == view.answer:
        label = DIRECT
    else:
        label = SEMANTIC_PIVOT
    return _decided(view, label, layer, rank)


def calibrated_linked(view: ItemView, ratio: float, threshold: float) -> Behaviour:
    """Apply `calibrated`, but call a pivot only what a dictionary or WordNet links with the concept; else `other`."""
    found = calibrated(view, ratio, threshold)
    if found.label == SEMANTIC_PIVOT and not view.linked[found.layer, found.rank]:
        return _decided(view, OTHER, found.layer, found.rank)
    return found


def onset(view: ItemView, ratio: float, threshold: float) -> Behaviour:
    """Apply the rule that does not favour late targets: which comes first, a linked token or the target?

    A specific, linked token that is neither side's, at two layers or more before the target's first specific layer,
    makes a semantic pivot.
    """
    found = specific(view, ratio, threshold)
    at_target = (found & view.target)[1:].any(axis=1)
    first = int(at_target.argmax()) + 1 if at_target.any() else len(view.probs)
    pivot = found & view.linked & ~view.target & ~view.source & (view.token_ids != view.answer)
    before = pivot[1:first].any(axis=1)
    if before.sum() >= 2:
        kept = np.where(pivot, view.probs, -1.0)[1:first]
        row, rank = divmod(int(kept.argmax()), kept.shape[1])
        return _decided(view, SEMANTIC_PIVOT, row + 1, rank)
    if at_target.any():
        rank = int(np.where(found[first] & view.target[first], view.probs[first], -1.0).argmax())
        return _decided(view, DIRECT, first, rank)
    return Behaviour(NONE)


class Applied(Protocol):
    """A rule's function."""

    def __call__(self, view: ItemView, ratio: float, threshold: float) -> Behaviour:
        """Return what the rule says of an item, at a ratio and a threshold."""


@dataclass(frozen=True)
class Rule:
    """A rule of behaviour.

    Attributes:
        name: As the tables have it.
        note: What it does, in a sentence for the reader of a report.
        apply: Its function.
    """

    name: str
    note: str
    apply: Applied


def _as_published(rule: Callable[[ItemView], Behaviour]) -> Applied:
    """Return a rule that has no thresholds to set."""

    def applied(view: ItemView, ratio: float, threshold: float) -> Behaviour:
        return rule(view)

    return applied


RULES = (
    Rule(
        "calibrated",
        "The peak of the words specific to the item; one that no dictionary links must show at two layers.",
        calibrated,
    ),
    Rule(
        "calibrated_linked",
        "The same, but a pivot must be linked with the concept by a dictionary or WordNet.",
        calibrated_linked,
    ),
    Rule("onset", "A specific, linked token that stands for two layers before the target's first one.", onset),
    Rule(
        "peak",
        "The paper's text on the raw lens: the most probable token of any layer decides.",
        _as_published(peak),
    ),
    Rule(
        "authors_peak",
        "The authors' script: as peak, ties to the later layer, shared tokens dropped.",
        _as_published(authors_peak),
    ),
    Rule(
        "authors_threshold",
        "Any layer whose first token has p ≥ 0.1 and is neither source nor target.",
        _as_published(authors_threshold),
    ),
)
"""Every rule, the default one first; a new one is an entry here, and ``trace/rules`` tells of it."""


def rules(ratio: float, threshold: float) -> dict[str, Callable[[ItemView], Behaviour]]:
    """Return every rule by name at given thresholds, in the order of `RULES`."""
    return {rule.name: partial(rule.apply, ratio=ratio, threshold=threshold) for rule in RULES}


def rule_rows() -> list[dict[str, str]]:
    """Return the rows of ``trace/rules``: the rules in their order, with what each does."""
    return [{"rule": rule.name, "note": rule.note} for rule in RULES]
