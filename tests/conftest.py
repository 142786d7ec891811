"""Shared by all tests; its being here also lets them import the modules of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest


class TinyInputs(NamedTuple):
    """What a whole run needs, in a folder of its own; tests must not change it."""

    folder: Path
    config: Path
    words: Path
    corpus: Path
    model: Path


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> TinyInputs:
    """A word list, a corpus, a model and a configuration that names them."""
    from tiny_inputs import write_config, write_corpus, write_model, write_word_list

    folder = tmp_path_factory.mktemp("tiny")
    words = write_word_list(folder / "words.tsv")
    corpus, model = write_corpus(folder / "corpus"), write_model(folder / "model")
    return TinyInputs(folder, write_config(folder / "tiny.toml", words, corpus, model), words, corpus, model)


WRITES_SPECIAL_TOKENS = "<s> opens and </s> ends a document in many tokenizers"


class MinedRun(NamedTuple):
    """A run up to ``mine`` and what it read; tests must not change it."""

    run: Path
    corpus: Path
    model: Path


@pytest.fixture(scope="session")
def mined(tiny: TinyInputs, tmp_path_factory: pytest.TempPathFactory) -> MinedRun:
    """The tiny corpus with documents that write special tokens, counted and mined."""
    import shutil

    import orjson

    from pivotlens import build_benchmark, count_corpus, mine_pivots
    from pivotlens.bench.config import BenchConfig
    from pivotlens.count.config import CountConfig
    from pivotlens.mine.config import MineConfig

    folder = tmp_path_factory.mktemp("mined")
    corpus, run = folder / "corpus", folder / "run"
    shutil.copytree(tiny.corpus, corpus)
    texts = [f"water {number} {WRITES_SPECIAL_TOKENS}" for number in range(3)]
    lines = [orjson.dumps({"text": text, "language": "en"}) for text in texts]
    (corpus / "shard-4.jsonl").write_bytes(b"\n".join(lines))
    build_benchmark(BenchConfig(words=str(tiny.words), distractors=4, shot_pool=8, calibration=20), run)
    count_corpus(CountConfig(corpus=str(corpus), tokenizer=str(tiny.model), unit_characters=256), run)
    mine_pivots(MineConfig(min_df=2, shuffles=3), run)
    return MinedRun(run, corpus, tiny.model)


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """One torch thread for a module's tests: the order of sums, and so their last bits, stays the same."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
