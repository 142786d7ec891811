"""The tables of `count` as arrays, by language and word."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pivotlens.arrays import Integers
from pivotlens.mine.associations import Background, WordUnits
from pivotlens.mine.copies import Likeness
from pivotlens.mine.tokens import TokenWords

Word = tuple[str, str]
"""Language and displayed word."""
_WORD, _OTHER = ("word_language", "word"), ("other_language", "other")

TokenCounts = tuple[Integers, Integers]
"""Token ids upwards and units with each."""


def _integers(table: pa.Table, name: str) -> Integers:
    return np.asarray(table[name].to_numpy(), dtype=np.int64)


def _codes(column: pa.ChunkedArray) -> tuple[Integers, list[str]]:
    encoded = column.combine_chunks().dictionary_encode()
    return np.asarray(encoded.indices.to_numpy(zero_copy_only=False), dtype=np.int64), encoded.dictionary.to_pylist()


def _by_key(table: pa.Table, keys: tuple[str, ...]) -> dict[tuple[str, ...], TokenCounts]:
    """Split token counts by the columns of text ``keys``, without a Python object a row."""
    if not table.num_rows:
        return {}
    columns = [_codes(table[name]) for name in keys]
    token_ids, counts = _integers(table, "token_id"), _integers(table, "df")
    order = np.lexsort([token_ids, *(codes for codes, _ in reversed(columns))])
    changes = np.zeros(table.num_rows, dtype=bool)
    changes[0] = True
    for codes, _ in columns:
        changes[1:] |= np.diff(codes[order]) != 0
    starts = np.flatnonzero(changes)
    ends = np.r_[starts[1:], table.num_rows]
    return {
        tuple(names[codes[order[start]]] for codes, names in columns): (
            token_ids[order[start:end]],
            counts[order[start:end]],
        )
        for start, end in zip(starts, ends, strict=True)
    }


def _by_stratum(table: pa.Table, keys: tuple[str, ...], strata: int) -> dict[tuple[str, ...], Integers]:
    """Return the sampled units of each key by stratum, shape ``(strata,)``."""
    found: dict[tuple[str, ...], Integers] = {}
    for *key, stratum, units in zip(
        *(table[name].to_pylist() for name in (*keys, "stratum", "n_sampled")), strict=True
    ):
        found.setdefault(tuple(key), np.zeros(strata, dtype=np.int64))[stratum] = units
    return found


def _token_words(tokens: pa.Table, texts: pa.Table) -> TokenWords:
    token_ids, counts = _integers(tokens, "token_id"), _integers(tokens, "df")
    listed = texts["token_id"].to_pylist()
    overall = np.zeros(max([-1, *listed, int(token_ids.max(initial=-1))]) + 1, dtype=np.int64)
    np.add.at(overall, token_ids, counts)
    return TokenWords.build(listed, texts["token"].to_pylist(), overall)


def _background(strata: pa.Table, counts: pa.Table, tokens: TokenWords, language: str) -> Background:
    n_strata = int(pc.max(strata["stratum"]).as_py()) + 1
    units, sampled = np.zeros(n_strata, dtype=np.int64), np.zeros(n_strata, dtype=np.int64)
    here = strata.filter(pc.equal(strata["language"], language))
    units[_integers(here, "stratum")], sampled[_integers(here, "stratum")] = (
        _integers(here, name) for name in ("units", "units_sampled")
    )
    dense = np.zeros((n_strata, len(tokens.texts)), dtype=np.int32)
    of_language = counts.filter(pc.equal(counts["document_language"], language))
    for stratum in _integers(here, "stratum").tolist():
        cells = of_language.filter(pc.equal(of_language["stratum"], stratum))
        words, merged = tokens.merge(_integers(cells, "token_id"), _integers(cells, "df"))
        dense[stratum, words] = merged
    return Background(units, sampled, dense)


def _same_language(table: pa.Table) -> pa.Table:
    words, word_names = _codes(table["word_language"])
    documents, document_names = _codes(table["document_language"])
    place = {name: code for code, name in enumerate(word_names)}
    translated = np.array([place.get(name, -1) for name in document_names], dtype=np.int64)
    return table.filter(pa.array(words == translated[documents]))


@dataclass(frozen=True)
class CorpusCounts:
    """What mining needs of a corpus.

    Attributes:
        tokens: The token words.
        backgrounds: By language.
        frequency: Units with each word in its own language.
        strata: How many of them were sampled in each stratum, shape ``(strata,)``.
        token_counts: Tokens in the sampled units of each word.
        shared: Tokens in the sampled units of ``word`` that also hold ``other``, by ``(word, other)``.
        shared_strata: How many these units are in each stratum, shape ``(strata,)``.
    """

    tokens: TokenWords
    backgrounds: Mapping[str, Background]
    frequency: Mapping[Word, int]
    strata: Mapping[Word, Integers]
    token_counts: Mapping[Word, TokenCounts]
    shared: Mapping[tuple[Word, Word], TokenCounts]
    shared_strata: Mapping[tuple[Word, Word], Integers]
    _complete: dict[Word, WordUnits] = field(default_factory=dict, repr=False)
    _likeness: dict[str, Likeness] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, table: Callable[[str], pa.Table]) -> CorpusCounts:
        """Read the tables of ``count``, one after another: two of them are larger than all the rest."""

        def by_words(name: str, keys: tuple[str, ...]) -> dict[tuple[str, ...], TokenCounts]:
            return _by_key(_same_language(table(name)), keys)

        cells, sampled = table("strata"), table("tokens")
        n_strata = int(pc.max(cells["stratum"]).as_py() or 0) + 1
        strata = _by_stratum(table("word_strata"), _WORD, n_strata)
        shared_strata = _by_stratum(table("pair_strata"), (*_WORD, *_OTHER), n_strata)
        tokens = _token_words(sampled, table("token_texts"))
        pairs = by_words("pair_tokens", (*_WORD, *_OTHER))
        return cls(
            tokens=tokens,
            backgrounds={
                code: _background(cells, sampled, tokens, code) for code in sorted({code for code, _ in strata})
            },
            frequency={
                (row["word_language"], row["word"]): int(row["df"])
                for row in table("words").to_pylist()
                if row["word_language"] == row["document_language"] and row["n_sampled"] > 0
            },
            strata={(key[0], key[1]): units for key, units in strata.items()},
            token_counts={(key[0], key[1]): value for key, value in by_words("word_tokens", _WORD).items()},
            shared={((key[0], key[1]), (key[2], key[3])): value for key, value in pairs.items()},
            shared_strata={((key[0], key[1]), (key[2], key[3])): units for key, units in shared_strata.items()},
        )

    def has(self, word: Word) -> bool:
        """Tell whether the word occurs in units of its language, with tokens and a background to compare with."""
        background = self.backgrounds.get(word[0])
        return (
            word in self.frequency
            and word in self.token_counts
            and background is not None
            and bool(background.sampled.any())
        )

    def word_units(self, word: Word) -> WordUnits:
        """Return the token words in all sampled units of a word."""
        if word not in self._complete:
            words, counts = self.tokens.merge(*self.token_counts[word])
            self._complete[word] = WordUnits(self.frequency[word], self.strata[word], words, counts)
        return self._complete[word]

    def likeness(self, language: str) -> Likeness:
        """Return how alike the units of a language with each token word are."""
        if language not in self._likeness:
            words = (
                self.word_units(word) for word in self.token_counts if word[0] == language and word in self.frequency
            )
            self._likeness[language] = Likeness.of(self.backgrounds[language].frequency(), words)
        return self._likeness[language]

    def units_without(self, word: Word, other: Word) -> WordUnits:
        """Return the token words in the sampled units of ``word`` that do not hold ``other``."""
        if (word, other) not in self.shared_strata:
            return self.word_units(word)
        token_ids, counts = self.token_counts[word]
        left = counts.copy()
        shared_ids, shared_counts = self.shared.get((word, other), (token_ids[:0], counts[:0]))
        left[np.searchsorted(token_ids, shared_ids)] -= shared_counts
        strata = self.strata[word]
        remaining = strata - self.shared_strata[word, other]
        words, merged = self.tokens.merge(token_ids, np.clip(left, 0, int(remaining.sum())))
        occurs = merged > 0
        share = int(remaining.sum()) / max(int(strata.sum()), 1)
        return WordUnits(self.frequency[word] * share, remaining, words[occurs], merged[occurs])
