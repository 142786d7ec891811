"""Which tokens stand for the source word, the target word, English, and what is linked with the concept."""

from __future__ import annotations

import functools
import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from pivotlens.artifacts import Concept
from pivotlens.models.encoding import TokenTexts, first_content_piece
from pivotlens.text import ENGLISH, Direction, begins_word, fold, has_cjk, is_word
from pivotlens.text.forms import ENDINGS, stems, without_endings

Policy = Literal["first", "prefixes"]


_SHORTEST_STEM = 4
# Between the words of a phrase: *por fin*, *s'enfuir*.
_PARTS = re.compile(r"[\s'’]")


def base_form(text: str, words: Container[str]) -> str | None:
    """Return the word that a token writes, but for case and a common ending; None where it writes none.

    Args:
        text: What the token writes.
        words: Folded words.
    """
    return next((form for form in _forms(text) if form in words), None)


@functools.lru_cache(maxsize=1 << 19)
def _forms(text: str) -> tuple[str, ...]:
    return without_endings(fold(text).strip(), ENDINGS, _SHORTEST_STEM)


def _is_second(character: str, word: str) -> bool:
    return len(word) == 2 and word[1] == character and has_cjk(character)


class TokenLink(NamedTuple):
    """How a word is linked with a concept (``translation:en``, ``hypernym``, …), and in which languages."""

    relation: str
    languages: tuple[str, ...]


@dataclass(frozen=True)
class TokenLinks:
    """What a token is to a concept, by its text.

    Attributes:
        texts: Of the tokenizer.
        related: Links by folded word.
        pieces: Links of first pieces of related words, by token id.
        target: Folded accepted words of the target language.
        source: Folded accepted words of the source language.
    """

    texts: TokenTexts
    related: dict[str, TokenLink]
    pieces: dict[int, TokenLink]
    target: frozenset[str]
    source: frozenset[str]

    def link(self, token_id: int) -> TokenLink | None:
        """Return how a token is linked with the concept; None where it is not."""
        text = self.texts[token_id]
        base = base_form(text, self.related) if is_word(text) else None
        if base is None:
            return self.pieces.get(token_id)
        found = self.related[base]
        return found if base == fold(text).strip() else TokenLink(f"{found.relation} (form)", found.languages)

    def is_whole_source(self, token_id: int) -> bool:
        """Tell whether a token writes a complete source word, which a target word only begins with or is a form of."""
        folded = fold(self.texts[token_id]).strip()
        if folded not in self.source or folded in self.target:
            return False
        return any(word.startswith(folded) for word in self.target) or self.writes(token_id, self.target)

    def writes(self, token_id: int, side: frozenset[str]) -> bool:
        """Tell whether a token writes a form of one of the words of a side, or a piece of one.

        A piece is three letters or more, or Chinese or Japanese characters, that a word begins with: shorter ones may
        be of anything, and what stands inside a word is seldom told from other words. Of a word of two characters
        the second is one too; by itself it mostly means the same. Two words are forms of one if they are alike but
        for common endings.
        """
        text = self.texts[token_id]
        if not is_word(text):
            return False
        folded = fold(text).strip()
        return any(word.startswith(folded) or _is_second(folded, word) or stems(folded) & stems(word) for word in side)


@dataclass(frozen=True)
class TokenSets:
    """Token sets of an item: the first three are disjoint, in the order of precedence, and the others avoid both sides.

    What both sides could have written is the target's, but for a complete word of the source that only begins a word
    of the target.

    Attributes:
        target: Of the target language's accepted words.
        source: Of the source language's accepted words.
        english: Of the English accepted words, where neither side is English.
        pivots: Mined pivots of the item.
        random: As many tokens of like frequency, for comparison with the pivots.
        links: How any token is linked with the concept, or a form of its words.
        shares_token: Whether source and target begin with the same piece.
        ambiguous: Whether a token of one side's set could be of the other's.
    """

    target: frozenset[int]
    source: frozenset[int]
    english: frozenset[int]
    pivots: frozenset[int]
    random: frozenset[int]
    links: TokenLinks
    shares_token: bool
    ambiguous: bool

    def is_target(self, token_id: int) -> bool:
        """Tell whether a token is of the target's set or writes a form of a target word; no whole source word is."""
        if self.links.is_whole_source(token_id):
            return False
        return token_id in self.target or self.links.writes(token_id, self.links.target)

    def is_source(self, token_id: int) -> bool:
        """Tell whether a token is of the source's set or writes a form of a source word, and is not the target's."""
        if self.links.is_whole_source(token_id):
            return True
        return not self.is_target(token_id) and (
            token_id in self.source or self.links.writes(token_id, self.links.source)
        )

    def link(self, token_id: int) -> TokenLink | None:
        """Return how a token that is neither side's is linked with the concept; None where it is not."""
        if self.is_target(token_id) or self.is_source(token_id):
            return None
        return self.links.link(token_id)


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

    def begins_word(self, token_id: int) -> bool:
        """Tell whether a token can begin a word: all do, but where the tokenizer marks beginnings by a space."""
        return not self._marks_words or begins_word(self.texts[token_id])

    @functools.cached_property
    def _marks_words(self) -> bool:
        texts = (self.texts[token_id] for token_id in range(len(self._tokenizer)))
        return any(text[:1].isspace() and is_word(text) for text in texts)

    def _first_piece(self, text: str) -> int | None:
        if text not in self._first:
            self._first[text] = first_content_piece(self._tokenizer, text, self.texts)
        return self._first[text]


def _words(accepted: tuple[str, ...]) -> tuple[str, ...]:
    """Return the displayed and the other accepted words, without phrases: the first word of one may be of anything."""
    return (accepted[0], *(word for word in accepted[1:] if len(_PARTS.split(word)) == 1))


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
    raw_target = words.of(_words(concept.accepted[direction.target]))
    raw_source = words.of(_words(concept.accepted[direction.source]))
    english = frozenset[int]()
    if ENGLISH not in direction and ENGLISH in concept.accepted:
        english = words.of(_words(concept.accepted[ENGLISH]))
    links = _links(words, concept, direction, raw_target | raw_source)
    target = frozenset(token for token in raw_target if not links.is_whole_source(token))
    source = raw_source - target
    english = english - target - source
    taken = raw_target | raw_source
    return TokenSets(
        target=target,
        source=source,
        english=english,
        pivots=frozenset(pivots) - taken,
        random=frozenset(random) - taken - frozenset(pivots),
        links=links,
        shares_token=bool(raw_target & raw_source),
        ambiguous=bool(raw_target & raw_source)
        or any(links.writes(token, links.source) for token in raw_target)
        or any(links.writes(token, links.target) for token in raw_source),
    )


def _links(words: WordTokens, concept: Concept, direction: Direction, taken: frozenset[int]) -> TokenLinks:
    related = [
        (form, language, f"translation:{language}")
        for language, forms in concept.accepted.items()
        if language not in direction
        for form in _words(forms)
    ]
    related += [(word, language, relation) for language, word, relation in concept.links]
    by_text: dict[str, TokenLink] = {}
    pieces: dict[int, TokenLink] = {}
    for word, language, relation in related:
        folded = fold(word)
        by_text[folded] = _joined(by_text.get(folded), relation, language)
        for token_id in sorted(words.of([word]) - taken):
            # A piece of a word is linked only where it is long enough to be told from other words.
            if is_word(words.texts[token_id]):
                pieces[token_id] = _joined(pieces.get(token_id), f"{relation} (piece)", language)
    return TokenLinks(
        texts=words.texts,
        related=by_text,
        pieces=pieces,
        target=frozenset(fold(word) for word in _words(concept.accepted[direction.target])),
        source=frozenset(fold(word) for word in _words(concept.accepted[direction.source])),
    )


def _joined(known: TokenLink | None, relation: str, language: str) -> TokenLink:
    """Return a link with one more language; the relation that was named first stays."""
    if known is None:
        return TokenLink(relation, (language,))
    alike = known.relation.partition(":")[0] == relation.partition(":")[0]
    return (
        TokenLink(known.relation, (*known.languages, language)) if alike and language not in known.languages else known
    )
