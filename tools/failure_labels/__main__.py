"""Print how far the rule of wrong answers agrees with the labels: `python -m tools.failure_labels`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import orjson

from pivotlens.arrays import Floats
from pivotlens.bench import BenchConfig, build_benchmark
from pivotlens.statistics.kappa import cohen_kappa
from pivotlens.text import Direction
from pivotlens.translation.failures import FAILURES, FailureKinds

LABELLED = Path(__file__).parent / "labelled.jsonl"
SAMPLES = ("random", "by_kind", "held_out")


def read_labelled() -> list[dict[str, str]]:
    """Return the labelled answers."""
    return [orjson.loads(line) for line in LABELLED.read_bytes().splitlines()]


def confusion(rows: Sequence[dict[str, str]], kinds: FailureKinds) -> Floats:
    """Return how often the labels (rows) and the rule (columns) say each of `FAILURES`, shape ``(kinds, kinds)``."""
    found = np.zeros((len(FAILURES), len(FAILURES)))
    for row in rows:
        direction = Direction(row["source_language"], row["target_language"])
        told = kinds.kind(row["generated"], kinds.concepts[row["concept_id"]], direction)
        found[FAILURES.index(row["label"]), FAILURES.index(told)] += 1
    return found


def bundled_kinds() -> FailureKinds:
    """Return the rule over the bundled benchmark."""
    with TemporaryDirectory(prefix="pivotlens-") as folder:
        return FailureKinds.of(build_benchmark(BenchConfig(), Path(folder) / "run").concepts.values())


def main() -> None:
    """Print the agreement of each sample, and recall and precision of each kind over all of them."""
    kinds, rows = bundled_kinds(), read_labelled()
    print("| sample | answers | agreement | kappa |\n|---|---:|---:|---:|")
    every = np.zeros((len(FAILURES), len(FAILURES)))
    for sample in SAMPLES:
        found = confusion([row for row in rows if row["sample"] == sample], kinds)
        every += found
        print(f"| `{sample}` | {found.sum():.0f} | {np.trace(found) / found.sum():.2f} | {cohen_kappa(found):.2f} |")
    print("\n| kind | labelled | told | both |\n|---|---:|---:|---:|")
    for place, kind in enumerate(FAILURES):
        print(f"| `{kind}` | {every[place].sum():.0f} | {every[:, place].sum():.0f} | {every[place, place]:.0f} |")


if __name__ == "__main__":
    main()
