"""Models that must not be scored or traced: exit code 5, the reason, a remedy, and no half result."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import transformers as hf
from safetensors.torch import load_file, save_file

from pivotlens.cli.main import main
from tiny_models import llama_like, random_model, save

MODEL = 5


@pytest.fixture
def refuses(tiny, tmp_path: Path, run_until, capsys: pytest.CaptureFixture[str]) -> Callable[..., None]:
    """Run stages on the model folder; each must end with a message, and leave nothing."""
    run = run_until("score")

    def check(message: str, stages: tuple[str, ...] = ("score", "trace")) -> None:
        for stage in stages:
            arguments = [stage, "--run", run, "--config", tiny.config, "--model", tmp_path / "model"]
            assert main([str(argument) for argument in arguments]) == MODEL
            err = capsys.readouterr().err
            assert "Traceback" not in err
            error = " ".join(err[err.index("Error: ") :].split())
            assert re.search(message, error), error
            assert " → " in error
            assert not (run / stage).exists()
            assert not list(run.glob(".*.lock"))

    return check


def test_masked_model(tiny, tmp_path, refuses):
    config = hf.BertConfig(
        vocab_size=1024, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4
    )
    save(random_model(config), tmp_path / "model", hf.AutoTokenizer.from_pretrained(tiny.model))
    refuses("BertLMHeadModel.* lets a token see those after it.* decoder-only")


def test_embedding_model(tiny, tmp_path, refuses):
    model = hf.AutoModel.from_config(hf.LlamaConfig(**llama_like(vocab_size=1024, tie_word_embeddings=True)))
    save(model, tmp_path / "model", hf.AutoTokenizer.from_pretrained(tiny.model))
    refuses("was saved as LlamaModel, without an output head")


def causal(tiny, folder: Path, nan: bool = False) -> None:
    model = random_model(hf.LlamaConfig(**llama_like(vocab_size=1024)))
    if nan:
        with torch.no_grad():
            model.model.norm.weight.fill_(float("nan"))
    save(model, folder, hf.AutoTokenizer.from_pretrained(tiny.model))


def test_head_that_is_not_in_the_file(tiny, tmp_path, refuses):
    causal(tiny, tmp_path / "model")
    path = tmp_path / "model" / "model.safetensors"
    weights = load_file(path)
    del weights["lm_head.weight"]
    path.unlink()
    save_file(weights, path, {"format": "pt"})
    refuses("lacks 1 of its weights, such as lm_head.weight")


def test_nan_weights(tiny, tmp_path, refuses):
    causal(tiny, tmp_path / "model", nan=True)
    refuses("gives NaN logits.* the weights are damaged")


def test_model_without_final_norm(tiny, tmp_path, refuses):
    config = hf.OpenAIGPTConfig(vocab_size=1024, n_positions=512, n_embd=32, n_layer=2, n_head=4)
    save(random_model(config), tmp_path / "model", hf.AutoTokenizer.from_pretrained(tiny.model))
    refuses("OpenAIGPTLMHeadModel has no final norm", ("trace",))


def test_memory_that_does_not_suffice_for_a_row(tiny, tmp_path, refuses, monkeypatch):
    causal(tiny, tmp_path / "model")
    forward = hf.LlamaForCausalLM.forward

    def fail(self, input_ids=None, logits_to_keep=0, **more):
        if input_ids.shape[1] > 8:  # what is tried on loading fits
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return forward(self, input_ids=input_ids, logits_to_keep=logits_to_keep, **more)

    monkeypatch.setattr(hf.LlamaForCausalLM, "forward", fail)
    refuses("memory does not suffice for a single row.* CUDA out of memory.* batch_tokens")
