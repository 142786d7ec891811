"""Reads token files with OLMo-core's and Megatron-Core's own readers, which live apart (`make readers`); prints JSON.

Started by `tests/unit/test_token_files.py`: the argument is a JSON list of cases.
"""

from __future__ import annotations

import json
import sys

from megatron.core.datasets.indexed_dataset import IndexedDataset
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


def megatron(prefixes: list[str]) -> list[dict]:
    files = [IndexedDataset(prefix) for prefix in prefixes]
    return [
        {"dtype": file.index.dtype.__name__, "documents": [file[place].tolist() for place in range(len(file))],
         "document_indices": file.document_indices.tolist()}
        for file in files
    ]  # fmt: skip


if __name__ == "__main__":
    cases = json.loads(sys.argv[1])
    read = [
        {"olmo_core": olmo_core(case["olmo_core"], case["work"]), "megatron": megatron(case["megatron"])}
        for case in cases
    ]
    print(json.dumps(read, default=int))
