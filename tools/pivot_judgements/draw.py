"""Draws mined pivots of word pairs, and pivots given to pairs they were not mined for, blind and mixed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from pivotlens.artifacts import Benchmark, Pivots
from pivotlens.text import ENGLISH, escape_controls

RANKS = ((1, 1), (2, 3), (4, 10))
"""First and last rank of each stratum; as many pivots are drawn of each."""
SHUFFLED = "shuffled"
_ACCEPTED = 3

Row = dict[str, Any]


@dataclass(frozen=True)
class Drawn:
    """Where an item comes from; judges do not see it.

    Attributes:
        item: Number of what judges see; pivots that look the same to them share one.
        corpus: Name of the corpus.
        mode: Mode of `pivotlens mine`, or `SHUFFLED`.
        concept_id: Concept of the pair.
        first: Stratum of ranks, by its first rank.
        weight: Pivots of corpus, mode and stratum for one that was drawn.
        pairs: Pairs with a pivot in this corpus and mode.
        pairs_mined: Pairs of which both words occur.
    """

    item: int
    corpus: str
    mode: str
    concept_id: str
    first: int
    weight: float
    pairs: int
    pairs_mined: int


def order_of(seed: int, *parts: object) -> bytes:
    """Return a seeded place in an order that depends on nothing else."""
    return hashlib.sha256("/".join(map(str, (seed, *parts))).encode()).digest()


def stratum_of(rank: int) -> int | None:
    """Return the first rank of the stratum of a rank, or None beyond the last."""
    return next((first for first, last in RANKS if first <= rank <= last), None)


def once_a_pair(rows: Sequence[Row]) -> list[Row]:
    """Return the rows of pairs in one of their two directions, up to the last rank that is drawn from."""
    directions = sorted({(row["source_language"], row["target_language"]) for row in rows})
    kept = {frozenset(direction): direction for direction in reversed(directions)}
    return [
        row | {"first": first}
        for row in rows
        if (row["source_language"], row["target_language"]) in kept.values()
        and (first := stratum_of(row["rank"])) is not None
    ]


def take(rows: Sequence[Row], size: int, seed: int, *name: str) -> list[tuple[Row, float]]:
    """Draw as many rows of each stratum of ranks, ``size`` in all, each with its weight."""
    found = []
    for first, _ in RANKS:
        there = [row for row in rows if row["first"] == first]
        there.sort(key=lambda row: order_of(seed, *name, *_pair(row), row["token"]))
        drawn = there[: size // len(RANKS)]
        found += [(row, len(there) / len(drawn)) for row in drawn]
    return found


def shuffled(rows: Sequence[Row], seed: int) -> list[Row]:
    """Give each pivot to the pair of another concept in the same languages and ranks, by one random cycle."""
    groups: dict[tuple[str, str, int], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["source_language"], row["target_language"], row["first"]), []).append(row)
    found = []
    for group in groups.values():
        group.sort(key=lambda row: order_of(seed, SHUFFLED, *_pair(row), row["token"]))
        for row, other in zip(group, [*group[1:], group[0]], strict=True):
            if row["concept_id"] != other["concept_id"]:
                found.append(row | {"token": other["token"]})
    return found


def draw(runs: Mapping[tuple[str, str], Path], sizes: Mapping[str, int], seed: int) -> tuple[list[Row], list[Drawn]]:
    """Draw from finished runs.

    Args:
        runs: Run folder by corpus and mode.
        sizes: Pivots drawn a corpus, by mode; of `SHUFFLED`, from the pivots of mode ``npmi``.
        seed: Of the draw.

    Returns:
        What judges see, in a random order, and where each comes from.
    """
    chosen: list[tuple[str, str, Row, float]] = []
    summaries: dict[tuple[str, str], Row] = {}
    concepts: dict[str, Any] = {}
    for (corpus, mode), run in sorted(runs.items()):
        concepts |= Benchmark.load(run).concepts
        mined = Pivots.load(run)
        rows = once_a_pair(mined.rows("pair_pivots"))
        (summaries[corpus, mode],) = mined.rows("summary")
        pools = {mode: rows} | ({SHUFFLED: shuffled(rows, seed)} if mode == "npmi" else {})
        for name, pool in pools.items():
            chosen += [(corpus, name, row, weight) for row, weight in take(pool, sizes[name], seed, corpus, name)]
    shown: dict[bytes, Row] = {}
    for _, _, row, _ in chosen:
        one = _shown(row, concepts[row["concept_id"]])
        shown[orjson.dumps(one)] = one
    order = sorted(shown, key=lambda key: order_of(seed, key.hex()))
    number = {key: place for place, key in enumerate(order, start=1)}
    drawn = []
    for corpus, mode, row, weight in chosen:
        summary = summaries[corpus, "npmi" if mode == SHUFFLED else mode]
        item = number[orjson.dumps(_shown(row, concepts[row["concept_id"]]))]
        drawn.append(Drawn(item, corpus, mode, row["concept_id"], row["first"], round(weight, 6), summary["pairs"],
                           summary["pairs_mined"]))  # fmt: skip
    return [{"item": number[key]} | shown[key] for key in order], sorted(drawn, key=lambda one: (one.item, one.mode))


def write(folder: Path, shown: Sequence[Row], drawn: Sequence[Drawn]) -> None:
    """Write ``shown.jsonl`` for judges, and ``drawn.jsonl`` that they do not see."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in (("shown", shown), ("drawn", [asdict(one) for one in drawn])):
        (folder / f"{name}.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))


def _pair(row: Row) -> tuple[str, str, str]:
    return row["concept_id"], row["source_language"], row["target_language"]


def _shown(row: Row, concept: Any) -> Row:
    return {
        row["source_language"]: list(concept.accepted[row["source_language"]][:_ACCEPTED]),
        row["target_language"]: list(concept.accepted[row["target_language"]][:_ACCEPTED]),
        "english": list(concept.accepted[ENGLISH][:_ACCEPTED]),
        "token": escape_controls(row["token"].strip()),
    }
