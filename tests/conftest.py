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


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """One torch thread for a module's tests: the order of sums, and so their last bits, stays the same."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
