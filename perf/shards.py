"""What a shard costs beside the text in it: counting documents that have a file each, beside the same in one file.

    python -m perf.shards                      # 10,000 files of one document each
    python -m perf.shards --shards 1000

Seconds are those of the processes, all together, so that what else runs on the machine does not count; what is waited
for the disk stands apart. Everything that a stage does for a shard is in it: listing, all passes, fsync, merging. The
last line is one JSON object:

- ``ms_per_shard``: of `count` in files of one document, above that in one file, for each file
- ``ms_per_shard_waited``: the same in seconds of the clock
- ``executor_ms_per_shard``, ``executor_ms_per_shard_two_workers``: of a pass that writes an empty part
- ``peak_mb``, ``peak_mb_quarter``: most memory of `count`, of all files and of a quarter of them
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

# Before anything starts its threads: what is measured is one core.
os.environ |= {"RAYON_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}

import orjson
from tokenizers import Tokenizer, models, pre_tokenizers

from pivotlens.artifacts import write_bytes
from pivotlens.bench.config import BenchConfig
from pivotlens.bench.stage import build_benchmark
from pivotlens.corpus import Columns, Document, LocalExecutor, PartStore, Shard, list_corpus, read_documents
from pivotlens.count.config import CountConfig
from pivotlens.count.stage import count_corpus

_CONCEPTS = 50


class Empty:
    """A task that does nothing but leave its part."""

    def __call__(self, shard: Shard, part: Path) -> None:
        write_bytes(part, b"")


def write_inputs(folder: Path, shards: int) -> None:
    """Write documents of the bundled sample, in a file each and all in one, a benchmark and a tokenizer."""
    documents = (row for file in list_corpus("demo:tatoeba") for row in read_documents(Shard.whole(file), Columns()))
    texts = [row for row in islice(documents, shards) if isinstance(row, Document)]
    lines = [orjson.dumps({"text": row.text, "language": row.language}) + b"\n" for row in texts]
    for name in ("many", "quarter", "one"):
        (folder / name).mkdir()
    for number in range(shards):
        (folder / f"many/{number:06}.jsonl").write_bytes(lines[number % len(lines)])
        if number % 4 == 0:
            (folder / f"quarter/{number:06}.jsonl").write_bytes(lines[number % len(lines)])
    (folder / "one/all.jsonl").write_bytes(b"".join(lines[number % len(lines)] for number in range(shards)))
    words = sorted({word for row in texts for word in row.text.split()})
    known = {word: number for number, word in enumerate(["[UNK]", *words])}
    tokenizer = Tokenizer(models.WordLevel(known, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    (folder / "tokenizer").mkdir()
    tokenizer.save(str(folder / "tokenizer/tokenizer.json"))
    build_benchmark(BenchConfig(words="everyday-nouns", limit_concepts=_CONCEPTS), folder / "bench")


def count(folder: Path, name: str) -> None:
    """Count one of the corpora, in a run folder of its own."""
    run = folder / f"run-{name}"
    run.mkdir()
    (run / "bench").symlink_to(folder / "bench/bench")
    count_corpus(CountConfig(corpus=str(folder / name), tokenizer=str(folder / "tokenizer")), run)


def empty_pass(folder: Path, workers: int) -> None:
    """Do nothing for every file."""
    parts = folder / f"parts-{workers}"
    parts.mkdir()
    shards = [Shard.whole(file) for file in list_corpus(str(folder / "many"))]
    LocalExecutor(workers).run(shards, Empty(), PartStore(parts))


def _report(told: Connection, work: Callable[..., None], *arguments: object) -> None:
    begun = time.monotonic()
    work(*arguments)
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    told.send((sum(one.ru_utime + one.ru_stime for one in used), time.monotonic() - begun, used[0].ru_maxrss / 1024))


def measured(work: Callable[..., None], *arguments: object) -> tuple[float, float, float]:
    """Do some work in a process of its own; return its seconds, those of the clock, and its most memory in MB."""
    context = get_context("spawn")
    hears, tells = context.Pipe(duplex=False)
    process = context.Process(target=_report, args=(tells, work, *arguments))
    process.start()
    found: tuple[float, float, float] = hears.recv()
    process.join()
    print(f"{work.__name__} {arguments[1:]}: {found[0]:.1f} s, {found[1]:.1f} s of the clock, {found[2]:.0f} MB",
          file=sys.stderr)  # fmt: skip
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shards", type=int, default=10_000)
    shards = parser.parse_args().shards
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_inputs(folder, shards)
        one, quarter, many = (measured(count, folder, name) for name in ("one", "quarter", "many"))
        alone, together = (measured(empty_pass, folder, workers) for workers in (1, 2))
    print(json.dumps({
        "shards": shards,
        "ms_per_shard": round(1000 * (many[0] - one[0]) / shards, 2),
        "ms_per_shard_waited": round(1000 * (many[1] - one[1]) / shards, 2),
        "executor_ms_per_shard": round(1000 * alone[0] / shards, 2),
        "executor_ms_per_shard_two_workers": round(1000 * together[0] / shards, 2),
        "peak_mb": round(many[2]),
        "peak_mb_quarter": round(quarter[2]),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
