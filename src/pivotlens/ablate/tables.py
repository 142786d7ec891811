"""Results of the ablation as rows of ``ablate/items``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from pivotlens.ablate.removal import Case, Result
from pivotlens.artifacts import schema_of
from pivotlens.models.encoding import TokenTexts
from pivotlens.text import Direction

Row = dict[str, Any]


def item_rows(base: Row, direction: Direction, cases: Sequence[Case], result: Result, texts: TokenTexts) -> list[Row]:
    """Return a row for each item that the condition applies to.

    Args:
        base: Model and prompt.
        direction: The direction.
        cases: The items.
        result: What became of them under the condition.
        texts: Of the model's tokenizer.
    """
    rows = []
    for place, case in enumerate(cases):
        if not result.valid[place]:
            continue
        token = None if result.tokens is None else result.tokens[place]
        optional = {"cosine": result.cosine, "pivot_prob_clean": result.pivot_clean, "pivot_prob": result.pivot}
        rows.append(
            item_columns(base, direction, case)
            | {
                "condition": result.condition,
                "repeat": result.repeat,
                "dose": result.dose,
                "first_layer": result.layers[0],
                "last_layer": result.layers[-1],
                "token_id": token,
                "token": None if token is None else texts[token],
                "other_concept_id": None if result.others is None else result.others[place],
                "clean_logprob": float(result.clean[place]),
                "logprob": float(result.logprob[place]),
                "change": float(result.logprob[place] - result.clean[place]),
                "kl": float(result.kl[place]),
                "norm": float(result.norm[place]),
                "relative_norm": float(result.relative[place]),
            }
            | {name: None if values is None else float(values[place]) for name, values in optional.items()}
        )
    return rows


def item_columns(base: Row, direction: Direction, case: Case) -> Row:
    """Return the columns that an item has under every condition."""
    item = case.item
    return base | {
        "source_language": direction.source,
        "target_language": direction.target,
        "concept_id": item.concept.concept_id,
        "behaviour": item.behaviour,
        "half": item.half,
        "correct": item.correct,
        "pivot_id": item.pivot,
        "english_pivot": item.english_pivot,
    }


def as_table(rows: Sequence[Row], name: str) -> pa.Table:
    """Return rows as one of the stage's tables, which may be empty."""
    return pa.Table.from_pylist(list(rows), schema=schema_of("ablate", name))
