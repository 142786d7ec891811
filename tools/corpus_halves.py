"""How steady mined pivots are: a corpus in two halves, each mined by itself.

python -m tools.corpus_halves split CORPUS TO      # TO/first and TO/second: translations of a document stay together
python -m tools.corpus_halves compare RUN RUN      # runs in which the two halves were counted and mined
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson

from pivotlens.artifacts import Pivots
from pivotlens.corpus import list_corpus
from pivotlens.corpus.by_group import write_parts

HALVES = ("first", "second")
BEST = 100


def split(corpus: str, to: Path) -> None:
    """Write a corpus as two, by a hash of each document's group, or of its text where it has none."""
    write_parts(list_corpus(corpus), to, HALVES, lambda group: HALVES[hashlib.blake2b(group).digest()[0] & 1])


def compare(first: Path, second: Path) -> dict[str, float]:
    """Return how far two mined runs agree.

    Returns:
        Over the pairs (in no order) with pivots in both: how many they are, of those with pivots in either; the share
        with the same first pivot, and with the first of the one among the ten first of the other; and the share of
        the best hundred pivots of the corpus that are the same.
    """
    runs = [Pivots.load(run) for run in (first, second)]
    ranked = [_ranked(run) for run in runs]
    both = sorted(set(ranked[0]) & set(ranked[1]))
    firsts = [[one[pair][0] for pair in both] for one in ranked]
    among = [token in ranked[1][pair][:10] for token, pair in zip(firsts[0], both, strict=True)]
    among += [token in ranked[0][pair][:10] for token, pair in zip(firsts[1], both, strict=True)]
    best = [set(run.table("pivots")["token_id"].to_pylist()[:BEST]) for run in runs]
    return {
        "pairs": len(both),
        "pairs_of_either": len(set(ranked[0]) | set(ranked[1])),
        "same_first": sum(a == b for a, b in zip(*firsts, strict=True)) / max(len(both), 1),
        "first_among_ten": sum(among) / max(len(among), 1),
        "best_shared": len(best[0] & best[1]) / BEST,
    }


def _ranked(run: Pivots) -> Mapping[tuple[str, ...], list[int]]:
    found: dict[tuple[str, ...], list[int]] = {}
    for row in sorted(run.rows("pair_pivots"), key=lambda row: row["rank"]):
        if row["source_language"] < row["target_language"]:
            pair = (row["concept_id"], row["source_language"], row["target_language"])
            found.setdefault(pair, []).append(min(row["variant_ids"]))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(dest="step", required=True)
    splitting = steps.add_parser("split", help="write the halves")
    splitting.add_argument("corpus")
    splitting.add_argument("to", type=Path)
    comparing = steps.add_parser("compare", help="print how far they agree, as JSON")
    comparing.add_argument("runs", nargs=2, type=Path)
    options = parser.parse_args(arguments)
    if options.step == "split":
        split(options.corpus, options.to)
    else:
        print(orjson.dumps(compare(*options.runs), option=orjson.OPT_INDENT_2).decode())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
