"""The lens of models as researchers hold them: bare, with adapters, quantised, offloaded."""

import copy
import warnings

import accelerate
import peft
import pytest
import torch
import transformers as hf
from torch import nn

import pivotlens
from pivotlens.errors import ModelError
from pivotlens.models.lens import LogitLens
from tiny_models import FAMILIES, VOCABULARY, byte_level_tokenizer, llama_like, loaded_of, random_model

pytestmark = pytest.mark.usefixtures("one_thread")

_IDS = torch.tensor([[20, 21, 22, 23, 24, 25, 26, 27, 28]])


def decoded(lens: LogitLens) -> torch.Tensor:
    return lens.decode(lens.states(input_ids=_IDS, use_cache=False)[0])


def own_logits(model: nn.Module) -> torch.Tensor:
    with torch.inference_mode():
        return model(input_ids=_IDS, use_cache=False, logits_to_keep=1).logits[0, -1].float()


def exact(lens: LogitLens, model: nn.Module) -> torch.Tensor:
    """Check the last layer against the model and every other one against the model cut by hand; return the logits."""
    assert lens.check.early_exit_depths == (1, 2, 3)
    logits = decoded(lens)
    torch.testing.assert_close(logits[-1], own_logits(model), rtol=1e-5, atol=1e-5)
    decoder = lens.loaded.model.get_decoder()
    blocks = decoder.layers
    for depth in (1, 2, 3):
        decoder.layers = blocks[:depth]
        decoder.config.num_hidden_layers = depth
        torch.testing.assert_close(logits[depth], own_logits(model), rtol=1e-5, atol=1e-5)
    decoder.layers, decoder.config.num_hidden_layers = blocks, 4
    return logits


def random_adapter(name: str, **more) -> tuple[hf.PreTrainedModel, peft.PeftModel]:
    model = random_model(FAMILIES[name].config())
    plain = copy.deepcopy(model)
    settings = {"r": 4, "target_modules": ["q_proj", "v_proj", "down_proj"], "init_lora_weights": False} | more
    return plain, adapted(model, peft.LoraConfig(**settings))


def adapted(model: hf.PreTrainedModel, config: peft.PeftConfig) -> peft.PeftModel:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wrapped = peft.get_peft_model(model, config)
    wrapped.train(False)
    return wrapped


# -- bare models


def test_a_model_of_a_notebook_is_read_without_a_tokenizer():
    assert pivotlens.LogitLens is LogitLens
    model = random_model(FAMILIES["gemma3"].config())
    lens = pivotlens.LogitLens(model)
    torch.testing.assert_close(exact(lens, model), decoded(LogitLens(loaded_of(model))), rtol=0, atol=0)
    assert lens.loaded.tokenizer is None
    assert LogitLens(model, byte_level_tokenizer()).loaded.tokenizer is byte_level_tokenizer()
    assert lens.loaded.details()["architecture"] == "Gemma3ForCausalLM"
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_wrappers_that_only_pass_on_are_looked_through():
    model = random_model(FAMILIES["llama"].config())
    for wrapped in (nn.DataParallel(model), torch.compile(model, backend="eager")):
        assert LogitLens(wrapped).loaded.model is model


def test_a_model_in_training_mode_is_refused():
    model = random_model(FAMILIES["llama"].config())
    with pytest.raises(ModelError, match=r"training mode.*\n.*model\.eval"):
        LogitLens(model.train())
    _, wrapped = random_adapter("llama", lora_dropout=0.3)
    wrapped.get_base_model().model.layers[0].self_attn.q_proj.lora_dropout.train()
    with pytest.raises(ModelError, match="training mode"):
        LogitLens(wrapped)


def test_what_is_no_transformers_model_is_refused():
    with pytest.raises(ModelError, match="Linear is no transformers model"):
        LogitLens(nn.Linear(2, 2))


# -- adapters


@pytest.mark.parametrize("name", ["llama", "gemma3"])
def test_lora_is_read_with_its_adapter_on_and_off(name):
    plain, wrapped = random_adapter(name)
    lens = LogitLens(wrapped)
    on = exact(lens, wrapped)
    before = exact(LogitLens(plain), plain)
    assert (on - before).abs().max() > 0.1
    with wrapped.disable_adapter():
        torch.testing.assert_close(exact(LogitLens(wrapped), wrapped), before, rtol=0, atol=0)
        # The same lens reads what the model now is.
        torch.testing.assert_close(decoded(lens), before, rtol=0, atol=0)
    torch.testing.assert_close(decoded(lens), on, rtol=0, atol=0)


def test_adapters_of_the_head_and_of_the_projection_before_it_are_applied():
    _, wrapped = random_adapter("opt", target_modules=["q_proj", "project_out", "lm_head"])
    lens = LogitLens(wrapped)
    assert [type(module).__name__ for module in lens.after_blocks] == ["LayerNorm", "Linear"]
    exact(lens, wrapped)
    _, wrapped = random_adapter("llama", modules_to_save=["lm_head"])
    exact(LogitLens(wrapped), wrapped)


@pytest.mark.parametrize("kind", [peft.PromptTuningConfig, peft.PrefixTuningConfig])
def test_adapters_that_add_tokens_are_refused(kind):
    model = random_model(FAMILIES["llama"].config())
    wrapped = adapted(model, kind(task_type="CAUSAL_LM", num_virtual_tokens=3))
    with pytest.raises(ModelError, match="PeftModelForCausalLM answers otherwise than the LlamaForCausalLM within it"):
        LogitLens(wrapped)


# -- quantised


@pytest.mark.parametrize("name", ["llama", "gemma3", "gpt2"])
def test_dynamic_int8_is_read_as_the_quantised_model_itself(name):
    model = random_model(FAMILIES[name].config())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quantised = torch.ao.quantization.quantize_dynamic(model, {nn.Linear}, dtype=torch.qint8)
    lens = LogitLens(quantised)
    assert type(lens.head.module) is torch.ao.nn.quantized.dynamic.Linear
    assert lens.head.one_by_one, "its scale is that of all rows together"
    if name == "gpt2":
        torch.testing.assert_close(decoded(lens)[-1], own_logits(quantised))
    else:
        logits = exact(lens, quantised)
        assert (logits[-1] - own_logits(model)).abs().max() > 1e-3


def test_a_quantised_projection_before_the_head_is_refused():
    """Its scale is that of all positions together, so that the last one alone gives something else."""
    model = random_model(FAMILIES["opt"].config())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quantised = torch.ao.quantization.quantize_dynamic(model, {nn.Linear}, dtype=torch.qint8)
    with pytest.raises(ModelError, match="self-check failed on OPTForCausalLM"):
        LogitLens(quantised)


# -- offloaded


@pytest.mark.parametrize("name", ["llama", "gemma3"])
@pytest.mark.parametrize("where", ["memory", "disk"])
def test_offloaded_weights_are_fetched_for_the_norm_and_the_head(name, where, tmp_path):
    model = random_model(FAMILIES[name].config())
    expected = decoded(LogitLens(model))
    moved = copy.deepcopy(model)
    if where == "memory":
        accelerate.cpu_offload(moved, execution_device=torch.device("cpu"))
    else:
        tied = name == "gemma3"
        places = {f"model.layers.{block}": "disk" if block % 2 else "cpu" for block in range(4)}
        places |= {"model.embed_tokens": "cpu", "model.rotary_emb": "cpu", "model.norm": "disk"}
        places["lm_head"] = "cpu" if tied else "disk"
        accelerate.dispatch_model(moved, device_map=places, offload_dir=str(tmp_path), main_device="cpu")
    assert moved.model.norm.weight.device.type == "meta"
    lens = LogitLens(moved)
    assert lens.loaded.device.type == "cpu"
    torch.testing.assert_close(decoded(lens), expected, rtol=0, atol=0)
    assert moved.model.norm.weight.device.type == "meta"


# -- models that are no decoders


def test_encoders_and_masked_models_are_refused():
    small = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    for config in (
        hf.BertConfig(vocab_size=VOCABULARY, **small),
        hf.XLNetConfig(vocab_size=VOCABULARY, d_model=32, n_layer=2, n_head=4, d_inner=48),
        hf.CpmAntConfig(
            vocab_size=VOCABULARY, hidden_size=32, num_attention_heads=4, dim_head=8, dim_ff=48, num_hidden_layers=2
        ),
    ):
        model = random_model(config)
        with pytest.raises(ModelError, match=f"{type(model).__name__}.*lets a token see those after it"):
            LogitLens(model)


def test_encoder_decoders_are_refused():
    config = hf.T5Config(
        vocab_size=VOCABULARY, d_model=16, d_kv=8, d_ff=16, num_layers=2, num_heads=2, decoder_start_token_id=0
    )
    with pytest.raises(ModelError, match="encoder-decoder model \\(t5\\)"):
        LogitLens(hf.T5ForConditionalGeneration(config).eval())


def test_embedding_models_are_refused():
    model = hf.AutoModel.from_config(FAMILIES["llama"].config()).eval()
    with pytest.raises(ModelError, match="LlamaModel has no output head"):
        LogitLens(model)


def test_nan_is_refused():
    model = random_model(FAMILIES["llama"].config())
    with torch.no_grad():
        model.model.norm.weight.fill_(float("nan"))
    with pytest.raises(ModelError, match="LlamaForCausalLM gives NaN logits"):
        LogitLens(model)


def test_a_model_that_needs_more_than_token_ids_is_refused():
    class Demanding(hf.LlamaForCausalLM):
        def forward(self, input_ids, pixels, **more):
            return super().forward(input_ids, **more)

    with pytest.raises(ModelError, match="Demanding cannot run on token ids alone"):
        LogitLens(Demanding(hf.LlamaConfig(**llama_like())).eval())


_REFUSED = {
    "OpenAIGPT": (
        {"vocab_size": VOCABULARY, "n_positions": 64, "n_embd": 32, "n_layer": 2, "n_head": 4},
        "OpenAIGPTLMHeadModel has no final norm",
    ),
    "Bart": (
        {"vocab_size": VOCABULARY, "d_model": 32, "decoder_layers": 3, "decoder_attention_heads": 4,
         "decoder_ffn_dim": 48, "encoder_layers": 2, "is_decoder": True, "is_encoder_decoder": False},
        "BartForCausalLM.* is the decoder half of an encoder-decoder model",
    ),
    "Gemma3nText": (
        llama_like(head_dim=8, num_kv_shared_layers=0, laurel_rank=4, hidden_size_per_layer_input=8,
                   vocab_size_per_layer_input=VOCABULARY, layer_types=["full_attention"] * 4, intermediate_size=48),
        "self-check failed on Gemma3nForCausalLM",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", _REFUSED)
def test_other_families_are_refused_by_name(name):
    settings, message = _REFUSED[name]
    model = random_model(getattr(hf, f"{name}Config")(**settings))
    with pytest.raises(ModelError, match=message):
        LogitLens(model)
