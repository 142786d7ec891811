"""Which tokens stand for the source word, the target word, English, and what is linked with the concept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pivotlens.artifacts import Concept
from pivotlens.models.encoding import TokenTexts, leading_space_tokens
from pivotlens.text import ENGLISH, Direction, fold, is_word

Policy = Literal["first", "prefixes"]


@dataclass(frozen=True)
class TokenSets:
    """Disjoint token sets of an item, in the order of precedence.

    Attributes:
        target: Of the target language's accepted words.
        source: Of the source language's accepted words.
        english: Of the English accepted words, where neither side is English.
        pivots: Mined pivots of the item.
        random: As many tokens of like frequency, for comparison with the pivots.
        linked: How a token is linked with the concept (``translation:en``, ``hypernym``, …), for every linked token.
        ambiguous: Whether source and target begin with the same piece.
    """

    target: frozenset[int]
    source: frozenset[int]
    english: frozenset[int]
    pivots: frozenset[int]
    random: frozenset[int]
    linked: dict[int, str]
    ambiguous: bool


class WordTokens:
    """Tokens that stand for words under a tokenizer.

    Args:
        tokenizer: A fast transformers tokenizer.
        policy: ``first`` takes the first content piece of each spelling of a word; ``prefixes`` every vocabulary
            token that is a prefix of it.
    """

    def __init__(self, tokenizer: Any, policy: Policy) -> None:
        self.texts = TokenTexts(tokenizer)
        self._tokenizer = tokenizer
        self._policy = policy
        self._first: dict[str, int | None] = {}
        self._by_text: dict[str, set[int]] = {}
        if policy == "prefixes":
            for token_id in range(len(tokenizer)):
                if text := self.texts[token_id].strip():
                    self._by_text.setdefault(text, set()).add(token_id)

    def of(self, words: Iterable[str]) -> frozenset[int]:
        """Return the tokens of the words, with and without leading space, with either case of the first letter."""
        found: set[int] = set()
        for word in words:
            for spelling in {word, word[:1].upper() + word[1:], word[:1].lower() + word[1:]}:
                if self._policy == "prefixes":
                    for end in range(1, len(spelling) + 1):
                        found |= self._by_text.get(spelling[:end], set())
                for text in (spelling, f" {spelling}"):
                    token_id = self._first_piece(text)
                    if token_id is not None:
                        found.add(token_id)
        return frozenset(found)

    def _first_piece(self, text: str) -> int | None:
        if text not in self._first:
            ids = tuple(self._tokenizer(text, add_special_tokens=False)["input_ids"])
            self._first[text] = ids[leading_space_tokens(ids, self.texts)] if ids else None
        return self._first[text]


def token_sets(
    words: WordTokens,
    concept: Concept,
    direction: Direction,
    pivots: Sequence[int],
    random: Sequence[int],
) -> TokenSets:
    """Return an item's token sets.

    Args:
        words: Tokens of words under the model's tokenizer.
        concept: The item's concept.
        direction: Its direction.
        pivots: Token ids of its mined pivots.
        random: Token ids of the comparison.
    """
    raw_target = words.of(concept.accepted[direction.target])
    raw_source = words.of(concept.accepted[direction.source])
    english = frozenset[int]()
    if ENGLISH not in direction and ENGLISH in concept.accepted:
        english = words.of(concept.accepted[ENGLISH])
    target = raw_target
    source = raw_source - target
    english = english - target - source
    taken = target | source
    return TokenSets(
        target=target,
        source=source,
        english=english,
        pivots=frozenset(pivots) - taken,
        random=frozenset(random) - taken - frozenset(pivots),
        linked=_linked_tokens(words, concept, direction, taken),
        ambiguous=bool(raw_target & raw_source),
    )


def _linked_tokens(words: WordTokens, concept: Concept, direction: Direction, taken: frozenset[int]) -> dict[int, str]:
    related = [
        (form, f"translation:{language}")
        for language, forms in concept.accepted.items()
        if language not in direction
        for form in forms
    ]
    related += [(word, relation) for _, word, relation in concept.links]
    linked: dict[int, str] = {}
    for word, relation in related:
        for token_id in sorted(words.of([word]) - taken):
            text = words.texts[token_id]
            # A piece of a word is linked only where it is long enough to be told from other words.
            if token_id not in linked and is_word(text):
                whole = fold(text).strip() == fold(word)
                linked[token_id] = relation if whole else f"{relation} (piece)"
    return linked
