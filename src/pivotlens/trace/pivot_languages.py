"""In which language a pivot is written: English, a third one, the target's own, the source's own."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import regex

from pivotlens.artifacts import Concept
from pivotlens.text import ENGLISH, Direction, fold, has_cjk, is_word
from pivotlens.text.word_lists import LEAST_ZIPF, WordLists, bundled_word_lists
from pivotlens.trace.token_sets import TokenLink

TARGET, SOURCE, THIRD, SEVERAL, NOT_TOLD = "target", "source", "third", "several", "not_told"
# "english" only where neither side is English: there an English word is a side's own.
LANGUAGE_KINDS = ("english", THIRD, TARGET, SOURCE, SEVERAL, NOT_TOLD)
UNLISTED = "und"
"""A language that is none of the listed ones, as its script tells."""

_RATIO = 10
"""A word that is this many times rarer in a language than in another counts as the other's."""
_SHORTEST_BEGINNING = 4
_LISTED_SCRIPTS = regex.compile(r"[\p{Latin}\p{Han}\p{Hiragana}\p{Katakana}]")


@dataclass(frozen=True)
class PivotLanguages:
    """Tells the language of pivots.

    Attributes:
        own: Languages of the benchmark: a word that one of them lists is of none besides.
        words: Their languages by folded word, of the benchmark and its links.
        lists: Common words of languages.
    """

    own: frozenset[str]
    words: Mapping[str, frozenset[str]]
    lists: WordLists

    @classmethod
    def of(cls, concepts: Iterable[Concept]) -> PivotLanguages:
        """Take the words of a benchmark beside the bundled lists."""
        words: dict[str, set[str]] = {}
        own: set[str] = set()
        for concept in concepts:
            own.update(concept.accepted)
            listed = [(code, word) for code, accepted in concept.accepted.items() for word in accepted]
            for code, word in (*listed, *((code, word) for code, word, _ in concept.links)):
                words.setdefault(fold(word), set()).add(code)
        return cls(frozenset(own), {word: frozenset(codes) for word, codes in words.items()}, bundled_word_lists())

    def kind(self, text: str, link: TokenLink | None, direction: Direction) -> str:
        """Return which of `LANGUAGE_KINDS` a token is in an item.

        Args:
            text: What the token writes.
            link: How it is linked with the concept.
            direction: Of the item.
        """
        kinds = {_kind(code, direction) for code in self.told(text, link)}
        return NOT_TOLD if not kinds else kinds.pop() if len(kinds) == 1 else SEVERAL

    def told(self, text: str, link: TokenLink | None) -> frozenset[str]:
        """Return the languages that a token may well be written in; none where nothing tells.

        The first that tells counts: that it is a translation of the concept; that it is a common word in the
        benchmark's languages; that it is linked otherwise; that common words there begin with it; the same in other
        languages; its script. Of several languages those drop out in which it is ten times rarer than in another.
        """
        if not is_word(text):
            return frozenset()
        folded = fold(text).strip().lstrip("▁").strip()
        linked = frozenset(link.languages if link else ())
        relation = link.relation if link else ""
        is_piece, is_form = relation.endswith("(piece)"), relation.endswith("(form)")
        is_translation = relation.startswith("translation:")
        if is_translation and not is_piece and not is_form:
            return linked
        found = self._listed(folded)
        if found and is_translation and is_form:
            return found & linked or found
        return found or (linked if not is_piece else None) or self._begun(folded) or linked or self._elsewhere(folded)

    def _listed(self, folded: str) -> frozenset[str]:
        # A character of a language without spaces is a word and a beginning at once.
        of = self.lists.beginning(folded) if has_cjk(folded) else self.lists.of(folded)
        known = dict.fromkeys(self.words.get(folded, ()), 10**LEAST_ZIPF)
        return _common({code: max(known.get(code, 0.0), of.get(code, 0.0)) for code in self.own})

    def _begun(self, folded: str) -> frozenset[str]:
        found = _common(self._beginning(folded), self.own)
        if found or not has_cjk(folded):
            return found
        return frozenset(code for code in self.own if set(folded) <= self.lists.characters.get(code, frozenset()))

    def _elsewhere(self, folded: str) -> frozenset[str]:
        others = self.lists.languages - self.own
        found = _common(self.lists.of(folded), others) or _common(self._beginning(folded), others)
        return found or frozenset(() if _LISTED_SCRIPTS.search(folded) else (UNLISTED,))

    def _beginning(self, folded: str) -> Mapping[str, float]:
        return self.lists.beginning(folded) if has_cjk(folded) or len(folded) >= _SHORTEST_BEGINNING else {}


def _common(frequency: Mapping[str, float], among: Collection[str] | None = None) -> frozenset[str]:
    chosen = {code: value for code, value in frequency.items() if value and (among is None or code in among)}
    return frozenset(code for code, value in chosen.items() if _RATIO * value >= max(chosen.values()))


def _kind(code: str, direction: Direction) -> str:
    if code in direction:
        return TARGET if code == direction.target else SOURCE
    return "english" if code == ENGLISH else THIRD
