"""Draws items from a finished trace and writes what a judge sees of them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pivotlens.artifacts import Benchmark, Trace
from pivotlens.text import ENGLISH, Direction, escape_controls

# What a rule can read of an item at the thresholds that are tried: the best token of each layer, and every likely one.
KEPT_PROBABILITY = 0.05
# A judge sees the tokens that come this high at a layer before the last.
SHOWN_PROBABILITY = 0.1
# What more of all traced items show than this is of no item in particular.
COMMON_SHARE = 0.05

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


def concepts_of(folder: Path) -> frozenset[str]:
    """Return the concepts of a draw."""
    return frozenset(pq.read_table(folder / "items.parquet")["concept_id"].to_pylist())


def draw(
    trace: Trace,
    benchmark: Benchmark,
    a_direction: int,
    with_english: int,
    seed: int,
    without: Collection[str] = (),
) -> Drawn:
    """Draw items spelled differently in both languages.

    Args:
        trace: A finished trace.
        benchmark: Of the same run.
        a_direction: Items of each direction with neither side English.
        with_english: Items of each direction with English on one side.
        seed: Of the draw.
        without: Concepts to leave out.
    """
    by_direction: dict[tuple[str, str], list[Row]] = {}
    for row in trace.first_rows("items"):
        if row["shot_set"] == 0:
            by_direction.setdefault((row["source_language"], row["target_language"]), []).append(row)
    chosen: dict[Key, Row] = {}
    for direction, rows in by_direction.items():
        different = [row for row in rows if not row["same_spelling"] and row["concept_id"] not in without]
        different.sort(key=lambda row: order_of(seed, *direction, row["concept_id"]))
        size = with_english if ENGLISH in direction else a_direction
        chosen |= {(*direction, row["concept_id"]): row for row in different[:size]}
    layers = pq.read_table(trace.folder / "layers.parquet", columns=["layer"])["layer"]
    last = max(layers.unique().to_pylist())
    kept: list[Row] = []
    items_of: dict[str, set[Key]] = {}
    shown: dict[Key, set[str]] = {}
    for row in _tokens(trace):
        key = (row["source_language"], row["target_language"], row["concept_id"])
        if row["layer"] < last and row["prob"] >= SHOWN_PROBABILITY:
            items_of.setdefault(row["token"], set()).add(key)
            shown.setdefault(key, set()).add(row["token"])
        if key in chosen:
            kept.append(row)
    most = COMMON_SHARE * sum(map(len, by_direction.values()))
    common = sorted(token for token, keys in items_of.items() if len(keys) > most)
    order = sorted(chosen, key=lambda key: order_of(seed, "order", *key))
    judged = [
        _judged(benchmark, key, number, shown.get(key, set()) - set(common), seed)
        for number, key in enumerate(order, start=1)
    ]
    numbers = {one.key: one.number for one in judged}
    return Drawn(judged, common, _items_table(chosen, numbers), _tokens_table(kept, numbers, last))


@dataclass(frozen=True)
class Drawn:
    """A draw.

    Attributes:
        judged: What judges see.
        common: Tokens of more than `COMMON_SHARE` of all traced items: of no item in particular, they are not judged.
        items: Rows of ``trace/items``.
        tokens: Rows of ``trace/tokens`` that rules can read.
    """

    judged: list[JudgedItem]
    common: list[str]
    items: pa.Table
    tokens: pa.Table

    def write(self, folder: Path, chunk: int) -> None:
        """Write the draw, and what judges see in chunks."""
        (folder / "chunks").mkdir(parents=True, exist_ok=True)
        (folder / "judged_items.jsonl").write_bytes(b"".join(one.line() for one in self.judged))
        (folder / "common_tokens.json").write_bytes(orjson.dumps(self.common, option=orjson.OPT_INDENT_2) + b"\n")
        pq.write_table(self.items, folder / "items.parquet")
        pq.write_table(self.tokens, folder / "tokens.parquet", compression="zstd")
        for begin in range(0, len(self.judged), chunk):
            path = folder / "chunks" / f"chunk_{begin // chunk + 1:02}.jsonl"
            path.write_bytes(b"".join(one.line() for one in self.judged[begin : begin + chunk]))


def _judged(benchmark: Benchmark, key: Key, number: int, tokens: set[str], seed: int) -> JudgedItem:
    concept, direction = benchmark.concepts[key[2]], Direction(*key[:2])
    return JudgedItem(
        number,
        key,
        concept.accepted[direction.source],
        concept.accepted[direction.target],
        concept.accepted[ENGLISH],
        [escape_controls(token) for token in sorted(tokens, key=lambda token: order_of(seed, *key, token))],
    )


def _tokens(trace: Trace) -> Iterator[Row]:
    """Yield the rows of ``trace/tokens`` that rules can read; the embeddings are no block."""
    first = (trace.manifest.config["model"], trace.manifest.config["prompt"], 0)
    for batch in pq.ParquetFile(trace.folder / "tokens.parquet").iter_batches():
        table = pa.Table.from_batches([batch])
        likely = pc.or_(pc.equal(table["rank"], 1), pc.greater_equal(table["prob"], KEPT_PROBABILITY))
        for row in table.filter(pc.and_(likely, pc.greater(table["layer"], 0))).to_pylist():
            if (row["model"], row["prompt"], row["shot_set"]) == first:
                yield row


def _items_table(chosen: Mapping[Key, Row], numbers: Mapping[Key, int]) -> pa.Table:
    names = ("source_language", "target_language", "concept_id", "source_word", "target_word", "generated", "correct",
             "shares_token", "ambiguous")  # fmt: skip
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
