"""From merged counts to the tables of the stage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa

from pivotlens.arrays import Booleans, Integers
from pivotlens.artifacts import schema_of
from pivotlens.corpus.vocabulary import CountedWords
from pivotlens.count.occurrences import Cell, CooccurrenceCounter
from pivotlens.count.runs import Runs
from pivotlens.count.strata import LENGTHS, OTHERS

ENOUGH = 20
"""Units from which a word's figures mean something."""

BLOCK = 1 << 21
"""Rows of the large tables that are written at once, about."""
_SIDES = ("source_language", "target_language")


@dataclass(frozen=True)
class ContextCounts:
    """Merged counts of `ContextCounter`.

    Attributes:
        runs: Units by row and token.
        units: Sampled units of each row of words and pairs by stratum, shape ``(words and pairs, strata)``.
        background_units: Units of the background sample of each language and stratum.
        background_tokens: Tokens of that sample.
        cells: Languages and strata, in the order of the last rows.
    """

    runs: Runs
    units: Integers
    background_units: Integers
    background_tokens: Integers
    cells: tuple[Cell, ...]

    @cached_property
    def met(self) -> Booleans:
        """Which tokens were in any of the rows read so far, shape ``(vocabulary,)``."""
        return np.zeros(self.runs.vocabulary, dtype=bool)

    def rows(self, first: int, end: int) -> Iterator[tuple[Integers, Integers, Integers]]:
        """Yield row (from 0 at ``first``), token and count of the cells of rows ``first..end``, in blocks.

        The blocks follow from the counts alone, however many runs they lie in.
        """
        held: list[tuple[Integers, Integers, Integers]] = []
        n_held = 0
        for rows, tokens, counts in self.runs.rows(first, end):
            self.met[tokens] = True
            held.append((rows - first, tokens, counts))
            n_held += rows.size
            if n_held >= BLOCK:
                yield _joined(held)
                held, n_held = [], 0
        yield _joined(held)


def _joined(held: Sequence[tuple[Integers, Integers, Integers]]) -> tuple[Integers, Integers, Integers]:
    none = np.zeros(0, dtype=np.int64)
    rows, tokens, counts = (np.concatenate([none, *(columns[place] for columns in held)]) for place in range(3))
    return rows, tokens, counts


def languages_table(counter: CooccurrenceCounter, contexts: ContextCounts) -> dict[str, list[object]]:
    """Return the columns of ``languages``."""
    rows = counter.languages
    units, tokens = dict.fromkeys(rows, 0), dict.fromkeys(rows, 0)
    columns = (contexts.cells, contexts.background_units.tolist(), contexts.background_tokens.tolist())
    for (code, _), n_units, n_tokens in zip(*columns, strict=True):
        units[code] += n_units
        tokens[code] += n_tokens
    return {
        "language": list(rows),
        "documents": [row.documents for row in rows.values()],
        "units": [row.units for row in rows.values()],
        "units_sampled": list(units.values()),
        "tokens_sampled": list(tokens.values()),
        "characters": [row.characters for row in rows.values()],
        "bytes": [row.bytes for row in rows.values()],
    }


def strata_table(counter: CooccurrenceCounter, contexts: ContextCounts) -> dict[str, list[object]]:
    """Return the columns of ``strata``."""
    steps = [divmod(stratum, len(OTHERS)) for _, stratum in contexts.cells]
    units = counter.cell_units
    return {
        "language": [code for code, _ in contexts.cells],
        "stratum": [stratum for _, stratum in contexts.cells],
        "least_characters": [LENGTHS[length] for length, _ in steps],
        "least_other_characters": [OTHERS[other] for _, other in steps],
        "units": [units[cell] for cell in contexts.cells],
        "units_sampled": contexts.background_units.tolist(),
        "tokens_sampled": contexts.background_tokens.tolist(),
    }


def word_strata_table(words: CountedWords, contexts: ContextCounts) -> pa.Table:
    """Return the table ``word_strata``."""
    rows, strata = np.nonzero(contexts.units[: len(words.words)])
    languages, names = [language for language, _ in words.words], [word for _, word in words.words]
    columns = [_taken(languages, rows), _taken(names, rows), strata, contexts.units[rows, strata]]
    return pa.table(columns, schema=schema_of("count", "word_strata"))


def pair_strata_table(words: CountedWords, contexts: ContextCounts) -> pa.Table:
    """Return the table ``pair_strata``."""
    units = contexts.units[len(words.words) :]
    rows, strata = np.nonzero(units)
    languages, names = [language for language, _ in words.words], [word for _, word in words.words]
    named = [_taken(listed, words.translations[rows, side]) for side in (0, 1) for listed in (languages, names)]
    return pa.table([*named, strata, units[rows, strata]], schema=schema_of("count", "pair_strata"))


def words_table(counter: CooccurrenceCounter, contexts: ContextCounts) -> dict[str, list[object]]:
    """Return the columns of ``words``: where a word occurs, and its own language even where it does not."""
    words = counter.words.words
    languages, found, counts = counter.word_counts()
    df = {
        (word, language): count
        for language, word, count in zip(languages.tolist(), found.tolist(), counts.tolist(), strict=True)
    }
    cells = sorted({*df, *((number, language) for number, (language, _) in enumerate(words))})
    sampled = contexts.units.sum(axis=1)
    return {
        "word_language": [words[number][0] for number, _ in cells],
        "word": [words[number][1] for number, _ in cells],
        "document_language": [language for _, language in cells],
        "df": [df.get(cell, 0) for cell in cells],
        "n_sampled": [int(sampled[number]) if language == words[number][0] else 0 for number, language in cells],
    }


def pairs_table(counter: CooccurrenceCounter) -> dict[str, list[object]]:
    """Return the columns of ``pairs``: units over all languages of documents, for every direction of a concept."""
    words = counter.words
    _, found, counts = counter.word_counts()
    df = np.zeros(len(words.words), dtype=np.int64)
    np.add.at(df, found, counts)
    index = {language: number for number, language in enumerate(words.languages)}
    joint = {
        (concept, first, second): count
        for concept, first, second, count in zip(*(array.tolist() for array in counter.pair_counts()), strict=True)
    }
    columns: dict[str, list[object]] = {name: [] for name in schema_of("count", "pairs").names}
    for number, (concept_id, members) in enumerate(zip(words.concepts, words.members, strict=True)):
        for source in members:
            for target in members:
                if source == target:
                    continue
                languages = words.words[source][0], words.words[target][0]
                low, high = sorted((index[languages[0]], index[languages[1]]))
                row = (concept_id, *languages, int(df[source]), int(df[target]), joint.get((number, low, high), 0))
                for column, value in zip(columns.values(), row, strict=True):
                    column.append(value)
    return columns


def coverage_rows(pairs: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Return the ``count/coverage`` rows: of each language's concepts, those whose word is met often enough.

    Args:
        pairs: Columns of ``count/pairs``.
    """
    frequency: dict[str, dict[str, int]] = {}
    columns = (pairs[name] for name in ("concept_id", *_SIDES, "df_source", "df_target"))
    for concept, source, target, df_source, df_target in zip(*columns, strict=True):
        frequency.setdefault(source, {})[concept] = df_source
        frequency.setdefault(target, {})[concept] = df_target
    return [
        {
            "language": language,
            "units": ENOUGH,
            "concepts": len(found),
            "enough": sum(count >= ENOUGH for count in found.values()),
        }
        for language, found in frequency.items()
    ]


def pair_summary_rows(pairs: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Return the ``count/pair_summary`` rows: how many units the pairs of each direction share.

    Args:
        pairs: Columns of ``count/pairs``.
    """
    shared: dict[tuple[str, str], list[int]] = {}
    for source, target, both in zip(*(pairs[name] for name in (*_SIDES, "df_both")), strict=True):
        shared.setdefault((source, target), []).append(both)
    return [
        dict(zip(_SIDES, sides, strict=True))
        | {"pairs": len(found), "never": found.count(0), "median": float(median(found)), "most": max(found)}
        for sides, found in shared.items()
    ]


def tokens_blocks(contexts: ContextCounts) -> Iterator[pa.Table]:
    """Yield the table ``tokens`` in blocks: of hundreds of strata with a large vocabulary it is large as well."""
    first, cells = contexts.units.shape[0], contexts.cells
    strata = np.array([stratum for _, stratum in cells], dtype=np.int64)
    codes = [code for code, _ in cells]
    for rows, tokens, counts in contexts.rows(first, first + len(cells)):
        columns = [_taken(codes, rows), strata[rows], tokens, counts, contexts.background_units[rows]]
        yield pa.table(columns, schema=schema_of("count", "tokens"))


def word_tokens_blocks(words: CountedWords, contexts: ContextCounts) -> Iterator[pa.Table]:
    """Yield the table ``word_tokens`` in blocks: it can be larger than everything else together."""
    sampled = contexts.units.sum(axis=1)
    languages, names = [language for language, _ in words.words], [word for _, word in words.words]
    for rows, tokens, counts in contexts.rows(0, len(words.words)):
        language = _taken(languages, rows)
        columns = [language, _taken(names, rows), language, tokens, counts, sampled[rows]]
        yield pa.table(columns, schema=schema_of("count", "word_tokens"))


def pair_tokens_blocks(words: CountedWords, contexts: ContextCounts) -> Iterator[pa.Table]:
    """Yield the table ``pair_tokens`` in blocks."""
    n_words = len(words.words)
    languages, names = [language for language, _ in words.words], [word for _, word in words.words]
    for rows, tokens, counts in contexts.rows(n_words, n_words + len(words.translations)):
        first, second = words.translations[rows].T
        language = _taken(languages, first)
        columns = [language, _taken(names, first), _taken(languages, second), _taken(names, second), language]
        yield pa.table([*columns, tokens, counts], schema=schema_of("count", "pair_tokens"))


def _taken(names: Sequence[str], indices: Integers) -> pa.Array:
    return pa.array(names, pa.string()).take(pa.array(indices))
