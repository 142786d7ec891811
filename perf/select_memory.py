"""Memory of the process that selects, over corpora of one and of eight times the size, and what passes through it.

    python -m perf.select_memory                    # the bundled sample once and eight times: some minutes on two cores
    python -m perf.select_memory --documents 500    # only so many documents of each of its files

The copies differ by a mark in each text, so that none is a duplicate. Selecting runs in a process of its own with two
workers. The last line is one JSON object:

- ``times``: sizes of the corpora, in copies of the sample
- ``units``, ``corpus_mb``: units and uncompressed text of each
- ``chosen``: units that all arms together hold
- ``peak_mb``: most memory of the parent process, its workers not counted
- ``growth``: that of the largest corpus over that of the smallest
- ``documents_read_by_parent``, ``documents_written_by_parent``: bytes of corpus text and of chosen documents that the
  parent process itself read or wrote; both must be 0
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import orjson
import zstandard

from perf.select_inputs import write_mined
from pivotlens.artifacts import Selection
from pivotlens.corpus import Shard, list_corpus, read_documents

_TOKENIZER = "demo:smollm2-135m"
# In the parent alone: every opening of a file of the corpus or of documents is counted, by Python's own audit hook.
_SELECT = """
import json, os, resource, sys
from pathlib import Path

def main():
    corpus, run, tokenizer = sys.argv[1:]
    opened = {"read": 0, "written": 0}

    def hook(event, arguments):
        if event == "open" and isinstance(arguments[0], (str, bytes, os.PathLike)):
            path = os.fsdecode(arguments[0])
            if path.startswith(corpus) and path.endswith(".jsonl.zst"):
                opened["read"] += os.path.getsize(path)
            elif ".jsonl.zst" in path:
                opened["written"] += 1

    sys.addaudithook(hook)
    from pivotlens.select import SelectConfig, select_documents
    select_documents(SelectConfig(corpus=corpus, tokenizer=tokenizer, workers=2, shortage="take_all"), run)
    status = Path("/proc/self/status")
    if status.exists():
        peak = int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps({"peak_mb": peak, **opened}))

if __name__ == "__main__":
    main()
"""


def write_corpus(folder: Path, times: int, documents: int | None) -> float:
    """Write the sample so many times over, each copy marked, and return the megabytes of its text."""
    folder.mkdir()
    written = 0
    for file in list_corpus("demo:tatoeba"):
        rows = [row for row in read_documents(Shard.whole(file)) if hasattr(row, "text")][:documents]
        for copy in range(times):
            lines = [orjson.dumps({"text": f"{row.text} ({copy})", "language": row.language}) for row in rows]
            content = b"\n".join(lines)
            written += len(content)
            (folder / f"{copy}-{file.name}").write_bytes(zstandard.compress(content))
    return written / 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, help="documents of each of the sample's files; all where not given")
    parser.add_argument("--times", type=int, nargs="+", default=[1, 8])
    arguments = parser.parse_args()
    measured = []
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "select_in_a_process.py"
        script.write_text(_SELECT)
        for times in arguments.times:
            corpus, run = Path(folder) / f"corpus-{times}", Path(folder) / f"run-{times}"
            size = write_corpus(corpus, times, arguments.documents)
            write_mined(run, _TOKENIZER, limit_concepts=100)
            done = subprocess.run(
                [sys.executable, script, corpus, run, _TOKENIZER], stdout=subprocess.PIPE, text=True, check=True
            )
            selection = Selection.load(run)
            chosen = sum(row["units"] for row in selection.rows("summary"))
            units = selection.manifest.details["units"]
            one = {"units": units, "chosen": chosen, "corpus_mb": size, **json.loads(done.stdout)}
            measured.append(one)
            print(f"{times}x: {one}", file=sys.stderr)
    peaks = [one["peak_mb"] for one in measured]
    print(
        json.dumps(
            {
                "times": arguments.times,
                "units": [one["units"] for one in measured],
                "chosen": [one["chosen"] for one in measured],
                "corpus_mb": [round(one["corpus_mb"], 1) for one in measured],
                "peak_mb": [round(peak, 1) for peak in peaks],
                "growth": round(peaks[-1] / peaks[0], 3),
                "documents_read_by_parent": sum(one["read"] for one in measured),
                "documents_written_by_parent": sum(one["written"] for one in measured),
            }
        )
    )


if __name__ == "__main__":
    main()
