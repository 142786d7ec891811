"""What each kept token is to its item, told again where the code that tells it has changed; no model is run."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from transformers import AutoTokenizer

from pivotlens.artifacts import Benchmark
from pivotlens.models.resolve import resolve_model
from pivotlens.text import Direction
from pivotlens.trace.items import role_of
from pivotlens.trace.token_sets import WordTokens, token_sets


def renew_roles(folder: Path, model: str, benchmark: Benchmark) -> None:
    """Write the columns ``role`` and ``relation`` of the kept tokens anew, and which items share a token.

    Args:
        folder: Of the labelled set.
        model: Spec of the model that was traced; only its tokenizer is read.
        benchmark: That the items are of.
    """
    words = WordTokens(AutoTokenizer.from_pretrained(resolve_model(model, tokenizer_only=True).folder), "first")
    items = pq.read_table(folder / "items.parquet").to_pylist()
    sets = {
        row["item"]: token_sets(
            words,
            benchmark.concepts[row["concept_id"]],
            Direction(row["source_language"], row["target_language"]),
            (),
            (),
        )
        for row in items
    }
    table = pq.read_table(folder / "tokens.parquet")
    pairs = zip(table["item"].to_pylist(), table["token_id"].to_pylist(), strict=True)
    roles = [role_of(sets[item], token) for item, token in pairs]
    columns = {name: table[name] for name in table.column_names}
    columns |= {"role": pa.array([role for role, _ in roles]), "relation": pa.array([found for _, found in roles])}
    for row in items:
        row["shares_token"] = sets[row["item"]].shares_token
        row["ambiguous"] = sets[row["item"]].ambiguous
    pq.write_table(pa.Table.from_pylist(items), folder / "items.parquet")
    pq.write_table(pa.table(columns), folder / "tokens.parquet", compression="zstd")
