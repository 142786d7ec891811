"""The tables of `count` as arrays, by language and word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from pivotlens.arrays import Integers
from pivotlens.mine.associations import Background, WordUnits
from pivotlens.mine.tokens import TokenWords

Word = tuple[str, str]
"""Language and displayed word."""
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


def _largest_by(table: pa.Table, key: str, value: str) -> dict[str, int]:
    codes, names = _codes(table[key])
    largest = np.zeros(len(names), dtype=np.int64)
    np.maximum.at(largest, codes, _integers(table, value))
    return dict(zip(names, largest.tolist(), strict=True))


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
        frequency: Units with each word in its own language, and how many of them were sampled.
        token_counts: Tokens in the sampled units of each word.
        shared: Tokens in the sampled units of ``word`` that also hold ``other``, by ``(word, other)``.
    """

    tokens: TokenWords
    backgrounds: Mapping[str, Background]
    frequency: Mapping[Word, tuple[int, int]]
    token_counts: Mapping[Word, TokenCounts]
    shared: Mapping[tuple[Word, Word], TokenCounts]
    _complete: dict[Word, WordUnits] = field(default_factory=dict, repr=False)

    @classmethod
    def from_tables(cls, tables: Mapping[str, pa.Table]) -> CorpusCounts:
        """Read the tables ``languages``, ``words``, ``tokens``, ``word_tokens``, ``pair_tokens``, ``token_texts``."""
        units = {row["language"]: int(row["units"]) for row in tables["languages"].to_pylist()}
        by_language = _by_key(tables["tokens"], ("document_language",))
        sampled = _largest_by(tables["tokens"], "document_language", "n_sampled")
        ids, texts = tables["token_texts"]["token_id"].to_pylist(), tables["token_texts"]["token"].to_pylist()
        largest = max([-1, *ids, *(int(token_ids[-1]) for token_ids, _ in by_language.values())])
        overall = np.zeros(largest + 1, dtype=np.int64)
        for token_ids, counts in by_language.values():
            overall[token_ids] += counts
        tokens = TokenWords.build(ids, texts, overall)
        backgrounds = {}
        for language, n in units.items():
            dense = np.zeros(len(tokens.texts), dtype=np.int64)
            empty = np.zeros(0, dtype=np.int64)
            words, counts = tokens.merge(*by_language.get((language,), (empty, empty)))
            dense[words] = counts
            backgrounds[language] = Background(n, sampled.get(language, 0), dense)
        shared = _by_key(_same_language(tables["pair_tokens"]), ("word_language", "word", "other_language", "other"))
        return cls(
            tokens=tokens,
            backgrounds=backgrounds,
            frequency={
                (row["word_language"], row["word"]): (int(row["df"]), int(row["n_sampled"]))
                for row in tables["words"].to_pylist()
                if row["word_language"] == row["document_language"] and row["n_sampled"] > 0
            },
            token_counts={
                (key[0], key[1]): value
                for key, value in _by_key(_same_language(tables["word_tokens"]), ("word_language", "word")).items()
            },
            shared={((key[0], key[1]), (key[2], key[3])): value for key, value in shared.items()},
        )

    def has(self, word: Word) -> bool:
        """Tell whether the word occurs in units of its language, with tokens and a background to compare with."""
        background = self.backgrounds.get(word[0])
        return (
            word in self.frequency and word in self.token_counts and background is not None and background.sampled > 0
        )

    def word_units(self, word: Word) -> WordUnits:
        """Return the token words in all sampled units of a word."""
        if word not in self._complete:
            units, sampled = self.frequency[word]
            self._complete[word] = WordUnits(units, sampled, *self.tokens.merge(*self.token_counts[word]))
        return self._complete[word]

    def units_without(self, word: Word, other: Word) -> WordUnits:
        """Return the token words in the sampled units of ``word`` that do not hold ``other``.

        How many units hold both is taken to be the count of the token found in most of them: every such unit
        holds some frequent token, and where it does not, the number left is too large and the association too weak.
        """
        shared = self.shared.get((word, other))
        if shared is None:
            return self.word_units(word)
        token_ids, counts = self.token_counts[word]
        left = counts.copy()
        places = np.searchsorted(token_ids, shared[0])
        known = places < token_ids.size
        known[known] = token_ids[places[known]] == shared[0][known]
        left[places[known]] -= shared[1][known]
        units, sampled = self.frequency[word]
        remaining = max(sampled - int(shared[1].max()), 0)
        words, merged = self.tokens.merge(token_ids, np.clip(left, 0, remaining))
        occurs = merged > 0
        return WordUnits(units * remaining / sampled, remaining, words[occurs], merged[occurs])
