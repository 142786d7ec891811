"""Training packs documents into sequences: how often the words of a concept stand in one, though in no document."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from transformers import PreTrainedTokenizerFast

from examples.known_truth.chain import ARM
from examples.known_truth.words import FIRST, SECOND
from examples.known_truth.world import END, read_words
from pivotlens.train.packed import Order


def meetings(world: Path, run: Path) -> pa.Table:
    """Return how many of the sequences that were read hold a concept's words of B and of C.

    Args:
        world: As `make_world` wrote it.
        run: The run folder of `measure_world`; the corpus was read once.

    Returns:
        ``concept_id``, ``arm``, ``together``: sequences with both words.
    """
    manifest = orjson.loads((run / "train" / "manifest.json").read_bytes())
    arm, length = manifest["details"]["arms"][ARM], manifest["config"]["sequence_length"]
    tokenizer = PreTrainedTokenizerFast.from_pretrained(world / "tokenizer")
    end = tokenizer.convert_tokens_to_ids(END)
    texts = [text for file in sorted((world / "corpus").iterdir()) for text in pq.read_table(file)["text"].to_pylist()]
    cut = tokenizer(texts)["input_ids"]
    # The page's worlds were packed with an unknown token before every document (deviations.md), others are not.
    before, rest = divmod(arm["tokens"] - sum(map(len, cut)) - len(cut), len(cut))
    if rest or before not in (0, 1):
        raise AssertionError(f"{run} packed {arm['tokens']} tokens of {len(cut)} documents, which are not those here")
    unknown = [tokenizer.unk_token_id] * before
    ids = np.concatenate([np.array([*unknown, *of_text, end]) for of_text in cut])
    read = Order(arm["sequences"], arm["used"], manifest["config"]["seeds"][0]).numbers(0, arm["used"])
    sequences = ids[: arm["sequences"] * length].reshape(-1, length)[np.sort(read)]
    words = read_words(world)
    kinds = {row["concept_id"]: row["arm"] for row in pq.read_table(world / "truth.parquet").to_pylist()}
    there = {language: np.zeros((len(kinds), len(sequences)), dtype=bool) for language in (FIRST, SECOND)}
    for language, held in there.items():
        numbers = np.full(len(tokenizer), -1)
        numbers[[tokenizer.convert_tokens_to_ids(f" {words[concept][language]}") for concept in kinds]] = range(
            len(kinds)
        )
        places, columns = np.nonzero(numbers[sequences] >= 0)
        held[numbers[sequences[places, columns]], places] = True
    together = (there[FIRST] & there[SECOND]).sum(axis=1).tolist()
    return pa.table({"concept_id": list(kinds), "arm": list(kinds.values()), "together": together})
