"""What is looked for in text: corpus pivots, mining words, and which pivots are those of which word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from pivotlens.arrays import Booleans, Hashes, Integers, sorted_distinct
from pivotlens.corpus.packing import read_arrays, write_arrays
from pivotlens.corpus.vocabulary import CountedWords, Finder, Named, make_finder

BAND = 20
"""Words of like frequency whose pivots are shuffled among each other."""
_WORD = 64


@dataclass(frozen=True)
class WordPivots:
    """Which pivots are those of which word: of any pair that the word is in.

    Attributes:
        tokens: Every token that is a variant of some pair pivot, upwards.
        pivots: The pivot that each of them is a variant of, shape ``(tokens,)``.
        pairs: Word and pivot of each pair, sorted, shape ``(pairs, 2)``.
        shuffled: The same, the pivots of words of like frequency dealt out anew among them.
    """

    tokens: Integers
    pivots: Integers
    pairs: Integers
    shuffled: Integers

    @classmethod
    def of(cls, words: CountedWords, mined: pa.Table, frequency: Mapping[Named, int], seed: int) -> WordPivots:
        """Take them from the table ``mine/pair_pivots``, without a Python object for each of its many rows.

        Args:
            words: The mining words.
            mined: The table.
            frequency: Units that hold each word in its own language.
            seed: Of the shuffle.
        """
        index = {named: number for number, named in enumerate(words.words)}
        token_ids, first = np.unique(mined["token_id"].to_numpy(), return_index=True)
        numbers = {token: number for number, token in enumerate(token_ids.tolist())}
        variants: dict[int, int] = {}
        for number, of_token in enumerate(mined["variant_ids"].take(pa.array(first)).to_pylist()):
            variants.update(dict.fromkeys(of_token, number))
        pairs: set[tuple[int, int]] = set()
        for side in ("source", "target"):
            distinct = mined.group_by([f"{side}_language", f"{side}_word", "token_id"]).aggregate([])
            for *named, token in zip(*(column.to_pylist() for column in distinct.columns), strict=True):
                word = index.get((named[0], named[1]))
                if word is not None:
                    pairs.add((word, numbers[token]))
        tokens = np.array(sorted(variants), dtype=np.int64)
        found = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)
        partner = shuffled_words(words, sorted_distinct(found[:, 0]), frequency, seed)
        shuffled = np.stack([partner[found[:, 0]], found[:, 1]], axis=1)
        return cls(
            tokens,
            np.array([variants[token] for token in tokens.tolist()], dtype=np.int64),
            found,
            shuffled[np.lexsort(shuffled.T[::-1])],
        )

    def sought(self, words: CountedWords, is_pivot: Booleans) -> Sought:
        """Return what is looked for with them.

        Args:
            words: The mining words.
            is_pivot: For every token whether it is a corpus pivot, shape ``(vocabulary,)``.
        """
        pivot_of_token = np.full(is_pivot.size, -1, dtype=np.int64)
        pivot_of_token[self.tokens] = self.pivots
        return Sought(words, is_pivot, pivot_of_token, self.pairs, self.shuffled)


def shuffled_words(words: CountedWords, with_pivots: Integers, frequency: Mapping[Named, int], seed: int) -> Integers:
    """Return for each word the one that gets its pivots, shape ``(words,)``: of its language and of like frequency.

    Words with pivots are ordered by frequency within their language and change places within bands of `BAND`: none
    keeps its own unless it is alone.

    Args:
        words: All of them.
        with_pivots: Those that have pivots, upwards.
        frequency: Units that hold each word in its own language.
        seed: Of the shuffle.
    """
    partner = np.arange(len(words.words), dtype=np.int64)
    rng = np.random.default_rng(seed)
    for language in range(len(words.languages)):
        of_language = with_pivots[words.language_of_word[with_pivots] == language]
        df = np.array([frequency.get(words.words[word], 0) for word in of_language.tolist()], dtype=np.int64)
        ordered = of_language[np.lexsort((of_language, df))]
        for start in range(0, ordered.size, BAND):
            band = rng.permutation(ordered[start : start + BAND])
            partner[band] = np.roll(band, 1)
    return partner


@dataclass(frozen=True)
class Sought:
    """What a worker looks for in its units.

    Attributes:
        words: The mining words.
        is_pivot: For every token whether it is a corpus pivot, shape ``(vocabulary,)``.
        pivot_of_token: The pair pivot that each token is a variant of, −1 where it is none; shape ``(vocabulary,)``.
        pairs: As `WordPivots.pairs`.
        shuffled: As `WordPivots.shuffled`.
    """

    words: CountedWords
    is_pivot: Booleans
    pivot_of_token: Integers
    pairs: Integers
    shuffled: Integers

    def write(self, path: Path) -> None:
        """Keep all but the words for the workers, as `read_sought` reads it."""
        tokens = np.flatnonzero(self.pivot_of_token >= 0)
        arrays = {"tokens": tokens, "pivots": self.pivot_of_token[tokens], "pairs": self.pairs}
        write_arrays(path, {**arrays, "shuffled": self.shuffled, "corpus_pivots": np.flatnonzero(self.is_pivot)})

    @cached_property
    def finders(self) -> Mapping[str, tuple[Finder, Integers]]:
        """By language, what finds its words, and the numbers of these: one language at a time there is less to find."""
        of_language = {language: self.words.of_language(language) for language in self.words.languages}
        return {language: (make_finder(words), numbers) for language, (words, numbers) in of_language.items()}

    @cached_property
    def width(self) -> int:
        """Bits of a row of `bits`: the pair pivots, filled up to whole numbers of 64 bits."""
        largest = max(int(self.pivot_of_token.max(initial=-1)), int(self.pairs[:, 1].max(initial=-1)))
        return -(-(largest + 1) // _WORD) * _WORD

    @cached_property
    def bits(self) -> tuple[Hashes, Hashes]:
        """The pivots of each word, true and shuffled, a bit each; both shape ``(words, width / 64)``, uint64."""
        return _as_bits(self.pairs, len(self.words.words), self.width), _as_bits(
            self.shuffled, len(self.words.words), self.width
        )


def _as_bits(pairs: Integers, n_words: int, width: int) -> Hashes:
    there = np.zeros((n_words, width), dtype=bool)
    there[pairs[:, 0], pairs[:, 1]] = True
    return packed(there)


def packed(there: Booleans) -> Hashes:
    """Return rows of truth values as rows of bits; the row length is a multiple of 64."""
    return np.packbits(there, axis=1, bitorder="little").view(np.uint64)


@lru_cache(maxsize=1)
def read_sought(path: Path, words: CountedWords, vocabulary: int) -> Sought:
    """Read what `Sought.write` kept; once a process.

    Args:
        path: Of the file.
        words: The mining words.
        vocabulary: One more than the largest token id.
    """
    arrays = {name: values.astype(np.int64) for name, values in read_arrays(path).items()}
    is_pivot = np.zeros(vocabulary, dtype=bool)
    is_pivot[arrays.pop("corpus_pivots")] = True
    return WordPivots(**arrays).sought(words, is_pivot)
