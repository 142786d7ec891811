"""What a data card says of an arm's files: how a trainer reads them, with the integer type, and how much of them."""

from __future__ import annotations

from collections.abc import Callable

from pivotlens.arrays import Integers
from pivotlens.corpus.writing.fragments import WritingPlan
from pivotlens.corpus.writing.layout import TOKEN_FORMATS, TokenFormat, tokens_read
from pivotlens.corpus.writing.tokens import TokenCoding
from pivotlens.settings import CorpusFormat
from pivotlens.text import inline_code


def how_to_train(plan: WritingPlan, tokens: Integers, sequence_length: int, folder: str) -> str:
    """Return the section of a data card on training, as Markdown.

    Args:
        plan: How the arm is written.
        tokens: Tokens of each of its files with the end-of-document tokens, shape ``(files,)``.
        sequence_length: Tokens of a training sequence.
        folder: Where the arm lies in the run folder.
    """
    rows = "\n".join(
        f"| {_NAMES[name]} | `{_files(name, plan.coding)}` | {tokens_read(tokens, name, sequence_length):,} |"
        for name in plan.formats
    )
    parts = [
        "## Training on it",
        f"The documents have {tokens.sum():,} tokens in {tokens.size:,} files, an end-of-document token after each. A "
        f"trainer that packs them into sequences of {sequence_length:,} reads in one epoch:",
        f"| for | files | tokens |\n|---|---|---:|\n{rows}",
    ]
    if plan.tokens and plan.coding is not None:
        parts.append(
            f"Token ids are those of {inline_code(plan.coding.tokenizer)} (largest {plan.coding.vocabulary - 1:,}), in "
            f"{8 * plan.coding.width} bits, little-endian; {plan.coding.end} ends a document. Give the trainer "
            "this type: some take a file of another for what it is not, without a word."
        )
    if tokens.size:
        parts.append("Paths below begin at the run folder.")
        parts += [f"{_NAMES[name]}:\n\n{_snippet(name, plan.coding, sequence_length, folder)}" for name in plan.formats]
    return "\n\n".join(parts) + "\n"


def _files(name: CorpusFormat, coding: TokenCoding | None) -> str:
    if name in TOKEN_FORMATS and coding is not None:
        ending = {"datatrove": "ds", "olmo_core": "npy", "megatron": "{bin,idx}"}[name]
        return f"{name}/*.{coding.type_name(name)}.{ending}"
    return f"documents-*{'.jsonl.zst' if name == 'jsonl' else '.parquet'}"


def _snippet(name: CorpusFormat, coding: TokenCoding | None, sequence_length: int, folder: str) -> str:
    if name in TOKEN_FORMATS and coding is not None:
        return _TOKEN_SNIPPETS[name](folder, coding, sequence_length)
    return f"""```python
from datasets import load_dataset

documents = load_dataset(
    "{"json" if name == "jsonl" else name}", data_files="{folder}/{_files(name, coding)}", split="train"
)
```"""


def _datatrove(folder: str, coding: TokenCoding, length: int) -> str:
    return f"""```yaml
data:
  dataset:
    dataset_folder: {folder}/datatrove
    tokenizer_name: {coding.tokenizer}
    vocab_size: {coding.vocabulary}
    token_size_in_bytes: {coding.width}
tokens:
  sequence_length: {length}
```

```python
from datatrove.utils.dataset import DatatroveFolderDataset

windows = DatatroveFolderDataset("{folder}/datatrove", {length}, "*.ds", token_size={coding.width})
```"""


def _olmo_core(folder: str, coding: TokenCoding, length: int) -> str:
    return f"""```yaml
dataset:
  _CLASS_: olmo_core.data.NumpyFSLDatasetConfig
  paths: ["{folder}/olmo_core/*.npy"]
  expand_glob: true
  dtype: {coding.type_name("olmo_core")}
  sequence_length: {length}
  tokenizer:
    vocab_size: {coding.vocabulary}
    eos_token_id: {coding.end}
    pad_token_id: {coding.end}
```"""


def _megatron(folder: str, coding: TokenCoding, length: int) -> str:
    return f"""```sh
--data-path $(ls {folder}/megatron/*.bin | sed 's/\\.bin$//') \\
--seq-length {length} --split 1,0,0 --vocab-size {coding.vocabulary} \\
--tokenizer-type HuggingFaceTokenizer --tokenizer-model {coding.tokenizer}  # ids are {coding.type_name("megatron")}
```"""


_NAMES: dict[CorpusFormat, str] = {
    "jsonl": "Hugging Face datasets",
    "parquet": "Hugging Face datasets",
    "datatrove": "nanotron (datatrove)",
    "olmo_core": "OLMo-core",
    "megatron": "Megatron-Core",
}
_TOKEN_SNIPPETS: dict[TokenFormat, Callable[[str, TokenCoding, int], str]] = {
    "datatrove": _datatrove,
    "olmo_core": _olmo_core,
    "megatron": _megatron,
}
