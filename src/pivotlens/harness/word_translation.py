"""What the task files name: the loader of the documents and the measures of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pivotlens.errors import ModelError
from pivotlens.harness.config import read_options
from pivotlens.harness.documents import make_documents, open_benchmark
from pivotlens.harness.tokens import tokenizer_of
from pivotlens.progress import announce
from pivotlens.translation.measures import measure_items

SPLIT = "test"


def load(direction: str, **metadata: Any) -> dict[str, Any]:
    """Make the data set of a direction; the harness calls this as `custom_dataset`.

    Args:
        direction: Such as ``en-fr``.
        **metadata: What the harness hands every task: the model's arguments and the metadata given on its command
            line, with the options under ``pivotlens``.

    Returns:
        The documents as a `datasets.Dataset`, by split.

    Raises:
        PivotLensError: As `read_options`, `tokenizer_of`, `open_benchmark` and `make_documents`.
    """
    from datasets import Dataset

    options = read_options(metadata)
    tokenizer = tokenizer_of(metadata)
    benchmark = open_benchmark(options.benchmark)
    (wanted,) = benchmark.directions((direction,), "the task")
    documents, left_out = make_documents(benchmark, wanted, options, tokenizer)
    if left_out:
        announce(
            f"{wanted}: {len(left_out)} of {len(left_out) + len(documents)} concepts are left out, as the harness "
            f"would read their prompts otherwise than pivotlens does: {', '.join(left_out)}"
        )
    return {SPLIT: Dataset.from_list(documents)}


def measure(document: Mapping[str, Any], results: Sequence[tuple[float, bool]]) -> dict[str, float]:
    """Compute the measures of a document; the harness calls this as `process_results`.

    Args:
        document: Made by `load`.
        results: For each of its contexts the summed log-probability of the answer in nats, and whether it is the
            greedy one.

    Returns:
        Means over the shot sets, as in the table ``score/concepts``; ``score_different_spelling`` only where the
        words are not written alike, so that its mean is over such concepts.

    Raises:
        ModelError: The model gives NaN.
    """
    sums = np.array([value for value, _ in results], dtype=np.float64)
    if np.isnan(sums).any():
        raise ModelError(
            f"the model gives NaN for concept {document['concept_id']!r} ({document['direction']})",
            "Try --model_args …,dtype=float32; if it stays, the weights are damaged.",
        )
    tokens = np.array(document["tokens"], dtype=np.float64)
    choices = len(document["choices"])
    measured = measure_items(*(values.reshape(-1, choices).T[None] for values in (sums, tokens)))
    means = {
        "score": float(measured.score.mean()),
        "probability_share": float(measured.probability_share.mean()),
        "margin": float(measured.margin.mean()),
        "accuracy_10way": float(measured.accuracy.mean()),
    }
    return means if document["same_spelling"] else means | {"score_different_spelling": means["score"]}
