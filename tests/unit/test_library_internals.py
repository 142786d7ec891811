"""What `models/library_internals.py` leans on is still there: where a library changed, the test's name says what."""

import logging
from types import SimpleNamespace

import pytest
import torch
import transformers
from accelerate import hooks
from torch import nn
from transformers import AutoModelForCausalLM, LlamaConfig
from transformers.cache_utils import DynamicCache, DynamicLayer, DynamicSlidingWindowLayer
from transformers.quantizers.base import HfQuantizer

from pivotlens.models import library_internals as internals
from tiny_models import FAMILIES, random_model


def filled_cache(rows=3):
    cache = DynamicCache()
    for layer in range(2):
        cache.update(torch.randn(rows, 2, 4, 8), torch.randn(rows, 2, 4, 8), layer)
    return cache


# -- transformers


def test_transformers_dynamic_cache_has_layers():
    assert [type(layer) for layer in filled_cache().layers] == [DynamicLayer, DynamicLayer]


@pytest.mark.parametrize("kind", [DynamicLayer, DynamicSlidingWindowLayer])
def test_transformers_cache_layers_have_keys_values_and_batch_select_indices(kind):
    layer = DynamicLayer() if kind is DynamicLayer else kind(sliding_window=8)
    states = torch.randn(3, 2, 4, 8)
    layer.update(states, states)
    before = layer.keys
    layer.batch_select_indices(torch.tensor([2, 0]))
    assert torch.equal(layer.keys, states[[2, 0]])
    assert torch.equal(layer.values, states[[2, 0]])
    assert torch.equal(before, states), "the rows are to be chosen anew, not changed in place"


def test_transformers_caches_of_plain_families_are_of_these_kinds_and_those_of_others_are_not():
    for family, kinds in (("llama", {DynamicLayer}), ("gemma3", {DynamicLayer, DynamicSlidingWindowLayer})):
        model = random_model(FAMILIES[family].config())
        cache = model(input_ids=torch.tensor([[5, 6, 7]]), use_cache=True).past_key_values
        assert {type(layer) for layer in cache.layers} <= kinds
        assert internals.is_shareable(cache)
    assert not internals.is_shareable(transformers.StaticCache(config=LlamaConfig(), max_cache_len=8))
    assert not internals.is_shareable(None)


def test_chosen_rows_are_a_cache_of_their_own():
    cache = filled_cache()
    keys = [layer.keys.clone() for layer in cache.layers]
    chosen = internals.select_rows(cache, torch.tensor([1, 1]))
    chosen.update(torch.zeros(2, 2, 1, 8), torch.zeros(2, 2, 1, 8), 0)
    assert [layer.keys.shape for layer in chosen.layers] == [(2, 2, 5, 8), (2, 2, 4, 8)]
    for layer, other, before in zip(cache.layers, chosen.layers, keys, strict=True):
        assert torch.equal(layer.keys, before)
        assert torch.equal(other.keys[:, :, :4], before[[1, 1]])


def test_transformers_lists_its_causal_language_models_by_class():
    names = internals.classes_with_head()
    assert {"LlamaForCausalLM", "GPT2LMHeadModel", "Gemma3ForCausalLM"} <= names
    assert not names & {"LlamaModel", "BertModel"}


class _Packed(HfQuantizer):
    """As of a GGUF file: unpacked on loading, and not to be saved packed."""

    def __init__(self):
        self.quantization_config = SimpleNamespace(quant_method="gguf")

    def is_serializable(self):
        return False

    is_trainable = False


def test_transformers_refuses_to_save_a_model_by_its_hf_quantizer_and_quantization_config(tmp_path):
    model = random_model(FAMILIES["llama"].config())
    model.hf_quantizer = _Packed()
    model.config.quantization_config = {"quant_method": "gguf"}
    with pytest.raises(ValueError, match="quantized with gguf"):
        model.save_pretrained(tmp_path)
    internals.forget_quantisation(model)
    model.save_pretrained(tmp_path)
    again = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert getattr(again.config, "quantization_config", None) is None
    ids = torch.tensor([[5, 6, 7]])
    assert torch.equal(again(input_ids=ids).logits, model.eval()(input_ids=ids).logits)


def test_transformers_rotary_modules_keep_the_longest_length_under_these_names():
    rope = {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10000.0}
    config = FAMILIES["llama"].config()
    config.rope_parameters, config.max_position_embeddings = rope, 8
    model = random_model(config)
    (rotary,) = (module for module in model.modules() if hasattr(module, "rope_type"))
    assert {"original_inv_freq", "inv_freq", "max_seq_len_cached", "original_max_seq_len"} <= set(dir(rotary))
    internals.forget_lengths(model)
    short, long = torch.arange(5, 10)[None], torch.arange(5, 45)[None]
    with torch.inference_mode():
        before = model(input_ids=short).logits
        model(input_ids=long)
        assert rotary.max_seq_len_cached == 40
        assert torch.equal(model(input_ids=short).logits, before)


def test_transformers_remembers_warnings_in_a_cached_method_of_loggers():
    assert hasattr(logging.Logger.warning_once, "cache_clear")
    logging.Logger.warning_once.cache_info()
    logging.getLogger("pivotlens.test").warning_once("said")
    internals.let_warnings_repeat()
    assert logging.Logger.warning_once.cache_info().currsize == 0


# -- accelerate


def test_accelerate_marks_modules_with_hf_hook():
    module = nn.Linear(2, 2)
    assert not internals.is_offloaded(module)
    assert internals.execution_device(module) is None
    hooks.add_hook_to_module(module, hooks.ModelHook())
    assert internals.is_offloaded(module)
    assert internals.execution_device(module) is None
    hooks.remove_hook_from_module(module)
    assert not internals.is_offloaded(module)


@pytest.mark.parametrize("append", [False, True])
def test_accelerate_hooks_name_their_execution_device_alone_and_in_a_sequence(append):
    module = nn.Linear(2, 2)
    if append:
        hooks.add_hook_to_module(module, hooks.ModelHook())
    hooks.add_hook_to_module(module, hooks.AlignDevicesHook(execution_device="cpu"), append=append)
    assert internals.execution_device(module) == torch.device("cpu")


# -- torch


def test_torch_compile_keeps_the_module_as_orig_mod():
    module = nn.Linear(2, 2)
    assert internals.compiled_module(torch.compile(module, backend="eager")) is module
    assert internals.compiled_module(module) is None


def test_torch_runs_the_forward_of_the_instance_and_its_hooks_as_ever():
    module, seen = nn.Linear(2, 2), []
    module.register_forward_hook(lambda module, inputs, output: seen.append(output))
    states = torch.ones(1, 2)
    plain = module(states)
    with internals.running_instead(module, lambda states: states + 1):
        assert torch.equal(module(states), states + 1)
    assert len(seen) == 2
    assert "forward" not in vars(module)
    assert torch.equal(module(states), plain)


@pytest.mark.parametrize("change", ["forward", "blocks"])
def test_what_was_there_comes_back_after_an_error(change):
    model = random_model(FAMILIES["llama"].config())
    blocks = model.model.layers
    changed = (
        internals.running_instead(model, lambda: None)
        if change == "forward"
        else internals.cut_off(model.model, "layers", 1, model.config)
    )
    with pytest.raises(ZeroDivisionError), changed:
        1 / 0  # noqa: B018
    assert "forward" not in vars(model)
    assert model.model.layers is blocks
    assert model.config.num_hidden_layers == 4


def test_what_another_library_had_put_in_forwards_place_comes_back():
    module = nn.Linear(2, 2)
    hooks.add_hook_to_module(module, hooks.ModelHook())
    theirs = module.forward
    with internals.running_instead(module, lambda states: states):
        assert module.forward is not theirs
    assert module.forward is theirs


def test_the_gradient_of_a_softmax_is_that_of_autograd():
    given, weights = torch.randn(3, 5, requires_grad=True), torch.randn(3, 5)
    shares = given.softmax(-1)
    (expected,) = torch.autograd.grad((shares * weights).sum(), given)
    torch.testing.assert_close(internals.softmax_gradient(weights, shares.detach()), expected)


def test_a_model_names_the_class_of_its_blocks():
    model = random_model(FAMILIES["llama"].config())
    assert internals.undivided_modules(model) == [type(model.model.layers[0]).__name__]


@pytest.mark.parametrize("config_too", [True, False])
def test_a_model_that_was_cut_off_is_whole_again(config_too):
    model = random_model(FAMILIES["llama"].config())
    decoder = model.model
    blocks, ids = decoder.layers, torch.tensor([[5, 6, 7]])
    with torch.inference_mode():
        whole = model(input_ids=ids).logits
        with internals.cut_off(decoder, "layers", 2, model.config, config_too=config_too):
            assert list(decoder.layers) == list(blocks)[:2]
            assert model.config.num_hidden_layers == (2 if config_too else 4)
        assert decoder.layers is blocks
        assert model.config.num_hidden_layers == 4
        assert torch.equal(model(input_ids=ids).logits, whole)
