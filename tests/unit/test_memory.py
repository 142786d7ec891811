"""Batches that do not fit into memory run in halves, with the same results."""

import copy
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import numpy as np
import pytest
import torch

from pivotlens.bench.config import BenchConfig
from pivotlens.bench.stage import build_benchmark
from pivotlens.errors import ModelError
from pivotlens.models.encoding import Ids
from pivotlens.models.lens import LogitLens
from pivotlens.models.load import LoadedModel, load_model
from pivotlens.models.memory import Memory, is_out_of_memory, one_row
from pivotlens.models.prefix import SharedPrefix
from pivotlens.models.scorer import AnswerScorer, check_sharing, plain_log_probabilities
from pivotlens.score.config import ScoreConfig
from pivotlens.score.stage import score_model
from tiny_models import FAMILIES, loaded_of, random_model, save, tiny

_PREFIX = tuple(range(20, 32))
_CONTEXTS: list[Ids] = [(*_PREFIX, 40 + i, *range(60, 60 + i % 3)) for i in range(11)]
_ANSWERS: list[list[Ids]] = [[(50, 51, 52 + i), (53,), (54 + i, 55)] for i in range(11)]


class Small:
    """Lets a model raise what torch does as soon as a pass has more rows, or the head more positions, than fit."""

    def __init__(self, rows: int = 1 << 30, positions: int = 1 << 30) -> None:
        self.rows, self.positions = rows, positions
        self.passes: list[int] = []
        self.failures = 0

    @contextmanager
    def of(self, loaded: LoadedModel) -> Iterator[None]:
        handles = [
            loaded.model.register_forward_pre_hook(self._forward, with_kwargs=True),
            loaded.model.get_output_embeddings().register_forward_hook(self._head),
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _forward(self, module, inputs, named):
        self.passes.append(len(named["input_ids"]))
        self._check(len(named["input_ids"]), self.rows)

    def _head(self, module, inputs, output):
        self._check(output.shape[1], self.positions)

    def _check(self, size: int, most: int) -> None:
        if size > most:
            self.failures += 1
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def assert_alike(found, expected) -> None:
    for one, other in zip(found, expected, strict=True):
        for value, right in zip(one, other, strict=True):
            np.testing.assert_allclose(value, right, rtol=0, atol=1e-4)


@pytest.mark.parametrize("sharing", ["packed", "copied"])
@pytest.mark.parametrize("rows", [1, 2, 3])
def test_scores_of_halved_batches_are_those_of_whole_ones(sharing, rows, monkeypatch):
    monkeypatch.setattr("pivotlens.models.packing.ROW", 8)
    loaded = tiny("llama")
    expected = AnswerScorer(loaded, sharing=sharing).score(_CONTEXTS, _ANSWERS)
    scorer, small = AnswerScorer(loaded, sharing=sharing), Small(rows)
    with small.of(loaded):
        assert_alike(scorer.score(_CONTEXTS, _ANSWERS), expected)
        assert small.failures
        failures = small.failures
        assert_alike(scorer.score(_CONTEXTS, _ANSWERS), expected)
    assert small.failures == failures, "what did not fit is not tried again"
    assert "run in parts" in str(scorer.memory.warning)
    assert AnswerScorer(loaded).memory.warning is None


@pytest.mark.parametrize("sharing", ["packed", "nothing"])
def test_answers_of_halved_batches_are_those_of_whole_ones(sharing):
    loaded = tiny("gemma3")
    scorer = AnswerScorer(loaded, sharing=sharing)
    expected = scorer.generate(_CONTEXTS, 5, lambda token: token % 7 == 0)
    with Small(2).of(loaded):
        assert scorer.generate(_CONTEXTS, 5, lambda token: token % 7 == 0) == expected
    assert scorer.memory.warning


def test_the_head_runs_on_as_many_positions_as_fit():
    loaded = tiny("llama")
    scorer, small = AnswerScorer(loaded), Small(positions=4)
    expected = AnswerScorer(loaded).score(_CONTEXTS, _ANSWERS)
    with small.of(loaded):
        assert_alike(scorer.score(_CONTEXTS, _ANSWERS), expected)
    assert small.failures
    assert scorer.memory.most_rows["states"] <= 4
    assert "contexts" not in scorer.memory.most_rows, "what the head cannot take says nothing of the blocks"


@pytest.mark.parametrize("sharing", ["packed", "copied", "nothing"])
def test_a_single_row_that_does_not_fit_is_an_error_that_names_the_setting(sharing):
    loaded = tiny("llama")
    with Small(0).of(loaded), pytest.raises(ModelError, match=r"single row.*CUDA out of memory.*\n.*batch_tokens"):
        AnswerScorer(loaded, sharing=sharing).score(_CONTEXTS, _ANSWERS)
    with Small(0).of(loaded), pytest.raises(ModelError, match="single row"):
        plain_log_probabilities(loaded, _CONTEXTS[0], (50,))
    with Small(0).of(loaded), pytest.raises(ModelError, match="single row"):
        check_sharing(loaded, _CONTEXTS, (50, 51))


def test_states_of_layers_in_halves_are_those_of_whole_batches():
    """What the trace stage does with a batch."""
    lens = LogitLens(tiny("llama"))
    memory = Memory()
    for batch in SharedPrefix(lens.loaded, _CONTEXTS, 8192).batches():
        whole = lens.states(**batch.arguments())
        with Small(2).of(lens.loaded):
            parts = list(memory.run(batch, lambda part: lens.states(**part.arguments())))
        assert [row for part, _ in parts for row in part.rows] == batch.rows
        torch.testing.assert_close(torch.cat([states for _, states in parts]), whole, rtol=1e-4, atol=1e-4)
    assert memory.warning


def test_other_errors_are_not_taken_for_a_lack_of_memory():
    assert is_out_of_memory(torch.OutOfMemoryError("x"))
    assert is_out_of_memory(RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"))
    assert is_out_of_memory(RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"))
    assert not is_out_of_memory(RuntimeError("shape mismatch"))
    batch = next(SharedPrefix(tiny("llama"), _CONTEXTS, 8192).batches())

    def fail(part):
        raise RuntimeError("shape mismatch")

    with pytest.raises(RuntimeError, match="shape mismatch"):
        list(Memory().run(batch, fail))
    with pytest.raises(RuntimeError, match="shape mismatch"), one_row():
        fail(batch)


def test_weights_that_do_not_fit_are_an_error(tmp_path, monkeypatch):
    model = random_model(FAMILIES["llama"].config())
    save(model, tmp_path)

    def to(self, place):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr(type(model), "to", to)
    with pytest.raises(ModelError, match=r"does not fit into the memory of cpu\n.*bfloat16"):
        load_model(str(tmp_path), device="cpu")


def test_a_copy_of_a_cache_leaves_it_as_it_is():
    loaded = tiny("llama")
    shared = SharedPrefix(loaded, _CONTEXTS, 8192)
    batch = next(shared.batches())
    before = copy.deepcopy([layer.keys for layer in shared.cache.layers])
    with torch.inference_mode():
        first = loaded.model(**batch.arguments()).logits
        second = loaded.model(**batch.arguments()).logits
    assert torch.equal(first, second)
    assert all(torch.equal(layer.keys, keys) for layer, keys in zip(shared.cache.layers, before, strict=True))


_WORDS = """concept	split	en	fr
dog	test	dog	chien
water	test	water	eau
book	test	book	livre
house	test	house	maison
winter	test	winter	hiver
bank	shot	bank	banque
tree	shot	tree	arbre
"""


def test_the_manifest_says_that_memory_did_not_suffice(tmp_path, monkeypatch):
    (tmp_path / "words.tsv").write_text(_WORDS, encoding="utf-8")
    save(random_model(FAMILIES["llama"].config()), tmp_path / "model")
    config = ScoreConfig(
        model=str(tmp_path / "model"), device="cpu", shots=2, shot_sets=1, directions=("en-fr",), bootstrap=100
    )
    results, small, kept = {}, Small(rows=1), ExitStack()
    monkeypatch.setattr("pivotlens.models.packing.ROW", 24)
    for name in ("whole", "halved"):
        build_benchmark(BenchConfig(words=str(tmp_path / "words.tsv"), distractors=3, shot_pool=5), tmp_path / name)
        if name == "halved":
            from pivotlens.score import run

            def loads(*arguments):
                loaded = load_model(*arguments)
                kept.enter_context(small.of(loaded))
                return loaded

            monkeypatch.setattr(run, "load_model", loads)
        results[name] = score_model(config, tmp_path / name)
    assert small.failures
    assert not any("memory" in warning for warning in results["whole"].manifest.warnings)
    assert any("some were run in parts" in warning for warning in results["halved"].manifest.warnings)
    whole, halved = (results[name].table("answers").to_pandas() for name in ("whole", "halved"))
    np.testing.assert_allclose(whole.sum_logprob, halved.sum_logprob, rtol=0, atol=1e-4)


def test_a_lens_that_does_not_fit_is_an_error():
    loaded = loaded_of(random_model(FAMILIES["llama"].config()))
    with Small(0).of(loaded), pytest.raises(ModelError, match="single row"):
        LogitLens(loaded.model)
