"""Model folders that transformers would load, and that must not be read."""

import io
import json

import pytest
import torch
import transformers as hf
from safetensors.torch import load_file, save_file

from pivotlens.errors import ModelError
from pivotlens.models.lens import LogitLens
from pivotlens.models.load import load_model
from pivotlens.models.resolve import resolve_model
from pivotlens.models.scorer import AnswerScorer, check_sharing, plain_log_probabilities
from tiny_models import FAMILIES, VOCABULARY, llama_like, random_model, save, tiny

_SMALL = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}


def refused(folder, message: str) -> ModelError:
    with pytest.raises(ModelError, match=message) as caught:
        load_model(str(folder), device="cpu")
    assert str(folder) in caught.value.message
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize("kind", ["t5", "bart"])
def test_an_encoder_decoder(kind, tmp_path):
    if kind == "t5":
        model = hf.T5ForConditionalGeneration(
            hf.T5Config(vocab_size=VOCABULARY, d_model=16, d_kv=8, d_ff=16, num_layers=2, decoder_start_token_id=0)
        )
    else:
        model = hf.BartForConditionalGeneration(
            hf.BartConfig(vocab_size=VOCABULARY, d_model=16, encoder_layers=1, decoder_layers=1, encoder_ffn_dim=16,
                          decoder_ffn_dim=16, encoder_attention_heads=2, decoder_attention_heads=2)
        )  # fmt: skip
    save(model, tmp_path)
    refused(tmp_path, f"encoder-decoder model \\({kind}\\)")


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("name", ["Bart", "MBart", "Marian", "Pegasus", "Blenderbot", "Whisper", "TrOCR", "ProphetNet"])
def test_a_decoder_half(name, layers, tmp_path):
    """It loads as a causal language model, whether its encoder has as many blocks or not."""
    if name == "ProphetNet":
        sizes = {"hidden_size": 16, "num_encoder_layers": layers, "num_decoder_layers": 2, "encoder_ffn_dim": 32,
                 "decoder_ffn_dim": 32, "num_encoder_attention_heads": 2, "num_decoder_attention_heads": 2}  # fmt: skip
    else:
        sizes = {"d_model": 16, "encoder_layers": layers, "decoder_layers": 2, "encoder_ffn_dim": 32,
                 "decoder_ffn_dim": 32, "encoder_attention_heads": 2, "decoder_attention_heads": 2}  # fmt: skip
    special = {"pad_token_id": 0, "bos_token_id": 0, "eos_token_id": 1}
    config = getattr(hf, f"{name}Config")(vocab_size=VOCABULARY, **sizes, **special)
    save(getattr(hf, f"{name}ForCausalLM")(config), tmp_path)
    refused(tmp_path, rf"\({name}ForCausalLM\) is the decoder half of an encoder-decoder model \({name.lower()}\)")


def test_a_decoder_made_to_attend_to_an_encoder(tmp_path):
    save(random_model(hf.GPT2Config(vocab_size=VOCABULARY, n_embd=32, n_layer=2, n_head=4, add_cross_attention=True)),
         tmp_path)  # fmt: skip
    refused(tmp_path, "is the decoder half of an encoder-decoder model")


def test_a_masked_model(tmp_path):
    """All its weights are there; only what it sees gives it away."""
    save(random_model(hf.BertConfig(vocab_size=VOCABULARY, **_SMALL)), tmp_path)
    refused(tmp_path, r"BertLMHeadModel\) lets a token see those after it")


@pytest.mark.parametrize("name", ["llama", "gemma3"])
def test_an_embedding_model_saved_without_its_head(name, tmp_path):
    """With tied weights nothing would miss: the head is the embedding matrix."""
    model = hf.AutoModel.from_config(FAMILIES[name].config())
    save(model, tmp_path)
    refused(tmp_path, f"was saved as {type(model).__name__}, without an output head")


def test_a_masked_embedding_model(tmp_path):
    save(hf.BertModel(hf.BertConfig(vocab_size=VOCABULARY, **_SMALL)), tmp_path)
    refused(tmp_path, "was saved as BertModel, without an output head")


def test_models_whose_class_ends_in_model_have_a_head(tmp_path):
    save(random_model(FAMILIES["gpt2"].config()), tmp_path)
    assert type(load_model(str(tmp_path), device="cpu").model).__name__ == "GPT2LMHeadModel"


@pytest.mark.parametrize("missing", ["lm_head.weight", "model.layers.1.mlp.up_proj.weight"])
def test_weights_that_transformers_would_draw_at_random(missing, tmp_path):
    save(random_model(hf.LlamaConfig(**llama_like(num_hidden_layers=2))), tmp_path)
    path = tmp_path / "model.safetensors"
    weights = load_file(path)
    path.unlink()
    save_file({name: weight for name, weight in weights.items() if name != missing}, path, {"format": "pt"})
    refused(tmp_path, f"lacks 1 of its weights, such as {missing}")


@pytest.mark.parametrize("where", ["model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"])
def test_nan_weights(where, tmp_path):
    model = random_model(hf.LlamaConfig(**llama_like(num_hidden_layers=2)))
    with torch.no_grad():
        model.get_parameter(where).fill_(float("nan"))
    save(model, tmp_path)
    refused(tmp_path, "gives NaN logits")


def test_a_model_without_final_norm_can_be_scored_but_not_read(tmp_path):
    save(
        random_model(hf.OpenAIGPTConfig(vocab_size=VOCABULARY, n_positions=64, n_embd=32, n_layer=2, n_head=4)),
        tmp_path,
    )
    loaded = load_model(str(tmp_path), device="cpu")
    with pytest.raises(ModelError, match="OpenAIGPTLMHeadModel has no final norm") as caught:
        LogitLens(loaded)
    assert "post-norm" in caught.value.hint
    assert "score can take this model" in caught.value.hint


def test_a_family_without_logits_to_keep_is_read_all_the_same():
    class Older(hf.LlamaForCausalLM):
        def forward(self, input_ids=None, attention_mask=None, past_key_values=None, use_cache=None):
            return super().forward(input_ids, attention_mask, None, past_key_values, use_cache=use_cache)

    torch.manual_seed(0)
    model = Older(hf.LlamaConfig(**llama_like())).eval()
    lens = LogitLens(model)
    assert lens.loaded.last_only == {}
    assert lens.check.early_exit_depths == (1, 2, 3)
    ids = torch.tensor([[20, 21, 22]])
    with torch.inference_mode():
        own = model(input_ids=ids).logits[0, -1]
    torch.testing.assert_close(lens.decode(lens.states(input_ids=ids)[0])[-1], own)


def test_a_family_without_logits_to_keep_is_scored_all_the_same():
    loaded = tiny("llama")
    older = type(loaded)(loaded.model, loaded.tokenizer, loaded.resolved, loaded.device, loaded.dtype)
    older.__dict__["last_only"] = {}
    contexts = [(20, 21, 22, 23), (20, 21, 22, 24, 25)]
    assert check_sharing(older, contexts, (50, 51)) == ("packed", None)
    for sharing in ("packed", "copied", "nothing"):
        scorer = AnswerScorer(older, sharing=sharing)
        found = scorer.score(contexts, [[(50, 51)], [(52,)]])
        torch.testing.assert_close(
            torch.from_numpy(found[0][0]), torch.from_numpy(plain_log_probabilities(loaded, contexts[0], (50, 51))),
            rtol=0, atol=1e-4,
        )  # fmt: skip
        assert scorer.generate(contexts, 3, lambda token: False) == AnswerScorer(loaded).generate(
            contexts, 3, lambda token: False
        )


def test_a_folder_of_an_unknown_family(tmp_path):
    save(random_model(hf.LlamaConfig(**llama_like(num_hidden_layers=2))), tmp_path)
    config = tmp_path / "config.json"
    config.write_text(config.read_text().replace('"llama"', '"llama9"'))
    refused(tmp_path, "has no readable config.*llama9")


_OWN_CODE = """\
from pathlib import Path
from transformers import LlamaConfig, LlamaForCausalLM
Path(__file__).with_name("executed").touch()
class Config(LlamaConfig): pass
class Model(LlamaForCausalLM): pass
"""


def with_own_code(folder, kind: str) -> None:
    save(random_model(hf.LlamaConfig(**llama_like(num_hidden_layers=2))), folder)
    (folder / "own.py").write_text(_OWN_CODE)
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": kind, "auto_map": {"AutoConfig": "own.Config", "AutoModelForCausalLM": "own.Model"}}
    (folder / "config.json").write_text(json.dumps(config))


def test_code_of_a_models_own_is_never_run_nor_asked_about(tmp_path, monkeypatch, capsys):
    with_own_code(tmp_path, "llama9")
    monkeypatch.setattr("sys.stdin", io.StringIO("y\ny\ny\n"))
    monkeypatch.setattr("builtins.input", lambda prompt: pytest.fail("it asks"))
    assert "nothing that comes with a model is executed" in refused(tmp_path, "code of its own").message
    assert not list(tmp_path.rglob("executed"))
    assert capsys.readouterr().out == ""


def test_code_of_a_models_own_that_was_passed_over_is_named(tmp_path):
    with_own_code(tmp_path, "llama")
    assert load_model(str(tmp_path), device="cpu").warnings == (
        "the model's own code (own.Model) was not run: LlamaForCausalLM of transformers was",
    )
    assert not list(tmp_path.rglob("executed"))


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json"])
def test_a_pointer_of_git_lfs(name, tmp_path):
    save(random_model(hf.LlamaConfig(**llama_like(num_hidden_layers=2))), tmp_path)
    (tmp_path / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n")
    assert "git lfs pull" in refused(tmp_path, f"{name} is a pointer of Git LFS").hint
    if name != "model.safetensors":
        return
    (tmp_path / "some.gguf").write_bytes((tmp_path / name).read_bytes())
    with pytest.raises(ModelError, match=r"some\.gguf is a pointer of Git LFS"):
        resolve_model(str(tmp_path / "some.gguf"))


def test_weights_that_are_there_twice_are_named(tmp_path):
    save(random_model(hf.LlamaConfig(**llama_like(num_hidden_layers=2)), seed=1), tmp_path)
    (tmp_path / "model.safetensors").rename(tmp_path / "whole")
    random_model(hf.LlamaConfig(**llama_like(num_hidden_layers=2))).save_pretrained(tmp_path, max_shard_size="20kB")
    assert load_model(str(tmp_path), device="cpu").warnings == ()
    (tmp_path / "whole").rename(tmp_path / "model.safetensors")
    (warning,) = load_model(str(tmp_path), device="cpu").warnings
    assert warning.startswith("model.safetensors was read, and not the files that model.safetensors.index.json")
