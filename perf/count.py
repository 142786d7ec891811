"""The counting of a corpus: the exact pass, the token pass, two workers, memory, growth, and a plain loop beside it.

    python -m perf.count                                   # the bundled sample: some minutes
    python -m perf.count --corpus DIR --mb 40 --gemma demo:gemma-3-270m

Each figure is of a process of its own that counts the 2,048 concepts of `word-translation` in a corpus of .jsonl.zst.
Rates are of seconds of processor time, so that what else runs on the machine counts for neither side; what is loaded
and compiled once is measured on a first corpus of few documents and taken off. The last line is one JSON object:

- ``exact_pass_mb_per_s``: MB of text in a second of one core: words, pairs, languages, composition and types
- ``full_mb_per_s``: the same with every unit cut into tokens of a byte-level BPE of 32,000, made from the corpus
- ``full_gemma_mb_per_s``: the same with the tokenizer of ``--gemma``; null where none is given
- ``two_workers``: wall time of one worker over that of two
- ``vs_reference``: documents in a second over those of a plain loop over sets of words and tokens, a document at a time
- ``peak_mb``: most memory of all processes together with ``--memory 2GB``, by copies of the corpus
- ``linearity``: processor time a copy over that of one copy, by copies
- ``core_hours_per_tb``: of the whole work with the default samples, from the largest corpus
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

os.environ |= {"RAYON_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}

import regex
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from perf.select import write_texts
from pivotlens import build_benchmark, count_corpus
from pivotlens.artifacts import Benchmark
from pivotlens.bench.config import BenchConfig
from pivotlens.corpus import Columns, Document, LocalExecutor, Shard, list_corpus, read_documents
from pivotlens.count.config import CountConfig
from pivotlens.models.tokenizer import load_tokenizer

_CONCEPTS = 2048
_BPE = 32_000
_COPIES = (1, 2, 4, 8)
_REFERENCE_DOCUMENTS = 400
_EVERY_UNIT = {"sample": 0, "background": 0}
_WORD = regex.compile(r"\w+")


def _texts(folder: Path) -> list[str]:
    files = list_corpus(str(folder))
    return [row.text for file in files for row in read_documents(Shard.whole(file)) if isinstance(row, Document)]


def make_tokenizer(folder: Path, to: Path) -> None:
    """Make a byte-level BPE of a corpus."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=_BPE, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(_texts(folder), trainer)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer).save_pretrained(to)  # type: ignore[no-untyped-call]


def count_plainly(folder: Path, run: Path, tokenizer: str) -> float:
    """Return documents in a second of a loop over the documents: words and tokens as sets, every concept looked for."""
    loaded, benchmark = load_tokenizer(tokenizer), Benchmark.load(run)
    concepts = [dict(concept.words) for concept in benchmark.test_concepts()]
    found: Counter[Any] = Counter()
    texts = _texts(folder)[:_REFERENCE_DOCUMENTS]
    begun = time.process_time()
    for text in texts:
        words = set(_WORD.findall(text.lower()))
        tokens = set(loaded.tokenizer.encode(text, add_special_tokens=False).ids)
        for number, concept in enumerate(concepts):
            there = [language for language, word in concept.items() if word.lower() in words]
            for language in there:
                found[number, language] += 1
                for token in tokens:
                    found[number, language, token] += 1
                for other in there:
                    found[number, language, other] += language != other
    return len(texts) / (time.process_time() - begun)


def _memory(processes: int) -> int:
    """Return the memory of a process and its children, in bytes; 0 but on Linux."""
    total = 0
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            if processes in (int(path.name), parent):
                total += int((path / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, ValueError, IndexError):
            continue  # it has ended meanwhile
    return total


def count_once(asked: dict[str, Any]) -> dict[str, Any]:
    """Count in this process, and return seconds by pass, and the most memory."""
    seconds: dict[str, float] = {}
    run_all = LocalExecutor.run

    def timed(self: LocalExecutor, *arguments: Any, **named: Any) -> None:
        begun = time.process_time()
        run_all(self, *arguments, **named)
        name = arguments[3] if len(arguments) > 3 else named.get("description", "Reading the corpus")
        seconds[name] = seconds.get(name, 0.0) + time.process_time() - begun

    LocalExecutor.run = timed  # type: ignore[method-assign]
    peak, done = [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.1):
            peak[0] = max(peak[0], _memory(os.getpid()))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    begun, wall = time.process_time(), time.perf_counter()
    count_corpus(CountConfig(**asked["settings"]), asked["run"])
    whole = {"cpu": time.process_time() - begun, "wall": time.perf_counter() - wall}
    done.set()
    watcher.join()
    return {"passes": seconds, "peak_mb": peak[0] / 1e6} | whole


class _Measured:
    """Counts of one corpus, each in a process and a run folder of its own."""

    def __init__(self, folder: Path, benchmark: Path) -> None:
        self._folder, self._benchmark, self._number = folder, benchmark, 0

    def count(self, corpus: Path, tokenizer: str, **settings: Any) -> dict[str, Any]:
        self._number += 1
        run = self._folder / f"run-{self._number}"
        run.mkdir()
        (run / "bench").symlink_to(self._benchmark / "bench")
        asked = {"run": str(run), "settings": {"corpus": str(corpus), "tokenizer": tokenizer, **settings}}
        command = [sys.executable, "-m", "perf.count", "--once", json.dumps(asked)]
        found = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        measured: dict[str, Any] = json.loads(found.stdout.splitlines()[-1])
        print(f"{corpus.name} {settings}: {json.dumps(measured)}", file=sys.stderr)
        return measured


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", default="demo:tatoeba")
    parser.add_argument("--mb", type=float, default=20, help="text of one copy")
    parser.add_argument("--gemma", default="", help="model spec of a tokenizer of a large vocabulary")
    parser.add_argument("--once", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.once:
        print(json.dumps(count_once(json.loads(arguments.once))))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("corpus", "few"):
            (folder / part).mkdir()
        _, size = write_texts(arguments.corpus, Columns(), folder / "corpus", arguments.mb)
        write_texts(arguments.corpus, Columns(), folder / "few", 0.2)
        build_benchmark(BenchConfig(words="word-translation", concepts=_CONCEPTS), folder / "benchmark")
        make_tokenizer(folder / "corpus", folder / "tokenizer")
        print(json.dumps(measure(folder, size, arguments.gemma)))


def measure(folder: Path, size: float, gemma: str) -> dict[str, Any]:
    """Return the figures of the docstring.

    Args:
        folder: With ``corpus``, ``few``, ``benchmark`` and ``tokenizer``.
        size: Text of the corpus in MB.
        gemma: A second tokenizer, or empty.
    """
    bpe = str(folder / "tokenizer")
    measured = _Measured(folder, folder / "benchmark")

    def seconds(tokenizer: str, **settings: Any) -> tuple[float, float]:
        """Return processor time of the exact pass and of all, without what is done once a process."""
        few, many = (measured.count(folder / part, tokenizer, **settings) for part in ("few", "corpus"))
        exact = [sum(of["passes"].values()) - of["passes"].get("Counting tokens", 0.0) for of in (few, many)]
        return exact[1] - exact[0], many["cpu"] - few["cpu"]

    exact, full = seconds(bpe, **_EVERY_UNIT)
    documents = len(_texts(folder / "corpus"))
    figures: dict[str, Any] = {
        "exact_pass_mb_per_s": round(size / exact, 2),
        "full_mb_per_s": round(size / full, 2),
        "full_gemma_mb_per_s": round(size / seconds(gemma, **_EVERY_UNIT)[1], 2) if gemma else None,
        "vs_reference": round(documents / full / count_plainly(folder / "corpus", folder / "benchmark", bpe), 1),
    }
    times, peaks = {}, {}
    for copies in _COPIES:
        many = folder / f"corpus-{copies}"
        many.mkdir()
        for file in sorted((folder / "corpus").iterdir()):
            for copy in range(copies):
                shutil.copyfile(file, many / f"{copy}-{file.name}")
        found = measured.count(many, gemma or bpe, memory="2GB")
        times[copies], peaks[str(copies)] = found["cpu"], round(found["peak_mb"])
    one, two = (measured.count(folder / f"corpus-{_COPIES[-1]}", gemma or bpe, workers=n)["wall"] for n in (1, 2))
    return figures | {
        "two_workers": round(one / two, 2),
        "peak_mb": peaks,
        "linearity": {str(copies): round(times[copies] / copies / times[1], 2) for copies in _COPIES},
        "core_hours_per_tb": round(times[_COPIES[-1]] / (size * _COPIES[-1]) * 1e6 / 3600, 1),
    }


if __name__ == "__main__":
    main()
