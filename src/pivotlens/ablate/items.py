"""Which traced items are ablated, and which tokens stand for their pivot and its controls (docs/method.md#ablation)."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pivotlens.artifacts import Concept
from pivotlens.models.encoding import TokenTexts, first_content_piece
from pivotlens.statistics.seeding import named_generator
from pivotlens.text import ENGLISH, Direction, fold, is_word

SEMANTIC_PIVOT, DIRECT = "semantic_pivot", "direct"
WINDOW, TEST = "window", "test"

# How many tokens of like frequency the matched one is drawn from.
_NEAREST = 20


@dataclass
class LensTokens:
    """What the trace kept of a direction's lens, by token and by concept.

    Attributes:
        mass: Probability of each token that can be a word, summed over items and over the layers between the
            embeddings and the last: how frequent it is in the lens.
        own: The same by concept.
        linked: By concept, the tokens that are of its source, target or English words or linked with it.
        relation: How a token is linked with a concept, by (concept, token).
        english: By concept, its most probable token of an English word.
    """

    mass: dict[int, float] = field(default_factory=dict)
    own: dict[str, dict[int, float]] = field(default_factory=dict)
    linked: dict[str, set[int]] = field(default_factory=dict)
    relation: dict[tuple[str, int], str] = field(default_factory=dict)
    english: dict[str, int] = field(default_factory=dict)


def lens_tokens(rows: Iterable[Mapping[str, Any]], last_layer: int) -> LensTokens:
    """Gather the rows of ``trace/tokens`` of one direction and shot set."""
    found = LensTokens()
    best: dict[str, float] = {}
    for row in rows:
        concept, token, role = row["concept_id"], row["token_id"], row["role"]
        if role:
            found.linked.setdefault(concept, set()).add(token)
            found.relation[concept, token] = "translation:en" if role == "english" else row["relation"]
        if not 0 < row["layer"] < last_layer or not is_word(row["token"]):
            continue
        found.mass[token] = found.mass.get(token, 0.0) + row["prob"]
        of_item = found.own.setdefault(concept, {})
        of_item[token] = of_item.get(token, 0.0) + row["prob"]
        if role == "english" and row["prob"] > best.get(concept, 0.0):
            best[concept], found.english[concept] = row["prob"], token
    return found


@dataclass(frozen=True)
class AblatedItem:
    """An item whose pivot is taken out.

    Attributes:
        behaviour: Under rule `calibrated`: `semantic_pivot`, or `direct`, where the accepted English token stands in
            for the pivot.
        half: `window` or `test`: which half of the concepts it is in.
        correct: Whether the model's own answer is right.
        peak: Layer of the behaviour's peak.
        pivot: Token id of the pivot.
        english_pivot: Whether the pivot writes an accepted English word, or its beginning.
        source: Token id of the source word's first content piece.
        target: Token id of the target word's first content piece in this prompt.
        spaces: Bare space pieces that the answer begins with.
    """

    concept: Concept
    behaviour: str
    half: str
    correct: bool
    peak: int
    pivot: int
    english_pivot: bool
    source: int
    target: int
    spaces: int


@dataclass(frozen=True)
class Controls:
    """What an item's pivot is held against; None where nothing fits.

    Attributes:
        matched: A word token of like frequency in the lens that is no item's pivot and not linked with the concept.
        other: Another item, whose pivot is moved instead and then swapped in.
        unrelated: The pivot of a third item.
        synonym: First content piece of the concept's word in a language that is neither side's nor the pivot's.
    """

    matched: int | None = None
    other: AblatedItem | None = None
    unrelated: int | None = None
    synonym: int | None = None


def half_of(concept_id: str, seed: int) -> str:
    """Return the half of the concepts that a concept is in, the same in every direction."""
    return (WINDOW, TEST)[hashlib.sha256(f"{seed}/half/{concept_id}".encode()).digest()[0] & 1]


class WordPieces:
    """First content pieces of words under a tokenizer."""

    def __init__(self, tokenizer: Any) -> None:
        self.texts = TokenTexts(tokenizer)
        self._tokenizer = tokenizer

    def first(self, word: str) -> int | None:
        """Return the first content piece of a word after a space; None where the tokenizer gives nothing."""
        return first_content_piece(self._tokenizer, f" {word}", self.texts)


def choose_items(
    traced: Sequence[Mapping[str, Any]],
    labels: Mapping[str, Mapping[str, Any]],
    concepts: Mapping[str, Concept],
    direction: Direction,
    lens: LensTokens,
    pieces: WordPieces,
    seed: int,
    most: int,
) -> list[AblatedItem]:
    """Choose the items of a direction: pivots of both halves, and of the test half direct ones.

    Left out: words spelled alike in both languages, items whose source and target begin with one piece, and direct
    items whose English word has no token of its own (always where English is a side).

    Args:
        traced: Rows of ``trace/items`` of the direction and shot set 0.
        labels: Rows of ``trace/behaviours`` under rule `calibrated`, by concept.
        concepts: The benchmark's concepts.
        direction: The direction.
        lens: What its lens showed.
        pieces: Of the model's tokenizer.
        seed: Of the halves and the draw.
        most: Most items of each behaviour in each half.
    """
    found: dict[str, list[AblatedItem]] = {SEMANTIC_PIVOT: [], DIRECT: []}
    order = sorted(traced, key=lambda row: hashlib.sha256(f"{seed}/draw/{row['concept_id']}".encode()).hexdigest())
    for row in order:
        name = row["concept_id"]
        label, half = labels[name], half_of(name, seed)
        kind = label["behaviour"]
        if kind not in found or row["same_spelling"] or row["ambiguous"] or (kind, half) == (DIRECT, WINDOW):
            continue
        if sum(item.half == half for item in found[kind]) == most:
            continue
        source, target = pieces.first(row["source_word"]), row["target_token_id"]
        pivot = label["token_id"] if kind == SEMANTIC_PIVOT else _english_token(concepts[name], lens, pieces, direction)
        if pivot is None or source is None or len({pivot, source, target}) < 3:
            continue
        found[kind].append(
            AblatedItem(
                concept=concepts[name],
                behaviour=kind,
                half=half,
                correct=row["correct"],
                peak=label["layer"],
                pivot=pivot,
                english_pivot=kind == DIRECT or lens.relation.get((name, pivot), "").startswith("translation:en"),
                source=source,
                target=target,
                spaces=row["n_space_tokens"],
            )
        )
    return [*found[SEMANTIC_PIVOT], *found[DIRECT]]


def _english_token(concept: Concept, lens: LensTokens, pieces: WordPieces, direction: Direction) -> int | None:
    if ENGLISH in direction or ENGLISH not in concept.words:
        return None
    token = lens.english.get(concept.concept_id)
    if token is None:
        token = pieces.first(concept.words[ENGLISH])
    return token if token is not None and is_word(pieces.texts[token]) else None


def choose_controls(
    item: AblatedItem,
    items: Sequence[AblatedItem],
    direction: Direction,
    lens: LensTokens,
    pieces: WordPieces,
    seed: int,
) -> Controls:
    """Choose what an item's pivot is held against; each choice follows from the seed and the item alone.

    Args:
        item: The item.
        items: Those whose pivots may stand in: the items of its direction.
        direction: The direction.
        lens: What its lens showed.
        pieces: Of the model's tokenizer.
        seed: Of the draws.
    """
    random = named_generator(seed, "controls", *direction, item.concept.concept_id)
    others = [one for one in items if _apart(item, one, lens) and one.behaviour == SEMANTIC_PIVOT]
    usable = [one for one in others if one.spaces == item.spaces and one.target not in (item.target, item.pivot)]
    other = usable[int(random.integers(len(usable)))] if usable else None
    third = [one for one in others if other is not None and _apart(other, one, lens)]
    third = [one for one in third if one.pivot not in (other.target, other.source)] if other is not None else []
    return Controls(
        matched=_matched(item, items, lens, random),
        other=other,
        unrelated=third[int(random.integers(len(third)))].pivot if third else None,
        synonym=_synonym(item, direction, lens, pieces),
    )


def _apart(item: AblatedItem, other: AblatedItem, lens: LensTokens) -> bool:
    """Tell whether another item's pivot has nothing to do with an item."""
    return (
        other.concept.concept_id != item.concept.concept_id
        and other.pivot not in (item.pivot, item.source, item.target)
        and other.pivot not in lens.linked.get(item.concept.concept_id, ())
    )


def _matched(
    item: AblatedItem, items: Sequence[AblatedItem], lens: LensTokens, random: np.random.Generator
) -> int | None:
    own = lens.own.get(item.concept.concept_id, {})
    barred = {one.pivot for one in items} | {item.source, item.target}
    barred |= lens.linked.get(item.concept.concept_id, set())

    def frequency(token: int) -> float:
        # Without the item itself: there its pivot is always frequent.
        return math.log(max(lens.mass.get(token, 0.0) - own.get(token, 0.0), 0.0) + 1e-6)

    wanted = frequency(item.pivot)
    nearest = sorted((abs(frequency(token) - wanted), token) for token in lens.mass if token not in barred)[:_NEAREST]
    return nearest[int(random.integers(len(nearest)))][1] if nearest else None


def _synonym(item: AblatedItem, direction: Direction, lens: LensTokens, pieces: WordPieces) -> int | None:
    relation = lens.relation.get((item.concept.concept_id, item.pivot), "").removesuffix(" (piece)")
    taken = {*direction, ENGLISH, relation.removeprefix("translation:").split(" ")[0]}
    written = fold(pieces.texts[item.pivot]).strip()
    for language, word in item.concept.words.items():
        token = None if language in taken else pieces.first(word)
        if token is None or token in (item.pivot, item.source, item.target) or not is_word(pieces.texts[token]):
            continue
        if fold(pieces.texts[token]).strip() != written:
            return token
    return None
