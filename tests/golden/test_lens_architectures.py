"""The lens against physically truncated models, for every family that is made small."""

import copy
from typing import Any

import pytest
import torch
import transformers as hf
from torch import nn

from more_families import ALL_FAMILIES, UNSHARED, tiny_of
from pivotlens.errors import ModelError
from pivotlens.models.encoding import Ids
from pivotlens.models.lens import LogitLens, find_blocks
from pivotlens.models.load import load_model
from pivotlens.models.prefix import SharedPrefix, common_prefix
from pivotlens.models.scorer import check_sharing
from tiny_models import FAMILIES, VOCABULARY, llama_like, loaded_of, random_model, save, tiny

pytestmark = pytest.mark.usefixtures("one_thread")

_BLOCK_LISTS = (
    "model.layers", "transformer.h", "gpt_neox.layers", "model.decoder.layers", "transformer.blocks", "backbone.layers",
    "backbone.blocks", "rwkv.blocks", "biogpt.layers", "model.language_model.layers",
)  # fmt: skip
_PROMPT = tuple(range(20, 34))  # longer than the sliding window of 6
_TOLERANCE = 1e-4


def block_list(model: nn.Module) -> tuple[nn.Module, str]:
    """Find the blocks by the names the families use, not by the way of the code under test."""
    for path in _BLOCK_LISTS:
        owner, _, name = path.rpartition(".")
        try:
            if isinstance(model.get_submodule(path), nn.ModuleList):
                return model.get_submodule(owner), name
        except AttributeError:
            continue
    raise AssertionError(f"no known block list in {type(model).__name__}")


def truncated_logits(model: Any, depth: int, ids: torch.Tensor) -> torch.Tensor:
    """Answer of a copy of the model that has only its first blocks."""
    cut = copy.deepcopy(model)
    owner, name = block_list(cut)
    setattr(owner, name, getattr(owner, name)[:depth])
    text = cut.config.get_text_config()
    if not getattr(text, "hidden_size_per_layer_input", 0):  # embeddings for every block are cut by their number
        text.num_hidden_layers = depth
    with torch.inference_mode():
        return cut(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False).logits[:, -1].float()


def contexts() -> list[Ids]:
    """Prompts that begin alike, of two lengths; the common beginning is longer than the window."""
    return [
        (*_PROMPT, 40, 41),
        (*_PROMPT, 42, 43),
        (*_PROMPT, 44),
        (*_PROMPT, 40),
        (*_PROMPT, 45, 46),
        (*_PROMPT, 47, 48, 49),
    ]


@pytest.mark.parametrize("name", ALL_FAMILIES)
def test_family_has_the_expected_size(name):
    model = tiny_of(name).model
    assert sum(parameter.numel() for parameter in model.parameters()) == ALL_FAMILIES[name].parameters
    owner, attribute = block_list(model)
    found_owner, found_name, blocks = find_blocks(tiny_of(name))
    assert (found_owner, found_name) == (owner, attribute)
    assert len(blocks) == 4


def test_there_are_many_families():
    assert len(ALL_FAMILIES) == 89


@pytest.mark.parametrize("name", ALL_FAMILIES)
def test_lens_is_the_truncated_model_at_every_depth(name):
    loaded = tiny_of(name)
    lens = LogitLens(loaded)
    assert lens.n_layers == 5
    assert lens.check.untestable == ""
    assert lens.check.early_exit_depths == (1, 2, 3)
    ids = torch.tensor([_PROMPT, tuple(reversed(_PROMPT))])
    states = lens.states(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False)
    assert states.shape[:2] == (2, 5)
    decoded = torch.stack([lens.decode(row) for row in states])
    assert decoded.dtype == torch.float32
    assert decoded.shape == (2, 5, VOCABULARY)
    with torch.inference_mode():
        own = loaded.model(input_ids=ids, use_cache=False).logits[:, -1]
    torch.testing.assert_close(decoded[:, -1], own, rtol=_TOLERANCE, atol=_TOLERANCE)
    for depth in range(1, 5):
        torch.testing.assert_close(
            decoded[:, depth], truncated_logits(loaded.model, depth, ids), rtol=_TOLERANCE, atol=_TOLERANCE
        )
    # The layers must differ, or the comparison would show nothing.
    for depth in range(4):
        assert (decoded[:, depth] - decoded[:, depth + 1]).abs().max() > 100 * _TOLERANCE


@pytest.mark.parametrize("name", [name for name in ALL_FAMILIES if name not in UNSHARED])
def test_states_with_a_shared_prefix_are_the_uncached_ones(name):
    loaded = tiny_of(name)
    lens = LogitLens(loaded)
    prompts = contexts()
    shared = SharedPrefix(loaded, prompts, batch_tokens=40)
    assert shared.prefix == _PROMPT
    seen: list[int] = []
    for batch in shared.batches():
        assert batch.cache is not None
        assert batch.past == len(_PROMPT)
        read = lens.states(**batch.arguments())
        for place, row in enumerate(batch.rows):
            seen.append(row)
            plain = lens.states(input_ids=torch.tensor([prompts[row]]), use_cache=False)[0]
            torch.testing.assert_close(read[place], plain, rtol=1e-4, atol=1e-4)
    assert sorted(seen) == list(range(len(prompts)))


@pytest.mark.parametrize("name", UNSHARED)
def test_families_that_keep_more_than_keys_and_values_are_run_in_full(name):
    loaded = tiny_of(name)
    sharing, reason = check_sharing(loaded, contexts()[:2], (50, 51))
    assert sharing == "nothing"
    assert reason
    if name != "xlstm":  # cannot run with a cache at all
        shared = SharedPrefix(loaded, contexts(), batch_tokens=40)
        assert (shared.prefix, shared.cache) == ((), None)
    for batch in SharedPrefix(loaded, contexts(), batch_tokens=40, share_cache=False).batches():
        assert batch.past == 0
        read = LogitLens(loaded).states(**batch.arguments())
        plain = LogitLens(loaded).states(input_ids=torch.tensor([contexts()[batch.rows[0]]]), use_cache=False)
        torch.testing.assert_close(read[0], plain[0], rtol=1e-4, atol=1e-4)


def test_the_lens_leaves_the_model_as_it_was():
    loaded = tiny("gemma2")
    ids = torch.tensor([_PROMPT])
    with torch.inference_mode():
        before = loaded.model(input_ids=ids).logits
    lens = LogitLens(loaded)
    lens.decode(lens.states(input_ids=ids)[0])
    with torch.inference_mode():
        after = loaded.model(input_ids=ids).logits
    assert torch.equal(before, after)
    assert loaded.model.config.num_hidden_layers == 4
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in loaded.model.modules())


@pytest.mark.parametrize(
    ("name", "setting", "other"),
    [
        ("gemma2", "final_logit_softcapping", None),
        ("gemma3", "final_logit_softcapping", None),
        ("cohere", "logit_scale", 1.0),
        ("cohere2", "logit_scale", 1.0),
        ("granite", "logits_scaling", 1.0),
    ],
)
def test_scaling_after_the_head_is_applied_at_every_layer(name, setting, other):
    """The scale is not trivial: the head's plain product gives other logits than the lens."""
    config = FAMILIES[name].config()
    scale = getattr(config, setting)
    lens = LogitLens(tiny(name))
    states = lens.states(input_ids=torch.tensor([_PROMPT]))[0]
    decoded = lens.decode(states)
    product = states @ tiny(name).model.get_output_embeddings().weight.T
    if "softcapping" in setting:
        expected = scale * torch.tanh(product / scale)
        assert decoded.abs().max() <= scale
    else:
        expected = product / scale if setting == "logits_scaling" else product * scale
    torch.testing.assert_close(decoded, expected, rtol=1e-4, atol=1e-4)
    assert scale != other
    assert (decoded - product).abs().max() > 0.1


def test_decoding_many_states_at_once_is_decoding_each():
    lens = LogitLens(tiny("gpt2"))
    states = torch.randn(70, 32, generator=torch.Generator().manual_seed(1))
    at_once = lens.decode(states)
    torch.testing.assert_close(at_once[[3]], lens.decode(states[[3]]), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ALL_FAMILIES)
def test_bfloat16_model_is_read(name):
    model = random_model(ALL_FAMILIES[name].config()).to(torch.bfloat16)
    lens = LogitLens(model)
    assert lens.loaded.dtype == torch.bfloat16
    assert lens.check.early_exit_depths == (1, 2, 3)
    states = lens.states(input_ids=torch.tensor([_PROMPT]), use_cache=False)
    assert states.dtype == torch.bfloat16
    decoded = lens.decode(states[0])
    assert decoded.dtype == torch.float32
    with torch.inference_mode():
        own = model(input_ids=torch.tensor([_PROMPT]), use_cache=False).logits[0, -1].float()
    assert (decoded[-1] - own).abs().max() <= 1e-2 * own.abs().max()


# -- refusals


def test_a_model_without_final_norm_is_refused():
    config = hf.OPTConfig(
        vocab_size=VOCABULARY, hidden_size=32, ffn_dim=48, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=64, word_embed_proj_dim=32, do_layer_norm_before=False, bos_token_id=0,
        eos_token_id=1, pad_token_id=0,
    )  # fmt: skip
    with pytest.raises(ModelError, match="no final norm"):
        LogitLens(loaded_of(random_model(config)))


def test_a_model_that_rescales_after_its_norm_is_refused():
    config = hf.MiniCPM3Config(
        **llama_like(
            num_hidden_layers=2, num_key_value_heads=4, kv_lora_rank=8, q_lora_rank=16, qk_rope_head_dim=4,
            qk_nope_head_dim=8, v_head_dim=8, dim_model_base=8,
        )
    )  # fmt: skip
    with pytest.raises(ModelError, match="self-check failed on MiniCPM3ForCausalLM"):
        LogitLens(loaded_of(random_model(config)))


def test_a_model_that_repeats_its_blocks_is_refused():
    model = random_model(hf.LlamaConfig(**llama_like()))
    layers = model.model.layers
    model.model.layers = nn.ModuleList([layers[0], layers[1], layers[0], layers[1]])
    with pytest.raises(ModelError, match="repeat or skip blocks"):
        LogitLens(loaded_of(model))


def test_a_model_that_skips_blocks_is_refused():
    model = random_model(hf.LlamaConfig(**llama_like()))
    every = model.model.layers

    class EveryOther(nn.ModuleList):
        def __getitem__(self, index):
            return every[:2] if isinstance(index, slice) else every[index]

    model.model.layers = EveryOther(every)
    with pytest.raises(ModelError, match="ran 2 of its 4 blocks"):
        LogitLens(loaded_of(model))


def test_an_encoder_decoder_is_refused(tmp_path):
    config = hf.T5Config(
        vocab_size=VOCABULARY, d_model=16, d_kv=8, d_ff=16, num_layers=2, num_heads=2, decoder_start_token_id=0
    )
    torch.manual_seed(0)
    save(hf.T5ForConditionalGeneration(config), tmp_path)
    with pytest.raises(ModelError, match="encoder-decoder model \\(t5\\)"):
        load_model(str(tmp_path), device="cpu")


@pytest.mark.parametrize("where", ["model.norm.weight", "model.layers.1.mlp.up_proj.weight", "lm_head.weight"])
def test_nan_weights_are_refused(where):
    model = random_model(hf.LlamaConfig(**llama_like()))
    with torch.no_grad():
        model.get_parameter(where).fill_(float("nan"))
    with pytest.raises(ModelError, match="self-check failed"):
        LogitLens(loaded_of(model))


def test_no_block_list_is_refused():
    model = random_model(hf.LlamaConfig(**llama_like(num_hidden_layers=2)))
    model.config.num_hidden_layers = 3
    with pytest.raises(ModelError, match="no list of 3 blocks"):
        LogitLens(loaded_of(model))


def test_common_prefix_leaves_every_context_a_token():
    assert common_prefix([(1, 2, 3), (1, 2, 4)]) == (1, 2)
    assert common_prefix([(1, 2), (1, 2, 4)]) == (1,)
    assert common_prefix([(1, 2, 3)]) == (1, 2)
    assert common_prefix([(1,), (2, 3)]) == ()
