"""How well each rule finds the labelled semantic pivots."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from pivotlens.statistics.proportion import wilson_interval
from pivotlens.text import begins_word
from pivotlens.trace.behaviours import SEMANTIC_PIVOT, Behaviour, ItemView
from pivotlens.trace.items import can_be_word

Key = TypeVar("Key", bound=Hashable)
Rule = Callable[[ItemView], Behaviour]


@dataclass(frozen=True)
class Found:
    """Precision and recall of a rule's semantic pivots, each with its 95 % interval (Wilson).

    Attributes:
        rule: Name.
        labelled: Items that are labelled semantic pivots.
        called: Items that the rule calls so.
        both: Items that are both.
        precision: ``both / called``.
        recall: ``both / labelled``.
    """

    rule: str
    labelled: int
    called: int
    both: int
    precision: tuple[float, float, float]
    recall: tuple[float, float, float]

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.both / max(1, self.labelled + self.called)


def views(folder: Path) -> dict[int, ItemView]:
    """Return what rules read of each item, from what was kept of the trace; absent ranks have probability 0."""
    facts_of = {row["item"]: row for row in pq.read_table(folder / "items.parquet").to_pylist()}
    rows = pq.read_table(folder / "tokens.parquet").to_pylist()
    layers = max(row["layer"] for row in rows) + 1
    width = max(row["rank"] for row in rows)
    cells: dict[int, list[dict[str, object]]] = {}
    for row in rows:
        cells.setdefault(row["item"], []).append(row)
    return {item: _view(cells[item], (layers, width), facts) for item, facts in facts_of.items()}


def _view(rows: Sequence[Mapping[str, object]], shape: tuple[int, int], facts: Mapping[str, object]) -> ItemView:
    at = tuple(np.array([[int(str(row["layer"])), int(str(row["rank"])) - 1] for row in rows]).T)

    def filled(values: Sequence[object], default: object, kind: npt.DTypeLike) -> npt.NDArray[np.generic]:
        array = np.full(shape, default, dtype=kind)
        array[at] = values
        return array

    return ItemView(
        token_ids=filled([row["token_id"] for row in rows], -1, np.int64),  # type: ignore[arg-type]
        probs=filled([row["prob"] for row in rows], 0.0, np.float64),  # type: ignore[arg-type]
        baseline=filled([row["baseline"] for row in rows], 0.0, np.float64),  # type: ignore[arg-type]
        target=filled([row["role"] == "target" for row in rows], False, np.bool_),  # type: ignore[arg-type]
        source=filled([row["role"] == "source" for row in rows], False, np.bool_),  # type: ignore[arg-type]
        linked=filled([bool(row["relation"]) for row in rows], False, np.bool_),  # type: ignore[arg-type]
        word=filled([_word(row) for row in rows], False, np.bool_),  # type: ignore[arg-type]
        shares_token=bool(facts["shares_token"]),
        source_is_english=facts["source_language"] == "en",
    )


def _word(row: Mapping[str, object]) -> bool:
    """Tell whether a kept token can be a word; the tokenizer of the labelled items marks where words begin."""
    token = str(row["token"])
    return can_be_word(token, row["role"] in {"target", "source"} or bool(row["relation"]), begins_word(token))


def found_by(
    name: str, rule: Rule, items: Mapping[Key, ItemView], labels: Mapping[Key, str], chosen: Collection[Key]
) -> Found:
    """Hold a rule against the labels of chosen items."""
    called = {item for item in chosen if rule(items[item]).label == SEMANTIC_PIVOT}
    labelled = {item for item in chosen if labels[item] == SEMANTIC_PIVOT}
    both = len(called & labelled)
    return Found(
        name,
        len(labelled),
        len(called),
        both,
        _with_interval(both, len(called)),
        _with_interval(both, len(labelled)),
    )


def _with_interval(successes: int, trials: int) -> tuple[float, float, float]:
    low, high = wilson_interval(successes, trials)
    return (successes / trials if trials else float("nan"), float(low), float(high))
