"""The tables of `count` as arrays, by language and word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pivotlens.arrays import Integers
from pivotlens.artifacts import Counts
from pivotlens.mine.associations import Background, WordUnits
from pivotlens.mine.copies import Likeness
from pivotlens.mine.tokens import TokenWords

Word = tuple[str, str]
"""Language and displayed word."""
_WORD, _OTHER = ("word_language", "word"), ("other_language", "other")

TokenCounts = tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]
"""Token ids upwards and units with each: of all words together they are most of what is held."""


_NO_TOKENS: TokenCounts = (np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int32))


def _tokens_of(found: TokenCounts) -> tuple[Integers, Integers]:
    token_ids, counts = found
    return token_ids.astype(np.int64), counts.astype(np.int64)


def _integers(table: pa.Table, name: str) -> Integers:
    return np.asarray(table[name].to_numpy(), dtype=np.int64)


def _codes(column: pa.ChunkedArray) -> tuple[Integers, list[str]]:
    encoded = column.combine_chunks().dictionary_encode()
    return np.asarray(encoded.indices.to_numpy(zero_copy_only=False), dtype=np.int64), encoded.dictionary.to_pylist()


def _by_key(blocks: Iterable[pa.Table], keys: tuple[str, ...]) -> dict[tuple[str, ...], TokenCounts]:
    """Split token counts by the columns of text ``keys``, without a Python object a row.

    Args:
        blocks: Of the table; of a key the token ids go upwards from one to the next.
        keys: The columns.
    """
    found: dict[tuple[str, ...], list[TokenCounts]] = {}
    for table in blocks:
        if not table.num_rows:
            continue
        columns = [_codes(table[name]) for name in keys]
        token_ids = _integers(table, "token_id").astype(np.int32)
        counts = _integers(table, "df").astype(np.int32)
        by: list[npt.NDArray[Any]] = [token_ids, *(codes for codes, _ in reversed(columns))]
        order = np.lexsort(by)
        changes = np.zeros(table.num_rows, dtype=bool)
        changes[0] = True
        for codes, _ in columns:
            changes[1:] |= np.diff(codes[order]) != 0
        starts = np.flatnonzero(changes)
        token_ids, counts = token_ids[order], counts[order]
        for start, end in zip(starts.tolist(), [*starts[1:].tolist(), table.num_rows], strict=True):
            key = tuple(names[codes[order[start]]] for codes, names in columns)
            found.setdefault(key, []).append((token_ids[start:end], counts[start:end]))
    return {key: _in_one_piece(pieces) for key, pieces in found.items()}


def _in_one_piece(pieces: Sequence[TokenCounts]) -> TokenCounts:
    token_ids, counts = zip(*pieces, strict=True)
    return np.concatenate(token_ids), np.concatenate(counts)  # a copy, so that no block is held


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
    _likeness: dict[str, Likeness] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, counts: Counts) -> CorpusCounts:
        """Read the tables of ``count``; two of them are larger than all the rest, and are read piece by piece."""

        def by_words(name: str, keys: tuple[str, ...]) -> dict[tuple[str, ...], TokenCounts]:
            return _by_key(map(_same_language, counts.blocks(name)), keys)

        cells, sampled = counts.table("strata"), counts.table("tokens")
        n_strata = int(pc.max(cells["stratum"]).as_py() or 0) + 1
        strata = _by_stratum(counts.table("word_strata"), _WORD, n_strata)
        shared_strata = _by_stratum(counts.table("pair_strata"), (*_WORD, *_OTHER), n_strata)
        tokens = _token_words(sampled, counts.table("token_texts"))
        pairs = by_words("pair_tokens", (*_WORD, *_OTHER))
        return cls(
            tokens=tokens,
            backgrounds={
                code: _background(cells, sampled, tokens, code) for code in sorted({code for code, _ in strata})
            },
            frequency={
                (row["word_language"], row["word"]): int(row["df"])
                for row in counts.rows("words")
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
        words, counts = self.tokens.merge(*_tokens_of(self.token_counts[word]))
        return WordUnits(self.frequency[word], self.strata[word], words, counts)

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
        token_ids, left = _tokens_of(self.token_counts[word])
        shared_ids, shared_counts = self.shared.get((word, other), _NO_TOKENS)
        left[np.searchsorted(token_ids, shared_ids)] -= shared_counts
        strata = self.strata[word]
        remaining = strata - self.shared_strata[word, other]
        words, merged = self.tokens.merge(token_ids, np.clip(left, 0, int(remaining.sum())))
        occurs = merged > 0
        share = int(remaining.sum()) / max(int(strata.sum()), 1)
        return WordUnits(self.frequency[word] * share, remaining, words[occurs], merged[occurs])
