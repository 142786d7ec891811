"""The scoring pass of `select` beside DSIR's published package, on the same documents, one core, in the same run.

    pip install --no-deps data-selection==1.0.3 && pip install joblib nltk tqdm
    python -m perf.select                                   # the bundled sample: some minutes
    python -m perf.select --corpus DIR --language fr        # your own .jsonl.zst; a fast tokenizer is used if installed

Ours reads .zst and gives every unit its language, composition, type, tokens, pivots, words, bridges, repetition and
digest; DSIR reads plain JSON lines, fits its two bags of hashed n-grams and weighs every document. Both are timed in
seconds of this process's one thread, so that what else runs on the machine counts for neither; compiling and loading is
done before. The last line is one JSON object:

- ``mb_per_s``: uncompressed text that our pass scores in a second
- ``vs_dsir``: that over the same of DSIR
- ``peak_mb``: most memory of this process, of ours alone
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from multiprocessing import get_context
from pathlib import Path

# Before anything starts its threads: what is measured is one core.
os.environ |= {"RAYON_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}

import orjson
import zstandard

from perf.select_inputs import write_mined
from pivotlens.corpus import Columns, Document, Shard, UnitPlan, list_corpus, read_documents
from pivotlens.models.tokenizer import load_tokenizer
from pivotlens.select.config import SelectConfig
from pivotlens.select.mined import mined_sought
from pivotlens.select.passes import ScorePass
from pivotlens.select.pivots import read_sought

_WARM = 200
_DOCUMENT = 2000


def write_texts(spec: str, columns: Columns, folder: Path, most_mb: float) -> tuple[list[Path], float]:
    """Write a corpus anew, as .jsonl.zst of about 8 MB of text each, and return the files and the text in MB.

    Documents that follow one another in a language are joined up to `_DOCUMENT` characters: the bundled sample is of
    sentences, and what is to be measured is text as corpora hold it.
    """
    lines: list[bytes] = []
    files: list[Path] = []
    total = held = 0

    def close() -> None:
        files.append(folder / f"{len(files):03d}.jsonl.zst")
        files[-1].write_bytes(zstandard.compress(b"".join(lines), 10))

    for file in list_corpus(spec):
        for text, language in _joined(read_documents(Shard.whole(file), columns)):
            if total > most_mb * 1e6:
                continue
            size = len(text.encode())
            lines.append(orjson.dumps({"text": text, "language": language}, option=orjson.OPT_APPEND_NEWLINE))
            total, held = total + size, held + size
            if held > 8e6:
                close()
                lines, held = [], 0
    if lines:
        close()
    return files, total / 1e6


def _joined(rows: Iterable[object]) -> Iterator[tuple[str, str]]:
    held: list[str] = []
    characters, language = 0, ""
    for row in (row for row in rows if isinstance(row, Document)):
        if held and (row.language != language or characters + len(row.text) > _DOCUMENT):
            yield "\n".join(held), language
            held, characters = [], 0
        held.append(row.text)
        characters, language = characters + len(row.text), row.language
    if held:
        yield "\n".join(held), language


def time_ours(files: list[Path], folder: Path, tokenizer: str) -> float:
    """Return the seconds that scoring takes."""
    making = get_context("spawn").Process(target=write_mined, args=(folder / "run", tokenizer))
    making.start()  # what it needs is not to be counted
    making.join()
    loaded = load_tokenizer(tokenizer)
    print(f"tokenizer: {loaded.encode_flat.__qualname__.partition('.')[0]}", file=sys.stderr)
    sought = mined_sought(folder / "run", SelectConfig(tokenizer=tokenizer), loaded)
    sought.write(folder / "sought")
    words = sought.words
    task = ScorePass(UnitPlan(), str(loaded.folder), words, folder / "sought")
    small = UnitPlan(limit_documents=_WARM)
    shards = [Shard.whole(file) for path in files for file in list_corpus(str(path))]
    ScorePass(small, task.tokenizer, words, task.sought)(shards[0], folder / "warm.part")
    assert read_sought(task.sought, words, loaded.vocab_size).finders  # of every language, once a process
    begun = time.process_time()
    for number, shard in enumerate(shards):
        task(shard, folder / f"{number}.part")
    return time.process_time() - begun


def time_dsir(files: list[Path], folder: Path, most_mb: float) -> tuple[float, float]:
    """Return the seconds that DSIR takes for the first of the documents, and their text in MB."""
    from data_selection import HashedNgramDSIR  # the reference: not among our dependencies

    raw, target = folder / "raw.jsonl", folder / "target.jsonl"
    taken = 0
    with raw.open("wb") as all_lines, target.open("wb") as some:
        for path in files:
            for number, line in enumerate(zstandard.decompress(path.read_bytes()).splitlines(keepends=True)):
                if taken < most_mb * 1e6:
                    taken += len(orjson.loads(line)["text"].encode())
                    all_lines.write(line)
                    if number % 10 == 0:
                        some.write(line)
    begun = time.process_time()
    dsir = HashedNgramDSIR([str(raw)], [str(target)], str(folder / "cache"), num_proc=1)
    dsir.fit_importance_estimator(num_tokens_to_fit="auto")
    dsir.compute_importance_weights()
    return time.process_time() - begun, taken / 1e6


def peak_mb() -> float | None:
    """Return the most memory of this process so far; None but on Linux."""
    status = Path("/proc/self/status")
    return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024 if status.exists() else None


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", default="demo:tatoeba")
    parser.add_argument("--language", default="", help="of every document, where the corpus has no language column")
    parser.add_argument("--tokenizer", default="demo:smollm2-135m")
    parser.add_argument("--mb", type=float, default=60, help="most text that ours scores")
    parser.add_argument("--dsir-mb", type=float, default=4, help="most text that DSIR weighs")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "corpus").mkdir()
        columns = Columns(default_language=arguments.language)
        files, size = write_texts(arguments.corpus, columns, folder / "corpus", arguments.mb)
        ours = size / time_ours(files, folder, arguments.tokenizer)
        peak = peak_mb()
        seconds, dsir_size = time_dsir(files, folder, arguments.dsir_mb)
        theirs = dsir_size / seconds
    print(f"{size:.1f} MB: ours {ours:.1f} MB/s; {dsir_size:.1f} MB: DSIR {theirs:.2f} MB/s", file=sys.stderr)
    print(json.dumps({"mb_per_s": round(ours, 2), "vs_dsir": round(ours / theirs, 1), "peak_mb": peak and round(peak)}))


if __name__ == "__main__":
    main()
