"""GGUF files of whose weights transformers, which passes over names it does not know, would leave some out."""

from pathlib import Path

import gguf
import numpy as np
import pytest
from tokenizers import pre_tokenizers

from pivotlens.errors import ModelError
from pivotlens.models.load import load_model

_VOCABULARY, _HIDDEN, _INNER, _HEADS, _BLOCKS = 300, 32, 48, 4, 2
_SHAPES = {
    **dict.fromkeys(("attn_q", "attn_k", "attn_v", "attn_output"), (_HIDDEN, _HIDDEN)),
    **dict.fromkeys(("ffn_gate", "ffn_up"), (_INNER, _HIDDEN)),
    "ffn_down": (_HIDDEN, _INNER),
    **dict.fromkeys(("attn_norm", "ffn_norm"), (_HIDDEN,)),
}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PIVOTLENS_CACHE", str(tmp_path / "cache"))


def write(path: Path, *more: tuple[str, tuple[int, ...]], blocks: int = _BLOCKS) -> str:
    """Write a Llama of two blocks, its header saying ``blocks``, with further tensors."""
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_context_length(128)
    writer.add_embedding_length(_HIDDEN)
    writer.add_block_count(blocks)
    writer.add_feed_forward_length(_INNER)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(_HIDDEN // _HEADS)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(_VOCABULARY)
    tokens = ["<s>", "</s>", *sorted(pre_tokenizers.ByteLevel.alphabet()), "ab"]
    tokens += [f"<{number}>" for number in range(_VOCABULARY - len(tokens))]
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(tokens)
    writer.add_token_types([3, 3] + [1] * (_VOCABULARY - 2))
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    generator = np.random.default_rng(0)
    tensors = [("token_embd.weight", (_VOCABULARY, _HIDDEN)), ("output.weight", (_VOCABULARY, _HIDDEN))]
    tensors += [("output_norm.weight", (_HIDDEN,)), *more]
    tensors += [(f"blk.{block}.{name}.weight", shape) for block in range(_BLOCKS) for name, shape in _SHAPES.items()]
    for name, shape in tensors:
        writer.add_tensor(name, (generator.standard_normal(shape) * 0.1).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return str(path)


def test_a_whole_file_is_read(tmp_path):
    loaded = load_model(write(tmp_path / "plain.gguf"), device="cpu")
    assert loaded.model.config.num_hidden_layers == _BLOCKS
    assert loaded.warnings == ()


@pytest.mark.parametrize("name", ["blk.0.attn_q.bias", "blk.1.ffn_down.bias", "blk.0.attn_q_norm.weight"])
def test_a_weight_that_transformers_has_no_place_for(name, tmp_path):
    with pytest.raises(ModelError, match=r"the blocks of .*weights, and the model .* takes"):
        load_model(write(tmp_path / "more.gguf", (name, (_HIDDEN,))), device="cpu")
    assert not list((tmp_path / "cache").rglob("*.safetensors"))


def test_fewer_blocks_in_the_header_than_in_the_file(tmp_path):
    with pytest.raises(ModelError, match=r"the blocks of .*weights, and the model .* takes"):
        load_model(write(tmp_path / "fewer.gguf", blocks=1), device="cpu")


def test_tables_of_rotary_positions_are_named_each_time(tmp_path):
    spec = write(tmp_path / "rope.gguf", ("rope_freqs.weight", (4,)))
    for _ in range(2):
        (warning,) = load_model(spec, device="cpu").warnings
        assert warning.startswith("rope_freqs.weight of rope.gguf was not read")
