"""Reads token files with OLMo-core's and Megatron-Core's own readers, which live apart (`make readers`); prints JSON.

Started by `tests/unit/test_token_files.py`: the argument is a JSON list of cases.
"""

from __future__ import annotations

import json
import sys

import numpy as np
from megatron.core.datasets.gpt_dataset import GPTDataset, GPTDatasetConfig
from megatron.core.datasets.indexed_dataset import IndexedDataset
from megatron.core.datasets.utils import Split
from olmo_core.config import Config
from olmo_core.data.utils import iter_document_indices


def olmo_core(config: dict, work: str) -> dict:
    dataset = Config.from_dict(config)
    dataset.work_dir = work
    built = dataset.build()
    built.prepare()
    end, dtype = dataset.tokenizer.eos_token_id, dataset.get_dtype()
    return {
        "sequences": [built[place]["input_ids"].tolist() for place in range(len(built))],
        "by_end": [list(iter_document_indices(path, eos_token_id=end, dtype=dtype)) for path in built.paths],
        "by_bounds": [list(iter_document_indices(path)) for path in built.paths],
    }


class Marks:
    """All that Megatron-Core asks of a tokenizer where tokens are there already."""

    def __init__(self, vocabulary: int, end: int) -> None:
        self.vocab_size, self.eod, self.pad, self.unique_identifiers = vocabulary, end, end, {"class": "Marks"}


def samples(file: IndexedDataset, prefix: str, case: dict) -> int:
    config = GPTDatasetConfig(
        random_seed=1,
        sequence_length=case["olmo_core"]["sequence_length"],
        blend=([prefix], None),
        split="1,0,0",
        tokenizer=Marks(case["olmo_core"]["tokenizer"]["vocab_size"], case["olmo_core"]["tokenizer"]["eos_token_id"]),
        reset_position_ids=False,
        reset_attention_mask=False,
        eod_mask_loss=False,
        path_to_cache=case["work"],
    )
    return len(GPTDataset(file, prefix, np.arange(len(file), dtype=np.int32), None, Split.train, config))


def megatron(case: dict) -> list[dict]:
    files = {prefix: IndexedDataset(prefix) for prefix in case["megatron"]}
    return [
        {"dtype": file.index.dtype.__name__, "documents": [file[place].tolist() for place in range(len(file))],
         "document_indices": file.document_indices.tolist(), "samples": samples(file, prefix, case)}
        for prefix, file in files.items()
    ]  # fmt: skip


if __name__ == "__main__":
    cases = json.loads(sys.argv[1])
    read = [{"olmo_core": olmo_core(case["olmo_core"], case["work"]), "megatron": megatron(case)} for case in cases]
    print(json.dumps(read, default=int))
