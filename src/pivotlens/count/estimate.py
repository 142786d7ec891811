"""What counting a corpus will take: all passes over a few samples of it, in a folder that is removed again."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from pivotlens.arrays import Hashes
from pivotlens.artifacts import Benchmark, Plan
from pivotlens.corpus import (
    Columns,
    Listing,
    PartStore,
    Shard,
    UnitPlan,
    list_corpus,
    read_documents,
    unit_plan,
)
from pivotlens.corpus.boilerplate import LinePass, find_boilerplate
from pivotlens.corpus.estimate import Estimate, Extent, Sample, draw_samples, scaled
from pivotlens.corpus.packing import read_arrays
from pivotlens.corpus.vocabulary import CountedWords
from pivotlens.count.config import BYTES_OF_CELL, WITHOUT_COUNTS, CountConfig
from pivotlens.count.occurrences import CooccurrenceCounter
from pivotlens.count.passes import ContextPass, OccurrencePass
from pivotlens.count.sampling import EVERYTHING
from pivotlens.count.tables import BLOCK
from pivotlens.models.tokenizer import load_tokenizer
from pivotlens.text.longer_words import read_longer_words
from pivotlens.text.segmenters import segmented_languages

_WARM, _HOUR = 32, 3600
_BYTES_OF_ROW = 150
"""Of a row of the large tables while a block of them is written."""


def estimate(plan: Plan[CountConfig]) -> Estimate | None:
    """Return what a planned count will take (docs/method.md#before-a-count).

    None where a stage is still to make the corpus or the tokenizer.

    Args:
        plan: The plan.

    Raises:
        DataError: The corpus is damaged, or holds no documents where it was looked at.
        ModelError: The tokenizer cannot be read.
    """
    if any(source.provisional for source in plan.sources.values()):
        return None
    listing, config = plan.source("corpus", Listing), plan.config
    reading = unit_plan(config)
    samples = draw_samples(listing.files, reading.columns)
    extent = Extent.of(listing.files, samples, config.limit_documents)
    text = extent.stored * float(np.mean([sample.text_per_byte for sample in samples]))
    with TemporaryDirectory() as name:
        folder = Path(name)
        for number, sample in enumerate(samples):
            sample.write(folder / f"{number:03d}.jsonl")
        plain = replace(reading, columns=Columns(), limit_documents=None)
        # Labels are checked by one more reading, where a model tells them.
        n_passes = 2 + bool(config.boilerplate_share) + bool(reading.columns.language_model)
        measured = _Measuring(plan, plain, folder).measure(text / sum(sample.text for sample in samples))
    return _told(config, extent, text, samples, measured, n_passes)


@dataclass(frozen=True)
class _Measured:
    """Seconds of processor time of each sample by pass, without reading it; and what is beside.

    Attributes:
        seconds: By name of the pass.
        setup: Seconds before the first unit.
        cells: Counts by row and token that all samples make.
        memory: Of this process, in bytes.
    """

    seconds: dict[str, list[float]]
    setup: float
    cells: int
    memory: int


class _Measuring:
    """Passes over samples, one shard each."""

    def __init__(self, plan: Plan[CountConfig], reading: UnitPlan, folder: Path) -> None:
        self._config, self._reading, self._folder = plan.config, reading, folder
        self._shards = [Shard.whole(file) for file in list_corpus(str(folder))]
        benchmark = Benchmark.load(plan.run)
        self._words = CountedWords.of(
            benchmark.test_concepts(),
            benchmark.concepts.values(),
            read_longer_words(plan.config.longer_words).words,
            segmented_languages(plan.config.segmenters),
        )
        self._tokenizer = str(load_tokenizer(plan.config.tokenizer, plan.near).folder)

    def measure(self, scale: float) -> _Measured:
        """Measure every pass.

        Args:
            scale: How much larger than all samples the corpus is.
        """
        warm, begun = replace(self._reading, limit_documents=_WARM, boilerplate_share=0.0), time.process_time()
        found = self._store("warm")
        first = self._shards[0]
        OccurrencePass(self._words, warm, *self._sizes, self._config.seed)(first, found.path(first))
        self._token_pass(warm, found, 1.0, self._shards[:1])(first, self._store("warm tokens").path(first))
        setup = time.process_time() - begun
        reading, seconds = self._reading, {"reading": self._timed(_read)}
        if self._config.boilerplate_share:
            lines = self._store("lines")
            seconds["boilerplate"] = self._timed(LinePass(reading.columns, None), lines)
            boilerplate = find_boilerplate(self._shards, lines, self._config.boilerplate_share)
            reading = replace(reading, boilerplate=boilerplate)
        found, tokens = self._store("occurrences"), self._store("tokens")
        words = OccurrencePass(self._words, reading, *self._sizes, self._config.seed)
        seconds["exact pass"] = self._timed(words, found)
        cut = self._token_pass(reading, found, scale, self._shards)
        seconds["token pass"] = self._timed(cut, tokens)
        without = seconds.pop("reading")
        net = {
            name: [max(whole - less, 0.0) for whole, less in zip(of_pass, without, strict=True)]
            for name, of_pass in seconds.items()
        }
        cells = sum(
            int(read_arrays(tokens.path(shard), ("offsets",))["offsets"][:, -1].sum()) for shard in self._shards
        )
        return _Measured(net, setup, cells, _resident())

    @property
    def _sizes(self) -> tuple[int, int]:
        return self._config.sample, self._config.background

    def _store(self, name: str) -> PartStore:
        (self._folder / name).mkdir()
        return PartStore(self._folder / name)

    def _timed(self, work: Callable[[Shard, Path], None], store: PartStore | None = None) -> list[float]:
        seconds = []
        for shard in self._shards:
            begun = time.process_time()
            work(shard, Path() if store is None else store.path(shard))
            seconds.append(time.process_time() - begun)
        return seconds

    def _token_pass(self, reading: UnitPlan, found: PartStore, scale: float, shards: list[Shard]) -> ContextPass:
        """Return the pass that cuts as small a share of the units as it will of the whole corpus."""
        counter = CooccurrenceCounter(self._words, *self._sizes)
        for shard in shards:
            counter.merge_arrays(read_arrays(found.path(shard)))
        languages, words, counts = counter.word_counts()
        own = np.array([self._words.words[word][0] for word in words.tolist()], dtype=np.str_) == languages
        thresholds: Hashes = np.full(len(self._words.words), EVERYTHING, dtype=np.uint64)
        for word, count in zip(words[own].tolist(), counts[own].tolist(), strict=True):
            thresholds[word] = _threshold(self._config.sample, count * scale)
        cells = {cell: _threshold(self._config.background, n * scale) for cell, n in counter.cell_units.items()}
        return ContextPass(self._words, reading, self._config.sample, self._config.seed, found, thresholds, cells,
                           self._tokenizer, self._config.cells_held)  # fmt: skip


def _read(shard: Shard, _: Path) -> None:
    for _document in read_documents(shard, Columns()):
        pass


def _threshold(most: int, units: float) -> np.uint64:
    """Return about the largest hash of a sample of so many of some units: hashes are even."""
    return EVERYTHING if most == 0 or units <= most else np.uint64(int(most / units * float(EVERYTHING)))


def _resident() -> int:
    status = Path("/proc/self/status")
    if not status.exists() or sys.platform != "linux":
        return WITHOUT_COUNTS
    return int(status.read_text().partition("VmHWM:")[2].split()[0]) * 1024


def _told(
    config: CountConfig, extent: Extent, text: float, samples: list[Sample], measured: _Measured, n_passes: int
) -> Estimate:
    per_byte = []
    for place, sample in enumerate(samples):
        of_text = sum(seconds[place] for seconds in measured.seconds.values()) / sample.text
        per_byte.append(n_passes * sample.seconds_per_byte + of_text * sample.text_per_byte)
    setup = measured.setup * config.processes
    core, low, high = ((seconds + setup) / _HOUR for seconds in scaled(per_byte, extent.stored))
    sampled = sum(sample.text for sample in samples)
    read = float(np.mean([sample.seconds_per_byte / sample.text_per_byte for sample in samples]))
    rates = {"reading": 1 / read / 1e6} | {
        name: sampled / max(sum(seconds), 1e-9) / 1e6 for name, seconds in measured.seconds.items()
    }
    cells = measured.cells / sampled * text
    each = measured.memory + min(cells / max(extent.shards, 1), config.cells_held) * BYTES_OF_CELL
    writing = min(cells, BLOCK) * _BYTES_OF_ROW
    return Estimate(
        files=extent.files,
        shards=extent.shards,
        stored_bytes=extent.stored,
        text_bytes=round(text),
        sampled_text_bytes=sampled,
        mb_per_s={name: round(rate, 2) for name, rate in rates.items()},
        setup_seconds=round(measured.setup, 2),
        core_hours=core,
        core_hours_low=low,
        core_hours_high=high,
        core_hours_per_tb=(core - setup / _HOUR) / max(text, 1) * 1e12,
        memory_bytes=round(min(each * config.processes + writing, config.memory_bytes)),
        memory_limit=config.memory_bytes,
        processes=config.processes,
    )
