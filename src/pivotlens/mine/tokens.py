"""Which tokens are whole words, which of them are one word, and which are a form of a given word."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from pivotlens.arrays import Integers
from pivotlens.text import begins_unspaced, has_spaces_between_words, is_word
from pivotlens.text.folding import matching_form

_PLURAL_STEM = 4
_PLURAL_ENDING = 2


def is_whole_word(token: str) -> bool:
    """Tell whether a token's text is a word by itself.

    It must be a word by `pivotlens.text.is_word`, and begin with a space or in a script that puts no spaces between
    words: ``water`` without a space may be the end of ``underwater``. Unlike for `pivotlens.text.begins_word` no other
    white space serves: a word after a tab or a line break is another token than the one within a text.
    """
    return is_word(token) and (token.startswith(" ") or begins_unspaced(token))


@dataclass(frozen=True)
class TokenWords:
    """The whole words among the tokens; case and space variants (`` Water``, `` water``) are one word.

    Attributes:
        texts: Each word as it is matched (`matching_form`), sorted.
        of_token: Word of each token id, shape ``(largest id + 1,)``; −1 where the token is no whole word.
        representative: Token id that stands for each word, shape ``(words,)``: its most frequent variant.
        variants: All token ids of each word, upwards.
    """

    texts: tuple[str, ...]
    of_token: Integers
    representative: Integers
    variants: tuple[tuple[int, ...], ...]

    @classmethod
    def build(cls, token_ids: Sequence[int], texts: Sequence[str], frequency: Integers) -> TokenWords:
        """Group tokens into words.

        Args:
            token_ids: Ids.
            texts: What each writes, with its leading space.
            frequency: How often each id occurs, shape ``(at least the largest id + 1,)``.
        """
        variants: dict[str, list[int]] = {}
        for token_id, text in sorted(zip(token_ids, texts, strict=True)):
            if is_whole_word(text) and (form := matching_form(text.strip())):
                variants.setdefault(form, []).append(token_id)
        names = sorted(variants)
        of_token = np.full(len(frequency), -1, dtype=np.int64)
        representative = np.zeros(len(names), dtype=np.int64)
        for word, name in enumerate(names):
            of_token[variants[name]] = word
            # Ids go upwards, and max keeps the first of equals: the smallest id.
            representative[word] = max(variants[name], key=lambda token_id: int(frequency[token_id]))
        return cls(tuple(names), of_token, representative, tuple(tuple(variants[name]) for name in names))

    def merge(self, token_ids: Integers, counts: Integers) -> tuple[Integers, Integers]:
        """Turn counts of tokens into counts of words.

        The count of a word is the largest of its variants' counts: a lower bound of the units that hold any of them,
        in which no unit is counted twice. A sum would count a unit with both `` The`` and `` the`` as two pieces of
        evidence. Joint and background counts go through this one function.

        Args:
            token_ids: Distinct ids, shape ``(n,)``.
            counts: Shape ``(n,)``.

        Returns:
            Words upwards and their counts, each of shape ``(m,)``.
        """
        known = (token_ids >= 0) & (token_ids < self.of_token.size)
        words = np.where(known, self.of_token[np.where(known, token_ids, 0)], -1)
        kept = np.flatnonzero(words >= 0)
        if not kept.size:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        order = kept[np.argsort(words[kept], kind="stable")]
        ordered = words[order]
        starts = np.flatnonzero(np.r_[True, np.diff(ordered) > 0])
        return ordered[starts], np.maximum.reduceat(counts[order], starts)

    def forms(self, accepted: Iterable[str], language: str) -> Integers:
        """Return the words, upwards, that are a form or a piece of one of the accepted words of a language.

        A form is the folded word, or the word and a token that differ by at most two letters at the end after a stem
        of at least four. A piece is what the word's first token may be (`` libert`` of *libertad*): any beginning of
        it, and in a script without spaces anything inside it.
        """
        found: set[int] = set()
        for word in accepted:
            for part in {matching_form(word), *matching_form(word).split()}:
                starts = range(1) if has_spaces_between_words(language) else range(len(part))
                for start in starts:
                    for end in range(start + 1, len(part) + 1):
                        found.update(self._equal(part[start:end]))
                if len(part) >= _PLURAL_STEM:
                    found.update(self._longer(part))
        return np.array(sorted(found), dtype=np.int64)

    def inflections(self, accepted: Iterable[str]) -> Integers:
        """Return the words, upwards, that are one of some words or a form of it, but no piece of it.

        A form differs by at most two letters at the end, the shorter of both being a stem of at least four; a phrase
        has none.
        """
        found: set[int] = set()
        for word in map(matching_form, accepted):
            shortest = max(_PLURAL_STEM, len(word) - _PLURAL_ENDING)
            for end in {len(word), *range(shortest, len(word))}:
                found.update(self._equal(word[:end]))
            if len(word) >= _PLURAL_STEM:
                found.update(self._longer(word))
        return np.array(sorted(found), dtype=np.int64)

    def _equal(self, text: str) -> range:
        place = bisect.bisect_left(self.texts, text)
        return range(place, place + (place < len(self.texts) and self.texts[place] == text))

    def _longer(self, stem: str) -> list[int]:
        place = bisect.bisect_left(self.texts, stem)
        found = []
        while place < len(self.texts) and self.texts[place].startswith(stem):
            if len(self.texts[place]) <= len(stem) + _PLURAL_ENDING:
                found.append(place)
            place += 1
        return found
