"""From judged tokens to labelled items, and how two judges agree."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import orjson
import pyarrow.parquet as pq

from pivotlens.statistics.kappa import cohen_kappa
from pivotlens.text import escape_controls

CODES = "TSEORJ"
PIVOT_CODES = frozenset("EOR")
_LABELS = {"T": "direct", "S": "copy", "E": "semantic_pivot", "O": "semantic_pivot", "R": "semantic_pivot"}

Judgements = dict[tuple[int, str], str]
Key = TypeVar("Key", bound=Hashable)


def read_shown(folder: Path) -> dict[int, list[str]]:
    """Return the tokens of each item, in the order in which judges saw them."""
    lines = (folder / "judged_items.jsonl").read_bytes().splitlines()
    return {row["item"]: row["tokens"] for row in map(orjson.loads, lines)}


def read_pass(path: Path, shown: Mapping[int, Sequence[str]]) -> Judgements:
    """Read a judge's codes: a line an item, its number, a tab, and a letter for each token.

    Raises:
        ValueError: An item is missing or twice, or has other than one known letter a token; names the line.
    """
    found: Judgements = {}
    seen: set[int] = set()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        item_text, _, codes = line.partition("\t")
        item, codes = int(item_text), codes.replace(" ", "")
        if item in seen or item not in shown:
            raise ValueError(f"{path.name}:{number}: item {item} is there twice or unknown")
        if len(codes) != len(shown[item]) or set(codes) - set(CODES):
            raise ValueError(
                f"{path.name}:{number}: item {item} has {len(shown[item])} tokens, the codes are {codes!r}"
            )
        seen.add(item)
        found |= {(item, token): code for token, code in zip(shown[item], codes, strict=True)}
    if missing := sorted(set(shown) - seen):
        raise ValueError(f"{path.name} lacks items {missing[:5]}")
    return found


def agreement(first: Mapping[Key, str], second: Mapping[Key, str], codes: str = CODES) -> tuple[int, float, float]:
    """Return how many tokens both judged, the share judged alike, and Cohen's kappa."""
    table = np.zeros((len(codes), len(codes)))
    for key, code in first.items():
        table[codes.index(code), codes.index(second[key])] += 1
    return int(table.sum()), float(np.trace(table) / table.sum()), float(cohen_kappa(table))


def settled(first: Judgements, second: Judgements, third: Judgements) -> Judgements:
    """Return the judgement of each token: what both judges say, else the third one's."""
    return {key: code if code == second[key] else third[key] for key, code in first.items()}


def third_judge(folder: Path) -> Judgements:
    """Read what the third judge decided: lines of item, token and code."""
    lines = (line.split("\t") for line in (folder / "third.tsv").read_text(encoding="utf-8").splitlines())
    return {(int(item), token): code for item, token, code in lines}


def disagreements(first: Judgements, second: Judgements) -> list[tuple[int, str]]:
    """Return the tokens that were judged differently."""
    return [key for key, code in first.items() if code != second[key]]


def item_labels(folder: Path, judgements: Judgements, shown_probability: float) -> dict[int, str]:
    """Return each item's behaviour: what its most probable token before the last layer is, junk left out.

    The same question as that of the rules, with judged tokens in the place of their tests. What the model answers in
    the end is `direct` unless it is the source word; `none` where all that came to ``shown_probability`` is junk.
    """
    common = {escape_controls(token) for token in orjson.loads((folder / "common_tokens.json").read_bytes())}
    best: dict[int, tuple[float, str, int]] = {}
    labels = dict.fromkeys(pq.read_table(folder / "items.parquet")["item"].to_pylist(), "none")
    rows = pq.read_table(folder / "tokens.parquet").to_pylist()
    answers = {row["item"]: row["token_id"] for row in rows if row["last"] and row["rank"] == 1}
    for row in rows:
        if row["last"] or row["prob"] < shown_probability:
            continue
        token = escape_controls(row["token"])
        code = "J" if token in common else judgements[row["item"], token]
        if code != "J" and row["prob"] > best.get(row["item"], (0.0,))[0]:
            best[row["item"]] = (row["prob"], code, row["token_id"])
    return labels | {
        item: "direct" if token == answers[item] and code != "S" else _LABELS[code]
        for item, (_, code, token) in best.items()
    }
