"""A word list, a corpus and a model small enough for whole runs in a test, all cut from what pivotlens ships."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import orjson
import zstandard

LANGUAGES = ("en", "fr", "zh")
CONCEPTS = 40
SHARDS = 4
_PER_WORD = 4


def listed_words() -> list[dict[str, str]]:
    """Return the first rows of the bundled word list whose languages are all written differently."""
    text = resources.files("pivotlens.bench").joinpath("data", "everyday_nouns.tsv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE))
    return [row for row in rows if row["en"].split("|")[0] != row["fr"].split("|")[0]][:CONCEPTS]


def write_word_list(path: Path) -> Path:
    """Write a word list of `CONCEPTS` concepts in three languages, without splits."""
    lines = ["\t".join(("concept", "pos", *LANGUAGES))]
    lines += ["\t".join((row["concept_id"], row["pos"], *(row[code] for code in LANGUAGES))) for row in listed_words()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def sample_documents() -> Iterator[dict[str, Any]]:
    """Yield the documents of the bundled sample."""
    folder = resources.files("pivotlens.corpus").joinpath("sample")
    for path in sorted(Path(str(folder)).glob("*.jsonl.zst")):
        data = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(path.read_bytes())).read()
        for line in data.splitlines():
            yield orjson.loads(line)


def chosen_documents() -> list[dict[str, Any]]:
    """Return a few hundred documents: for each word the first that hold it, and some in every other language."""
    forms = [(code, row[code].split("|")[0].casefold()) for row in listed_words() for code in LANGUAGES]
    wanted = dict.fromkeys(forms, _PER_WORD) | dict.fromkeys([("de", ""), ("es", ""), ("ja", "")], 10)
    chosen = []
    for document in sample_documents():
        text = document["text"].casefold()
        found = [key for key, left in wanted.items() if left and key[0] == document["language"] and key[1] in text]
        if found:
            chosen.append(document)
            for key in found:
                wanted[key] -= 1
    return chosen


def write_corpus(folder: Path) -> Path:
    """Write the chosen documents as four shards: compressed and plain JSONL and Parquet."""
    import gzip

    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True)
    documents = chosen_documents()
    fields = ("text", "language", "group")
    for shard in range(SHARDS):
        rows = [{name: document[name] for name in fields} for document in documents[shard::SHARDS]]
        lines = b"".join(orjson.dumps(row) + b"\n" for row in rows)
        stem = folder / f"shard-{shard}"
        if shard == 0:
            stem.with_suffix(".jsonl.zst").write_bytes(zstandard.ZstdCompressor().compress(lines))
        elif shard == 1:
            stem.with_suffix(".jsonl.gz").write_bytes(gzip.compress(lines, mtime=0))
        elif shard == 2:
            pq.write_table(pa.Table.from_pylist(rows), stem.with_suffix(".parquet"))
        else:
            stem.with_suffix(".jsonl").write_bytes(lines)
    return folder


def write_model(folder: Path) -> Path:
    """Write a random Llama of two layers with a byte-level BPE that knows the words of the list."""
    import torch
    import transformers as hf
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    from pivotlens.models.quiet import quiet_transformers

    quiet_transformers()
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
    trainer = trainers.BpeTrainer(
        vocab_size=1024,
        special_tokens=["<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    words = [f" {form}" for row in listed_words() for code in LANGUAGES for form in row[code].split("|")] * 20
    tokenizer.train_from_iterator([*words, *(document["text"] for document in chosen_documents())], trainer)
    hf.PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>").save_pretrained(folder)
    torch.manual_seed(0)
    config = hf.LlamaConfig(
        vocab_size=1024,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        bos_token_id=0,
        eos_token_id=1,
    )
    model = hf.LlamaForCausalLM(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    model.save_pretrained(folder)
    return folder


def write_config(path: Path, words: Path, corpus: Path, model: Path) -> Path:
    """Write a configuration file for a whole run in a few seconds."""
    path.write_text(
        f"""\
model = {str(model)!r}
corpus = {str(corpus)!r}
directions = ["en-fr", "fr-zh"]

[bench]
words = {str(words)!r}
distractors = 4
shot_pool = 8
calibration = 20

[count]
unit_characters = 1024

[mine]
min_df = 2
shuffles = 3

[score]
shots = 2
shot_sets = 2
bootstrap = 100

[trace]
shots = 2
bootstrap = 100

[ablate]
last_layers = 1
bootstrap = 100

[attribute]
min_items = 2
bootstrap = 100

[select]
unit_characters = 1024
budget_tokens = 2000
min_tokens = 8
""",
        encoding="utf-8",
    )
    return path
