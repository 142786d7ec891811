"""Counts are sums, samples are smallest hashes: how the corpus is cut up must not matter."""

from __future__ import annotations

import random
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from corpus_fixture import SHOTS, WORDS, random_text

from pivotlens.arrays import ragged
from pivotlens.artifacts import Concept
from pivotlens.corpus.vocabulary import CountedWords
from pivotlens.count.contexts import ContextCounter, Cutting
from pivotlens.count.occurrences import CooccurrenceCounter
from pivotlens.count.pieces import TokenEdges
from pivotlens.count.runs import Runs, RunWriter
from pivotlens.count.sampling import BottomK
from pivotlens.count.sparse import SparseCounts, count_keys, joint_counts
from pivotlens.count.strata import LENGTHS, N_STRATA, OTHERS, strata


def _concepts(words: dict) -> list[Concept]:
    return [
        Concept(key, "test", False, "noun", {code: forms[0] for code, forms in by.items()}, by, (), ())
        for key, by in words.items()
    ]


COUNTED = CountedWords.of(_concepts(WORDS), _concepts(SHOTS))


Unit = tuple[str, str, int, int]


def _units(seed: int, n: int) -> list[Unit]:
    rng = random.Random(seed)
    return [
        (
            random_text(rng, rng.randint(0, 12)),
            rng.choice(["en", "fr", "zh", "de"]),
            rng.getrandbits(64),
            rng.choice([0, 3, 7]),
        )
        for _ in range(n)
    ]


def _add(counter: CooccurrenceCounter | ContextCounter, units: list[Unit]) -> None:
    texts, languages, hashes, strata = zip(*units, strict=True)
    counter.add(texts, languages, np.array(hashes, dtype=np.uint64), np.array(strata, dtype=np.int64))


def _counter(units: list[Unit], sample: int = 4, background: int = 6) -> CooccurrenceCounter:
    counter = CooccurrenceCounter(COUNTED, sample, background)
    for low in range(0, len(units), 7):
        counter.documents.update(unit[1] for unit in units[low : low + 7])
        _add(counter, units[low : low + 7])
    return counter


def _comparable(counter: CooccurrenceCounter) -> dict:
    languages, words, counts = counter.word_counts()
    return {
        "languages": counter.languages,
        "words": sorted(zip(languages.tolist(), words.tolist(), counts.tolist(), strict=True)),
        "pairs": [column.tolist() for column in counter.pair_counts()],
        "samples": [column.tolist() for column in counter.samples()],
        "backgrounds": {cell: (a.tolist(), int(b)) for cell, (a, b) in counter.backgrounds().items()},
        "cells": counter.cell_units,
    }


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 99), st.lists(st.integers(0, 40), max_size=4), st.integers(0, 5), st.data())
def test_merging_is_associative_and_commutative(seed: int, cuts: list[int], sample: int, data: st.DataObject) -> None:
    units = _units(seed, 40)
    edges = sorted({0, 40, *cuts})
    shards = [units[low:high] for low, high in pairwise(edges)]
    whole = _counter(units, sample)
    merged = CooccurrenceCounter(COUNTED, sample, 6)
    shuffled = data.draw(st.permutations(shards))
    split = data.draw(st.integers(0, len(shuffled)))
    for group in (shuffled[:split], shuffled[split:]):
        partial = CooccurrenceCounter(COUNTED, sample, 6)
        for shard in group:
            partial.merge_arrays(_counter(shard, sample).to_arrays())
        merged.merge_arrays(partial.to_arrays())
    assert _comparable(merged) == _comparable(whole)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 99), st.integers(1, 39))
def test_contexts_add_up(seed: int, cut: int) -> None:
    units = _units(seed, 40)
    counter = _counter(units)
    _, _, thresholds = counter.samples()
    backgrounds = {cell: threshold for cell, (_, threshold) in counter.backgrounds().items()}

    def contexts(part: list[Unit]) -> tuple[ContextCounter, SparseCounts]:
        counts = SparseCounts()
        counted = ContextCounter(COUNTED, thresholds, backgrounds, Cutting.by(Characters()), counts)
        for low in range(0, len(part), 5):
            _add(counted, part[low : low + 5])
        counted.flush()
        return counted, counts

    (whole, of_whole), *parts = contexts(units), contexts(units[:cut]), contexts(units[cut:])
    summed = SparseCounts()
    for _, of_part in reversed(parts):
        summed.add(*of_part.total())
    assert [column.tolist() for column in summed.total()] == [column.tolist() for column in of_whole.total()]
    first, second = (part for part, _ in parts)
    assert (first.units + second.units == whole.units).all()
    assert (first.background_tokens + second.background_tokens == whole.background_tokens).all()
    assert (first.background_units + second.background_units == whole.background_units).all()


class Characters:
    """Every character is a token."""

    vocab_size = 0x3000

    def encode_batch(self, texts: list[str]) -> list[np.ndarray]:
        return [np.array([ord(character) % 0x3000 for character in text], dtype=np.int64) for text in texts]

    def text(self, token_id: int) -> str:
        return chr(token_id)


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from([" wat", "er", " a", ".", "水", "é"]), max_size=6), max_size=4))
def test_a_token_is_cut_off_where_a_letter_follows_a_letter(units: list[list[str]]) -> None:
    texts = sorted({token for unit in units for token in unit})
    edges = TokenEdges(texts.__getitem__, len(texts))
    flat = np.array([texts.index(token) for unit in units for token in unit], dtype=np.int64)
    numbers = np.repeat(np.arange(len(units)), [len(unit) for unit in units])
    expected = [
        place + 1 < len(unit) and token[-1] in "traé" and unit[place + 1][0] in "eé"
        for unit in units
        for place, token in enumerate(unit)
    ]
    assert edges.are_cut_off(flat, numbers).tolist() == expected


@given(st.lists(st.tuples(st.integers(0, 40_000), st.integers(0, 10_000)), max_size=20))
def test_strata_equal_a_loop(units: list[tuple[int, int]]) -> None:
    def step(value: int, edges: tuple[int, ...]) -> int:
        return max(place for place, least in enumerate(edges) if value >= least)

    lengths, others = np.array(units, dtype=np.int64).reshape(-1, 2).T
    expected = [step(a, LENGTHS) * len(OTHERS) + step(b, OTHERS) for a, b in units]
    assert strata(lengths, others.astype(np.float64)).tolist() == expected
    assert all(0 <= stratum < N_STRATA for stratum in expected)


@pytest.mark.parametrize("apart", [1, 100])
@settings(deadline=None)
@given(
    items=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2**64 - 1)), unique=True),
    k=st.integers(1, 4),
    data=st.data(),
)
def test_bottom_k_keeps_the_smallest(items: list[tuple[int, int]], k: int, data: st.DataObject, apart: int) -> None:
    kept = BottomK(4 * apart, k)
    for key, value in data.draw(st.permutations(items)):
        kept.add(np.array([key * apart]), np.array([value], dtype=np.uint64))
        if data.draw(st.booleans()):
            kept.result()
    keys, hashes = kept.result()
    expected = [(key, value) for key in range(4) for value in sorted(v for other, v in items if other == key)[:k]]
    assert list(zip((keys // apart).tolist(), hashes.tolist(), strict=True)) == expected
    for key, value in items:
        assert (value <= int(kept.thresholds[key * apart])) == ((key, value) in expected)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(st.tuples(st.integers(0, 199), st.integers(0, 6))), max_size=6), st.integers(0, 30))
def test_runs_on_the_disk_are_read_as_one(shards: list[list[tuple[int, int]]], most_cells: int) -> None:
    """Two hundred rows of seven tokens, whatever lies in how many runs."""
    with TemporaryDirectory() as folder:
        parts = []
        for number, cells in enumerate(shards):
            part = Path(folder) / f"{number}.part"
            runs = RunWriter(part, 200, 7, most_cells)
            for at in range(0, len(cells), 3):
                runs.add(*count_keys(np.array([row * 7 + token for row, token in cells[at : at + 3]], dtype=np.int64)))
            parts.append((part, runs.finish()))
        read = Runs(parts, 7)
        expected = Counter(cell for cells in shards for cell in cells)
        for first, end in ((0, 200), (5, 70), (64, 128), (130, 130)):
            found = [
                (row, token, count)
                for block in read.rows(first, end)
                for row, token, count in zip(*(column.tolist() for column in block), strict=True)
            ]
            assert found == [(*cell, count) for cell, count in sorted(expected.items()) if first <= cell[0] < end]


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 20))))
def test_sparse_counts_equal_a_counter(batches: list[list[int]]) -> None:
    counts = SparseCounts()
    for batch in batches:
        counts.add(*count_keys(np.array(batch, dtype=np.int64)))
    expected = Counter(value for batch in batches for value in batch)
    keys, values = counts.total()
    assert list(zip(keys.tolist(), values.tolist(), strict=True)) == sorted(expected.items())


@settings(deadline=None)
@given(st.lists(st.tuples(st.sets(st.integers(0, 6)), st.sets(st.integers(0, 30))), max_size=12))
def test_joint_counts_equal_a_counter(units: list[tuple[set[int], set[int]]]) -> None:
    offsets, tokens = ragged([sorted(held) for _, held in units])
    pairs = [(row, unit) for unit, (rows, _) in enumerate(units) for row in rows]
    rows, numbers = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    expected = Counter((row, token) for rows_of, held in units for row in rows_of for token in held)
    keys, counts = joint_counts(rows, numbers, offsets, tokens, 31)
    found = [(*divmod(key, 31), count) for key, count in zip(keys.tolist(), counts.tolist(), strict=True)]
    assert found == [(*cell, count) for cell, count in sorted(expected.items())]
