"""Checkpoints whose weights and config do not belong together, and what the loader warns of."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from pivotlens.artifacts import RunFolder
from pivotlens.errors import ModelError
from pivotlens.models.load import load_model
from pivotlens.models.quiet import recording_transformers
from pivotlens.models.resolve import model_input, resolve_model, tokenizer_input
from pivotlens.models.tokenizer import load_tokenizer
from tiny_models import FAMILIES, llama_like, random_model, save

Weights = dict[str, torch.Tensor]


def rewrite(folder: Path, change: Callable[[Weights], Weights] | None = None, **config: Any) -> None:
    """Change the weights and the config of a saved model."""
    if change is not None:
        path = folder / "model.safetensors"
        weights = change(load_file(path))
        path.unlink()
        save_file({name: weight.contiguous() for name, weight in weights.items()}, path, {"format": "pt"})
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | config), encoding="utf-8")


def refused(folder: Path, message: str) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        load_model(str(folder), device="cpu")
    assert str(folder) in caught.value.message
    assert caught.value.hint


def saved(folder: Path, name: str = "llama", **config: Any) -> Path:
    made = hf.LlamaConfig(**llama_like(**config)) if name == "llama" else FAMILIES[name].config()
    save(random_model(made), folder)
    return folder


# -- weights that the decoder could have used


@pytest.mark.parametrize("name", ["llama", "qwen3_moe", "gpt2", "gpt_neox", "opt", "bloom", "mpt", "falcon", "gemma3"])
def test_fewer_blocks_in_the_config_than_in_the_weights(name, tmp_path):
    saved(tmp_path, name)
    config = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    depth = next(key for key in ("num_hidden_layers", "n_layer", "n_layers") if key in config)
    kinds = {"layer_types": config["layer_types"][:2]} if config.get("layer_types") else {}
    rewrite(tmp_path, **{depth: 2}, **kinds)
    refused(tmp_path, r"of 2 blocks does not take, such as \S*\.2\.")


@pytest.mark.parametrize("setting", ["attention_bias", "mlp_bias"])
def test_biases_that_the_config_does_not_know(setting, tmp_path):
    saved(tmp_path, **{setting: True})
    rewrite(tmp_path, **{setting: False})
    refused(tmp_path, r"such as model\.layers\.0\.(self_attn|mlp)\.\w+_proj\.bias")


@pytest.mark.parametrize("key", ["lm_head.bias", "model.norm.bias", "model.layers.1.self_attn.q_norm.weight"])
def test_a_weight_for_a_layer_that_is_there(key, tmp_path):
    saved(tmp_path)
    rewrite(tmp_path, lambda weights: weights | {key: torch.ones(32)})
    refused(tmp_path, f"holds 1 weights of its decoder .*such as {key}")


def test_blocks_without_the_prefix_of_the_whole(tmp_path):
    saved(tmp_path)
    rewrite(tmp_path, lambda weights: {name.removeprefix("model."): weight for name, weight in weights.items()})
    assert load_model(str(tmp_path), device="cpu").warnings == ()
    rewrite(tmp_path, num_hidden_layers=2)
    refused(tmp_path, r"such as layers\.2\.")


# -- weights that it could not


def test_tables_of_older_versions_are_no_weights(tmp_path):
    saved(tmp_path, "gpt2")
    mask = torch.ones(1, 1, 256, 256)
    tables = {"transformer.h.0.attn.bias": mask, "transformer.h.0.attn.masked_bias": torch.tensor(-1e4)}
    rewrite(tmp_path, lambda weights: weights | tables)
    assert load_model(str(tmp_path), device="cpu").warnings == ()
    saved(tmp_path / "llama")
    table = {f"model.layers.{block}.self_attn.rotary_emb.inv_freq": torch.ones(4) for block in range(4)}
    table |= {f"model.layers.{block}.self_attn.{which}_scale": torch.ones(1) for block in range(4) for which in "kv"}
    rewrite(tmp_path / "llama", lambda weights: weights | table)
    assert load_model(str(tmp_path / "llama"), device="cpu").warnings == ()


@pytest.mark.parametrize(
    "key",
    [
        "vision_tower.encoder.layers.0.self_attn.q_proj.weight",
        "model.vision_tower.vision_model.encoder.layers.0.self_attn.q_proj.weight",
        "multi_modal_projector.weight",
        "mtp.layers.0.self_attn.q_proj.weight",
        "v_head.summary.weight",
    ],
)
def test_weights_beside_the_decoder_are_named(key, tmp_path):
    saved(tmp_path)
    rewrite(tmp_path, lambda weights: weights | {key: torch.ones(4)})
    assert load_model(str(tmp_path), device="cpu").warnings == (
        f"1 weights of the checkpoint were not used, such as {key}",
    )


def test_blocks_that_predict_further_tokens_are_named(tmp_path):
    saved(tmp_path)
    rewrite(tmp_path, num_hidden_layers=3, num_nextn_predict_layers=1)
    (warning,) = load_model(str(tmp_path), device="cpu").warnings
    assert "such as model.layers.3." in warning
    rewrite(tmp_path, num_hidden_layers=2)
    refused(tmp_path, r"such as model\.layers\.3\.")


@pytest.mark.parametrize("name", ["llama", "gemma3", "gpt2"])
def test_tied_weights_are_there(name, tmp_path):
    saved(tmp_path, name, **({"tie_word_embeddings": True} if name == "llama" else {}))
    assert load_model(str(tmp_path), device="cpu").warnings == ()


# -- what the loader warns of


def test_a_head_that_is_tied_by_the_config_and_another_in_the_weights(tmp_path):
    saved(tmp_path)
    rewrite(tmp_path, tie_word_embeddings=True)
    for _ in range(2):  # what transformers says once a process is said of every model
        (warning,) = load_model(str(tmp_path), device="cpu").warnings
        assert "with different values, so we will NOT tie them" in warning


def test_a_config_of_another_kind(tmp_path):
    saved(tmp_path)
    rewrite(tmp_path, rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "factor": 8.0})
    (warning,) = load_model(str(tmp_path), device="cpu").warnings
    assert "Unrecognized keys" in warning
    assert "factor" in warning


def large_byte_level(size: int = 100_300) -> hf.PreTrainedTokenizerFast:
    """A byte-level tokenizer as large as those whose pattern transformers looks at."""
    tokens = [*pre_tokenizers.ByteLevel.alphabet(), *(f"<{number}>" for number in range(size - 256))]
    tokenizer = Tokenizer(models.BPE({token: number for number, token in enumerate(tokens)}, []))
    split = pre_tokenizers.Split(r"\s+", "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return hf.PreTrainedTokenizerFast(tokenizer_object=tokenizer)


def test_a_tokenizer_with_an_incorrect_pattern(tmp_path):
    config = hf.MistralConfig(**llama_like(vocab_size=100_300, num_hidden_layers=1))
    save(random_model(config), tmp_path, large_byte_level())
    rewrite(tmp_path, transformers_version="4.50.0")
    (warning,) = load_model(str(tmp_path), device="cpu").warnings
    assert "incorrect regex pattern" in warning
    assert "fix_mistral_regex=True" in warning
    (of_corpus,) = load_tokenizer(str(tmp_path)).warnings
    assert "incorrect pattern" in of_corpus
    # What both say to do, for model and corpus alike.
    with recording_transformers():
        mended = hf.AutoTokenizer.from_pretrained(tmp_path, fix_mistral_regex=True)
    mended.save_pretrained(tmp_path)
    loaded, corpus = load_model(str(tmp_path), device="cpu"), load_tokenizer(str(tmp_path))
    assert loaded.warnings == corpus.warnings == ()
    text = "One word's 1234 Wörter\n eau"
    assert corpus.encode_batch([text])[0].tolist() == loaded.tokenizer(text)["input_ids"]


def test_what_hangs_on_the_machine_or_bears_on_no_figure_is_not_said(tmp_path):
    from more_families import ALL_FAMILIES

    for name in ("apertus", "jamba"):  # no fused kernel here; a deprecated argument
        save(random_model(ALL_FAMILIES[name].config()), tmp_path / name)
        assert load_model(str(tmp_path / name), device="cpu").warnings == ()


# -- adapters


def test_an_adapter_beside_a_model_is_not_guessed_at(tmp_path):
    saved(tmp_path)
    (tmp_path / "adapter_config.json").write_text(
        '{"peft_type": "LORA", "target_modules": ["q_proj"]}', encoding="utf-8"
    )
    refused(tmp_path, r"holds an adapter \(adapter_config\.json\)")
    with pytest.raises(ModelError, match="holds an adapter"):
        model_input(str(tmp_path), RunFolder(tmp_path))
    assert tokenizer_input(str(tmp_path), RunFolder(tmp_path))  # a corpus can be counted with it


def test_an_adapter_alone_is_called_what_it_is(tmp_path):
    (tmp_path / "adapter_config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError, match="is an adapter alone"):
        resolve_model(str(tmp_path))


# -- tokenizers


def test_a_tokenizer_of_another_model(tmp_path):
    save(random_model(hf.LlamaConfig(**llama_like(vocab_size=280))), tmp_path)
    refused(tmp_path, "gives ids up to 299, but the model embeds only 280 tokens")


def test_added_tokens_beyond_the_matrix_are_no_reason_to_refuse(tmp_path):
    saved(tmp_path, vocab_size=300)
    tokenizer = hf.AutoTokenizer.from_pretrained(tmp_path)
    tokenizer.add_tokens(["<image>"], special_tokens=True)
    tokenizer.save_pretrained(tmp_path)
    assert len(load_model(str(tmp_path), device="cpu").tokenizer) == 301
