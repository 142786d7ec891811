"""What each kept token is to its item, told again where the code that tells it has changed; no model is run."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from transformers import AutoTokenizer

from pivotlens.artifacts import Benchmark, Trace
from pivotlens.models.resolve import resolve_model
from pivotlens.text import Direction
from pivotlens.trace.items import role_of, with_target
from pivotlens.trace.token_sets import WordTokens, token_sets


def renew_roles(folder: Path, trace: Trace, benchmark: Benchmark) -> None:
    """Write the columns ``role`` and ``relation`` of the kept tokens anew.

    Args:
        folder: Of the labelled set.
        trace: It was drawn from; names the tokenizer.
        benchmark: Of the same run.
    """
    tokenizer = AutoTokenizer.from_pretrained(resolve_model(trace.manifest.config["model"], tokenizer_only=True).folder)
    words = WordTokens(tokenizer, trace.manifest.config["token_sets"])
    first = {
        (row["source_language"], row["target_language"], row["concept_id"]): row["target_token_id"]
        for row in trace.first_rows("items")
        if row["shot_set"] == 0
    }
    sets = {}
    for row in pq.read_table(folder / "items.parquet").to_pylist():
        key = (row["source_language"], row["target_language"], row["concept_id"])
        found = token_sets(words, benchmark.concepts[key[2]], Direction(*key[:2]), (), ())
        sets[row["item"]] = with_target(found, first[key])
    table = pq.read_table(folder / "tokens.parquet")
    pairs = zip(table["item"].to_pylist(), table["token_id"].to_pylist(), strict=True)
    roles = [role_of(sets[item], token) for item, token in pairs]
    columns = {name: table[name] for name in table.column_names}
    columns |= {"role": pa.array([role for role, _ in roles]), "relation": pa.array([found for _, found in roles])}
    pq.write_table(pa.table(columns), folder / "tokens.parquet", compression="zstd")
