"""Tiny models whose attention depends on positions in their own way: local, chunked, biased, scaled by length."""

from __future__ import annotations

import functools
from typing import Any

import transformers as hf

from more_families import ALL_FAMILIES
from pivotlens.models.load import LoadedModel
from tiny_models import llama_like, loaded_of, random_model

WINDOW = 8
"""Of every variant; the families of the other two lists have one of 6."""

_SLIDING, _FULL, _CHUNKED = "sliding_attention", "full_attention", "chunked_attention"
_GEMMA = {"head_dim": 8, "query_pre_attn_scalar": 8, "sliding_window": WINDOW}
_LLAMA4 = {
    "head_dim": 8,
    "intermediate_size_mlp": 48,
    "num_local_experts": 4,
    "num_experts_per_tok": 1,
    "attention_chunk_size": WINDOW,
}


def _scaled(kind: str, positions: int = 8 * WINDOW, **more: Any) -> Any:
    """A Llama with a kind of scaled rotary positions."""
    rope = {"rope_type": kind, "rope_theta": 10000.0, "factor": 4.0, **more}
    return hf.LlamaConfig(**llama_like(max_position_embeddings=positions, rope_parameters=rope))


def _longrope(original: int) -> Any:
    rope = {
        "rope_type": "longrope",
        "rope_theta": 10000.0,
        "short_factor": [1.0] * 4,
        "long_factor": [2.0, 3.0, 4.0, 5.0],
        "original_max_position_embeddings": original,
    }
    return hf.Phi3Config(
        **llama_like(rope_parameters=rope, original_max_position_embeddings=original), sliding_window=None
    )


def _llama4(layers: list[str], no_rope: list[int]) -> Any:
    return hf.Llama4TextConfig(**llama_like(layer_types=layers, no_rope_layers=no_rope, **_LLAMA4))


def _mpt(**attention: Any) -> Any:
    return hf.MptConfig(
        vocab_size=320, d_model=32, n_layers=4, n_heads=4, max_seq_len=256, attn_config={"alibi": True, **attention}
    )


def _gpt_neo(kinds: list[str]) -> Any:
    return hf.GPTNeoConfig(
        vocab_size=320, max_position_embeddings=256, hidden_size=32, num_layers=4, num_heads=4,
        attention_types=[[kinds, 4 // len(kinds)]], window_size=WINDOW, bos_token_id=0, eos_token_id=1,
    )  # fmt: skip


VARIANTS: dict[str, Any] = {
    "gpt_neo_local": lambda: _gpt_neo(["local"]),
    "gpt_neo_global": lambda: _gpt_neo(["global"]),
    "mpt_clipped": lambda: _mpt(clip_qkv=2.0, alibi_bias_max=4),
    "llama4_chunked": lambda: _llama4([_CHUNKED] * 4, [1] * 4),
    "llama4_nope": lambda: _llama4([_CHUNKED, _CHUNKED, _CHUNKED, _FULL], [1, 1, 1, 0]),
    "gemma2_window": lambda: hf.Gemma2Config(**llama_like(**_GEMMA)),
    "gemma3_all_sliding": lambda: hf.Gemma3TextConfig(**llama_like(layer_types=[_SLIDING] * 4, **_GEMMA)),
    "mistral_window": lambda: hf.MistralConfig(**llama_like(sliding_window=WINDOW)),
    "qwen2_layers": lambda: hf.Qwen2Config(
        **llama_like(use_sliding_window=True, sliding_window=WINDOW, max_window_layers=2)
    ),
    "gpt_oss_sinks": lambda: hf.GptOssConfig(
        **llama_like(head_dim=8, num_local_experts=4, num_experts_per_tok=2, sliding_window=WINDOW,
                     layer_types=[_SLIDING, _FULL] * 2,
                     rope_parameters={"rope_type": "default", "rope_theta": 10000.0})
    ),
    "smollm3_nope": lambda: hf.SmolLM3Config(**llama_like(no_rope_layer_interval=2)),
    "rope_linear": lambda: _scaled("linear"),
    "rope_dynamic": lambda: _scaled("dynamic", 2 * WINDOW),
    "rope_dynamic_within": lambda: _scaled("dynamic"),
    "rope_yarn": lambda: _scaled("yarn", original_max_position_embeddings=2 * WINDOW),
    "rope_llama3": lambda: _scaled("llama3", original_max_position_embeddings=2 * WINDOW, low_freq_factor=1.0,
                                   high_freq_factor=4.0),
    "longrope": lambda: _longrope(2 * WINDOW),
    "longrope_within": lambda: _longrope(8 * WINDOW),
}  # fmt: skip

FAMILIES_OF_POSITIONS = {name: family.config for name, family in ALL_FAMILIES.items()} | VARIANTS


@functools.cache
def tiny_by_position(name: str) -> LoadedModel:
    """Return a tiny model; the same one each time, so tests must not change it."""
    return loaded_of(random_model(FAMILIES_OF_POSITIONS[name]()))
