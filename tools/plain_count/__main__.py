"""Count a slice of a corpus twice, with `pivotlens count` and plainly, and compare every cell of every table.

    python -m tools.plain_count --corpus DIR DIR --mb 20 --tokenizer demo:gemma-3-270m
    python -m tools.plain_count --corpus DIR --words tools/plain_count/words.tsv --identify label

The slice takes whole documents, evenly from every file. Each table gets a line: rows, cells (rows times columns, of
both sides together) and cells that differ or stand on one side alone. The last line is one JSON object. The exit code
is 1 where anything differs.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import zstandard
from tokenizers import Tokenizer

from pivotlens import build_benchmark, count_corpus
from pivotlens.artifacts.tables.count import TABLES
from pivotlens.bench.config import BenchConfig
from pivotlens.count.config import CountConfig
from pivotlens.models.tokenizer import load_tokenizer
from pivotlens.text.longer_words import BUNDLED
from tools.plain_count.reading import Settings, read_corpus
from tools.plain_count.tables import Rows, Tables, Vocabulary

_KEYS = {
    "languages": 1, "strata": 2, "units": 3, "boilerplate": 3, "boilerplate_sources": 2, "words": 3, "tokens": 3,
    "word_strata": 3, "pair_strata": 5, "pairs": 3, "token_texts": 1, "problems": 2, "coverage": 1, "pair_summary": 2,
}  # fmt: skip
_GROUPED = {"word_tokens": 2, "pair_tokens": 4}
_DATA = Path(__file__).parents[2] / "src/pivotlens/text/data"


class Differences:
    """What was compared of one table, and what differs."""

    def __init__(self, columns: int) -> None:
        self._columns = columns
        self.rows = self.cells = self.differing = 0
        self.first: list[str] = []

    def compare(self, ours: Mapping[Any, Any], plain: Mapping[Any, Any]) -> None:
        """Take in rows of both sides, by key."""
        if ours == plain:
            self.rows += len(ours)
            self.cells += len(ours) * self._columns
            return
        keys = {*ours, *plain}
        self.rows += len(keys)
        self.cells += len(keys) * self._columns
        for key in keys:
            here, there = ours.get(key), plain.get(key)
            if here is None or there is None:
                self.differing += self._columns
            else:
                self.differing += sum(a != b for a, b in zip(here, there, strict=True))
            if here != there and len(self.first) < 5:
                self.first.append(f"{key}: pivotlens {here}, plainly {there}")


def compare(count: Path, plain: Tables) -> dict[str, Differences]:
    """Compare the tables in a folder with those made plainly."""
    found = {}
    for name, rows in plain.small().items():
        table = pq.read_table(count / f"{name}.parquet")
        names = table.column_names[: _KEYS[name] if name == "problems" else None]
        columns = [table[column].to_pylist() for column in names]
        ours = {row[: _KEYS[name]]: row[_KEYS[name] :] for row in zip(*columns, strict=True)}
        found[name] = Differences(len(names))
        found[name].differing += (table.num_rows - len(ours)) * len(names)  # a key that stands twice
        found[name].compare(ours, rows)
    for name, units in (("word_tokens", plain.word_tokens()), ("pair_tokens", plain.pair_tokens())):
        found[name] = Differences(len(pq.read_schema(count / f"{name}.parquet").names))
        left = dict(units)
        for group, ours in _groups(count / f"{name}.parquet", _GROUPED[name]):
            there = left.pop(group, ())
            found[name].compare(ours, plain.rows_of_units(group[0], there, with_sample=name == "word_tokens"))
        for group, there in left.items():
            found[name].compare({}, plain.rows_of_units(group[0], there, with_sample=name == "word_tokens"))
    if missing := TABLES.keys() - found.keys():
        raise SystemExit(f"tables that are not compared: {', '.join(sorted(missing))}")
    return found


def _groups(path: Path, n_keys: int) -> Iterator[tuple[tuple[str, ...], Rows]]:
    """Yield the rows of each word or pair of a large table, which stand together."""
    seen: set[tuple[str, ...]] = set()
    held: Rows = {}
    group: tuple[str, ...] | None = None
    with closing(pq.ParquetFile(path)) as file:
        for batch in file.iter_batches(1 << 16):
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                if row[:n_keys] != group:
                    if group is not None:
                        yield group, held
                    group, held = row[:n_keys], {}
                    if group in seen:
                        raise SystemExit(f"{path.name}: the rows of {group} do not stand together")
                    seen.add(group)
                held[row[n_keys : n_keys + 2]] = row[n_keys + 2 :]
    if group is not None:
        yield group, held


def write_slice(folders: Sequence[Path], to: Path, megabytes: float) -> float:
    """Write whole documents, evenly from every file of some folders; return the megabytes of their text."""
    total = 0
    files = [path for folder in folders for path in sorted(folder.glob("*.jsonl*"))]
    for number, path in enumerate(files):
        with path.open("rb") as raw:
            stream = zstandard.ZstdDecompressor().stream_reader(raw) if path.suffix == ".zst" else raw
            lines = list(io.BufferedReader(stream))
        sizes = [len(orjson.loads(line)["text"].encode()) for line in lines]
        apart = max(round(sum(sizes) * len(files) / (megabytes * 1e6)), 1)
        total += sum(sizes[::apart])
        name = f"{number:03d}-{path.name.removesuffix('.zst')}.zst"
        (to / name).write_bytes(zstandard.compress(b"".join(lines[::apart])))
    return total / 1e6


def count_twice(run: Path, config: CountConfig) -> dict[str, Differences]:
    """Count a corpus with `pivotlens count` and plainly, and compare.

    Args:
        run: Run folder, with a benchmark.
        config: How it is counted; with longer words, and without segmenters.
    """
    begun = time.process_time()
    count_corpus(config, run)
    print(f"pivotlens: {time.process_time() - begun:.0f} s of processor time", file=sys.stderr)
    settings = Settings(
        Path(config.corpus), config.seed, config.sample, config.background, config.unit_characters,
        config.boilerplate_share, config.identify,
    )  # fmt: skip
    tokenizer = Tokenizer.from_file(str(load_tokenizer(config.tokenizer).folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True
    longer = _DATA / "longer_words.tsv" if config.longer_words == BUNDLED else Path(config.longer_words)
    vocabulary = Vocabulary.read(run, longer, _DATA / "whole_words.tsv")
    begun = time.process_time()
    found = compare(run / "count", Tables(settings, read_corpus(settings), vocabulary, tokenizer))
    print(f"plainly: {time.process_time() - begun:.0f} s of processor time", file=sys.stderr)
    return found


def main() -> None:
    """Cut, count twice, compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", nargs="+", type=Path, required=True, help="folders of .jsonl or .jsonl.zst")
    parser.add_argument("--mb", type=float, default=20, help="text of the slice")
    parser.add_argument("--words", default="word-translation", help="as of `pivotlens bench`")
    parser.add_argument("--tokenizer", default="demo:smollm2-135m", help="as of `pivotlens count`")
    parser.add_argument("--identify", default="lines", choices=("lines", "label"))
    parser.add_argument("--sample", type=int, default=100, help="units a word: few, so that most samples are cut")
    parser.add_argument("--background", type=int, default=100, help="units a stratum")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        corpus, run = Path(name) / "corpus", Path(name) / "run"
        corpus.mkdir()
        size = write_slice(asked.corpus, corpus, asked.mb)
        build_benchmark(BenchConfig(words=asked.words), run)
        config = CountConfig(
            corpus=str(corpus), tokenizer=asked.tokenizer, identify=asked.identify, sample=asked.sample,
            background=asked.background,
        )  # fmt: skip
        found = count_twice(run, config)
        languages = pq.read_table(run / "count/languages.parquet").to_pylist()
    print(f"{'table':<20} {'rows':>12} {'cells':>12} {'differences':>12}")
    for table, compared in found.items():
        print(f"{table:<20} {compared.rows:>12,} {compared.cells:>12,} {compared.differing:>12,}")
    for line in chain.from_iterable(compared.first for compared in found.values()):
        print(line, file=sys.stderr)
    differing = sum(compared.differing for compared in found.values())
    print(json.dumps({
        "mb": round(size, 2),
        "languages": sum(row["units"] > 0 for row in languages),
        "units": sum(row["units"] for row in languages),
        "tables": len(found),
        "rows": sum(compared.rows for compared in found.values()),
        "cells": sum(compared.cells for compared in found.values()),
        "differences": differing,
    }))  # fmt: skip
    if differing:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
