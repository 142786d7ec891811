"""A tokenizer, documents and a benchmark for the tests of query."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

from corpus_fixture import WORDS, write_bench
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from index_server import SlowIndex

SENTENCES = (
    "The water of the mountain", "Water and a book", "a book on water", "underwater, waterfall",
    "l'eau de la montagne", "Eau et livre", "le livre impossible", "impossible de lire le livre",
    "水在山上", "一本书", "不可能的书本", "book: livre 书", "water eau 水", "mountain montagne 山",
    "impossible impossible 不可能", "bookshop", "水, 山 eau", "les eaux", "the watery book",
)  # fmt: skip


@cache
def tokenizer() -> Tokenizer:
    """A byte-level BPE that knows the words."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=420, initial_alphabet=alphabet, special_tokens=["</s>"], show_progress=False
    )
    made.train_from_iterator(
        [*SENTENCES, *(f" {form}" for by in WORDS.values() for each in by.values() for form in each)] * 4, trainer
    )
    return made


def texts(documents: int = 60, seed: int = 0) -> list[str]:
    """Return documents of sentences, on lines of their own and one behind another."""
    rng = random.Random(seed)
    return ["".join(rng.choice(SENTENCES) + rng.choice([" ", "\n", ". "]) for _ in range(rng.randint(0, 8)))
            for _ in range(documents)]  # fmt: skip


def slow_index(documents: int = 60) -> SlowIndex:
    """Return the same as tokens."""
    return SlowIndex([encoding.ids for encoding in tokenizer().encode_batch(texts(documents))])


def write_model(folder: Path, made: Tokenizer | None = None) -> Path:
    """Write a folder that has nothing but the tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    (made or tokenizer()).save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text("{}")
    return folder


def bench(run: Path) -> Path:
    """Write the benchmark and return its run folder."""
    write_bench(run)
    return run
