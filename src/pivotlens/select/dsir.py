"""Importance weights by hashed n-grams, toward units that hold mining words (docs/method.md#arms).

Data selection with importance resampling (Xie et al. 2023, arXiv 2302.03169, package data-selection 1.0.3): a bag of
hashed unigrams and bigrams for the target and for all text, the log ratio of their probabilities in each bucket, and of
a text the sum over its n-grams. Here n-grams are of the tokenizer's tokens, so that text without spaces counts too.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pivotlens.arrays import Floats, Hashes, Integers
from pivotlens.corpus import Executor, PartStore, Shard, UnitPlan, unit_batches
from pivotlens.corpus.packing import read_arrays, write_arrays
from pivotlens.models.tokenizer import load_tokenizer
from pivotlens.select.scored_corpus import ScoredCorpus
from pivotlens.select.scoring import CutUnits

N_BUCKETS = 10_000
"""As the package has by default."""
TARGET_WORDS = 2
"""Mining words of its own language that make a unit one of the target."""
_SMOOTHING = 1e-8


def ngram_buckets(cut: CutUnits) -> tuple[Integers, Integers]:
    """Return the bucket of every unigram and bigram, and the unit it is in; no bigram goes over the end of a unit."""
    ids = cut.ids.astype(np.uint64)
    units = cut.unit_of_token
    inside = units[1:] == units[:-1]
    pairs = _mixed(_mixed(ids[:-1]) + ids[1:] + np.uint64(1))[inside]
    buckets = np.concatenate([_mixed(ids), pairs]) % np.uint64(N_BUCKETS)
    return buckets.astype(np.int64), np.concatenate([units, units[1:][inside]])


def _mixed(values: Hashes) -> Hashes:
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def log_ratios(target: Integers, raw: Integers) -> Floats:
    """Return the log ratio of the probabilities of each bucket, smoothed as in the package, shape ``(buckets,)``."""
    p, q = target / max(int(target.sum()), 1), raw / max(int(raw.sum()), 1)
    return np.asarray(np.log(p + _SMOOTHING) - np.log(q + _SMOOTHING), dtype=np.float64)


@dataclass(frozen=True)
class CountPass:
    """Counts the n-grams of a shard: of all its units, and of those of the target.

    Attributes:
        plan: How the corpus is read.
        tokenizer: Folder of the tokenizer.
        targets: For each shard that has any, which of its units are of the target.
    """

    plan: UnitPlan
    tokenizer: str
    targets: PartStore

    def __call__(self, shard: Shard, part: Path) -> None:
        """Write the part of a shard."""
        tokenizer = load_tokenizer(self.tokenizer)
        is_target = read_arrays(self.targets.path(shard))["target"].astype(bool)
        counts = np.zeros((2, N_BUCKETS), dtype=np.int64)
        first = 0
        for batch in unit_batches(shard, self.plan):
            buckets, units = ngram_buckets(CutUnits(*tokenizer.encode_flat(batch.texts)))
            of_target = is_target[first : first + len(batch.texts)][units]
            counts[0] += np.bincount(buckets[of_target], minlength=N_BUCKETS)
            counts[1] += np.bincount(buckets, minlength=N_BUCKETS)
            first += len(batch.texts)
        write_arrays(part, {"counts": counts})


@dataclass(frozen=True)
class ImportancePass:
    """Weighs the units of a shard.

    Attributes:
        plan: How the corpus is read.
        tokenizer: Folder of the tokenizer.
        ratios: Log ratio of each bucket.
    """

    plan: UnitPlan
    tokenizer: str
    ratios: Floats

    def __call__(self, shard: Shard, part: Path) -> None:
        """Write the part of a shard."""
        tokenizer = load_tokenizer(self.tokenizer)
        weights: list[Floats] = [np.zeros(0)]
        for batch in unit_batches(shard, self.plan):
            buckets, units = ngram_buckets(CutUnits(*tokenizer.encode_flat(batch.texts)))
            weights.append(np.bincount(units, self.ratios[buckets], len(batch.texts)).astype(np.float64))
        write_arrays(part, {"importance": np.concatenate(weights)})


@dataclass(frozen=True)
class Folders:
    """Where the parts are kept: which units are of the target, the counts, the weights."""

    targets: PartStore
    counts: PartStore
    weights: PartStore


def weigh(scored: ScoredCorpus, plan: UnitPlan, tokenizer: str, executor: Executor, folders: Folders) -> None:
    """Weigh all units; the corpus is read twice.

    Args:
        scored: Tells which units are of the target.
        plan: How the corpus is read.
        tokenizer: Folder of the tokenizer.
        executor: Does the work.
        folders: Where it is kept.
    """
    shards = []
    for shard, units in scored:
        write_arrays(folders.targets.path(shard), {"target": ~units.duplicate & (units.n_words >= TARGET_WORDS)})
        shards.append(shard)
    executor.run(shards, CountPass(plan, tokenizer, folders.targets), folders.counts, "Counting n-grams")
    counts = np.zeros((2, N_BUCKETS), dtype=np.int64)
    for shard in shards:
        counts += read_arrays(folders.counts.path(shard))["counts"].astype(np.int64)
    executor.run(shards, ImportancePass(plan, tokenizer, log_ratios(*counts)), folders.weights, "Weighing units")
