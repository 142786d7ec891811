"""Draws items from a finished trace and writes what a judge sees of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from pivotlens.artifacts import Benchmark, Trace
from pivotlens.text import Direction, escape_controls

# What a rule can read of an item at the thresholds that are tried: the best token of each layer, and every likely one.
KEPT_PROBABILITY = 0.05
# A judge sees the tokens that come this high at a layer before the last.
SHOWN_PROBABILITY = 0.1

Row = dict[str, Any]
Key = tuple[str, str, str]


@dataclass(frozen=True)
class JudgedItem:
    """What a judge sees.

    Attributes:
        number: Of the item, from 1.
        key: Source language, target language, concept.
        source: Accepted source words, the displayed one first.
        target: Accepted target words, the displayed one first.
        english: English words of the concept.
        tokens: Token texts, in an order that tells nothing.
    """

    number: int
    key: Key
    source: Sequence[str]
    target: Sequence[str]
    english: Sequence[str]
    tokens: Sequence[str]

    def line(self) -> bytes:
        """Return the item as a line of JSON."""
        shown = {
            "item": self.number,
            "source_language": self.key[0],
            "target_language": self.key[1],
            "source": list(self.source),
            "target": list(self.target),
            "english": list(self.english),
            "tokens": list(self.tokens),
        }
        return orjson.dumps(shown) + b"\n"


def order_of(seed: int, *parts: object) -> bytes:
    """Return a seeded place in an order that depends on nothing else."""
    return hashlib.sha256("/".join(map(str, (seed, *parts))).encode()).digest()


def draw(
    trace: Trace, benchmark: Benchmark, a_direction: int, seed: int
) -> tuple[list[JudgedItem], pa.Table, pa.Table]:
    """Draw items spelled differently in both languages, as many of each direction.

    Args:
        trace: A finished trace.
        benchmark: Of the same run.
        a_direction: Items of each direction.
        seed: Of the draw.

    Returns:
        What judges see, the items' rows of ``trace/items``, and their rows of ``trace/tokens`` that rules can read.
    """
    items = [row for row in trace.first_rows("items") if row["shot_set"] == 0 and not row["same_spelling"]]
    by_direction: dict[tuple[str, str], list[Row]] = {}
    for row in items:
        by_direction.setdefault((row["source_language"], row["target_language"]), []).append(row)
    chosen: dict[Key, Row] = {}
    for direction, rows in by_direction.items():
        rows.sort(key=lambda row: order_of(seed, *direction, row["concept_id"]))
        chosen |= {(*direction, row["concept_id"]): row for row in rows[:a_direction]}
    last = max(
        int(layer)
        for layer in pq.read_table(trace.folder / "layers.parquet", columns=["layer"])["layer"].unique().to_pylist()
    )
    kept: list[Row] = []
    for row in _tokens(trace, chosen):
        if row["layer"] and (row["rank"] == 1 or row["prob"] >= KEPT_PROBABILITY):
            kept.append(row)
    shown = _shown(kept, last)
    order = sorted(chosen, key=lambda key: order_of(seed, "order", *key))
    judged = []
    for number, key in enumerate(order, start=1):
        concept, direction = benchmark.concepts[key[2]], Direction(*key[:2])
        tokens = sorted(shown.get(key, ()), key=lambda token: order_of(seed, *key, token))
        judged.append(
            JudgedItem(
                number,
                key,
                concept.accepted[direction.source],
                concept.accepted[direction.target],
                concept.accepted["en"],
                [escape_controls(token) for token in tokens],
            )
        )
    numbers = {one.key: one.number for one in judged}
    return judged, _items_table(chosen, numbers), _tokens_table(kept, numbers, last)


def _tokens(trace: Trace, chosen: Mapping[Key, Row]) -> Iterable[Row]:
    for batch in pq.ParquetFile(trace.folder / "tokens.parquet").iter_batches():
        for row in batch.to_pylist():
            key = (row["source_language"], row["target_language"], row["concept_id"])
            if key in chosen and row["shot_set"] == 0:
                yield row


def _shown(kept: Sequence[Row], last: int) -> dict[Key, set[str]]:
    shown: dict[Key, set[str]] = {}
    for row in kept:
        if row["layer"] < last and row["prob"] >= SHOWN_PROBABILITY:
            shown.setdefault((row["source_language"], row["target_language"], row["concept_id"]), set()).add(
                row["token"]
            )
    return shown


def _items_table(chosen: Mapping[Key, Row], numbers: Mapping[Key, int]) -> pa.Table:
    names = ("source_language", "target_language", "concept_id", "source_word", "target_word", "generated", "correct",
             "ambiguous")  # fmt: skip
    rows = [{"item": numbers[key], **{name: row[name] for name in names}} for key, row in chosen.items()]
    return pa.Table.from_pylist(sorted(rows, key=lambda row: row["item"]))


def _tokens_table(kept: Sequence[Row], numbers: Mapping[Key, int], last: int) -> pa.Table:
    names = ("layer", "rank", "token_id", "token", "prob", "baseline", "role", "relation")
    rows = [
        {"item": numbers[row["source_language"], row["target_language"], row["concept_id"]],
         **{name: row[name] for name in names}, "last": row["layer"] == last}
        for row in kept
    ]  # fmt: skip
    return pa.Table.from_pylist(sorted(rows, key=lambda row: (row["item"], row["layer"], row["rank"])))


def write(folder: Path, judged: Sequence[JudgedItem], items: pa.Table, tokens: pa.Table, chunk: int) -> None:
    """Write what judges see, in chunks, and what rules read."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "judged_items.jsonl").write_bytes(b"".join(one.line() for one in judged))
    pq.write_table(items, folder / "items.parquet")
    pq.write_table(tokens, folder / "tokens.parquet", compression="zstd")
    for number in range(0, len(judged), chunk):
        name = f"chunk_{number // chunk + 1:02}.jsonl"
        (folder / "chunks").mkdir(exist_ok=True)
        (folder / "chunks" / name).write_bytes(b"".join(one.line() for one in judged[number : number + chunk]))
