"""More tiny random language models: recurrent and hybrid ones, several residual streams, experts, newer families."""

from __future__ import annotations

import functools
from typing import Any

from pivotlens.models.load import LoadedModel
from tiny_models import FAMILIES, Family, config_of, llama_like, loaded_of, random_model

_MAMBA = {"mamba_d_state": 8, "mamba_n_heads": 4, "mamba_d_head": 16, "mamba_chunk_size": 16, "mamba_n_groups": 1}
_LINEAR = {
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
    "linear_conv_kernel_dim": 2,
}
_TWO_OF_FOUR = {"num_experts_per_tok": 2, "moe_intermediate_size": 16}
_GROUPS = {"n_routed_experts": 4, "n_shared_experts": 1, "n_group": 2, "topk_group": 1, **_TWO_OF_FOUR}
_LATENT = {"kv_lora_rank": 8, "q_lora_rank": 16, "qk_rope_head_dim": 4, "qk_nope_head_dim": 8, "v_head_dim": 8}
_INDEX = {"index_n_heads": 2, "index_head_dim": 8, "index_topk": 4}
_WINDOW = {"sliding_window": 6}
_BARE = {
    "vocab_size": 320,
    "hidden_size": 32,
    "num_hidden_layers": 4,
    "pad_token_id": 0,
    "bos_token_id": 0,
    "eos_token_id": 1,
}


def _llama(name: str, parameters: int, **more: Any) -> Family:
    return Family(config_of(name, **llama_like(**more)), parameters)


def _bare(name: str, parameters: int, **more: Any) -> Family:
    return Family(config_of(name, **_BARE, **more), parameters)


UNSHARED: dict[str, Family] = {
    "mamba": _bare("Mamba", 43_936, state_size=8),
    "mamba2": _bare("Mamba2", 50_240, num_heads=8, head_dim=8, state_size=8, chunk_size=16, n_groups=1),
    "falcon_mamba": _bare("FalconMamba", 43_936, state_size=8),
    "rwkv": _bare("Rwkv", 54_784, attention_hidden_size=32, intermediate_size=48, rescale_every=2),
    "xlstm": _bare("xLSTM", 87_488, num_heads=4, chunk_size=16),
    "recurrent_gemma": _bare(
        "RecurrentGemma",
        34_976,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=48,
        head_dim=8,
        lru_width=32,
        attention_window_size=6,
    ),
    "jamba": _llama(
        "Jamba",
        90_052,
        num_experts=4,
        num_experts_per_tok=2,
        mamba_d_state=8,
        use_mamba_kernels=False,
        attn_layer_period=2,
        attn_layer_offset=1,
        expert_layer_period=2,
        expert_layer_offset=1,
    ),
    "bamba": _llama("Bamba", 59_864, attn_layer_indices=[1, 3], **_MAMBA),
    "falcon_h1": _llama("FalconH1", 67_344, mamba_d_ssm=32, **(_MAMBA | {"mamba_d_head": 8})),
    "zamba2": _llama(
        "Zamba2",
        88_920,
        mamba_d_state=8,
        chunk_size=16,
        use_mamba_kernels=False,
        n_mamba_heads=2,
        attention_head_dim=16,
        attention_hidden_size=64,
        mamba_ngroups=1,
        layers_block_type=["mamba", "hybrid"] * 2,
        num_mem_blocks=1,
    ),
    "lfm2": _llama(
        "Lfm2", 43_520, layer_types=["conv", "full_attention"] * 2, block_auto_adjust_ff_dim=False, block_ff_dim=48
    ),
    "lfm2_moe": _llama(
        "Lfm2Moe", 48_512, num_experts=4, layer_types=["conv", "full_attention"] * 2, num_dense_layers=1, **_TWO_OF_FOUR
    ),
    "granitemoehybrid": _llama(
        "GraniteMoeHybrid",
        121_816,
        num_local_experts=4,
        num_experts_per_tok=2,
        shared_intermediate_size=16,
        layer_types=["mamba", "attention"] * 2,
        **_MAMBA,
    ),
    "nemotron_h": _llama(
        "NemotronH",
        41_468,
        head_dim=8,
        ssm_state_size=8,
        chunk_size=16,
        use_mamba_kernels=False,
        mamba_num_heads=4,
        mamba_head_dim=16,
        n_groups=1,
        layers_block_type=["mamba", "moe", "attention", "moe"],
        moe_shared_expert_intermediate_size=16,
        **_GROUPS,
    ),
    "qwen3_next": _llama(
        "Qwen3Next",
        69_344,
        head_dim=8,
        num_experts=4,
        shared_expert_intermediate_size=16,
        layer_types=["linear_attention", "full_attention"] * 2,
        **_LINEAR,
        **_TWO_OF_FOUR,
    ),
    "qwen3_5": _llama(
        "Qwen3_5Text", 56_416, head_dim=8, layer_types=["linear_attention", "full_attention"] * 2, **_LINEAR
    ),
    "olmo_hybrid": _llama("OlmoHybrid", 54_432, layer_types=["linear_attention", "full_attention"] * 2, **_LINEAR),
    "minimax": _llama(
        "MiniMax",
        111_456,
        head_dim=8,
        num_local_experts=4,
        num_experts_per_tok=2,
        block_size=32,
        layer_types=["linear_attention", "full_attention"] * 2,
    ),
    "zaya": _llama("Zaya", 619_368, head_dim=8, num_experts=4, num_experts_per_tok=1, moe_intermediate_size=16),
    "deepseek_v4": _llama("DeepseekV4", 1_330_773, head_dim=8, q_lora_rank=16, qk_rope_head_dim=4, **_GROUPS, **_INDEX),
    "hy_v4": _llama("HYV4", 75_781, head_dim=8, **_GROUPS, **_LATENT, **_INDEX),
    "gemma4": _llama(
        "Gemma4Text",
        52_952,
        head_dim=8,
        global_head_dim=8,
        vocab_size_per_layer_input=320,
        hidden_size_per_layer_input=8,
        num_kv_shared_layers=2,
        layer_types=["sliding_attention", "full_attention"] * 2,
        **_WINDOW,
    ),
}
"""Families that keep more than keys and values, so that caches cannot be shared."""

SHARED: dict[str, Family] = {
    "deepseek_v2": _llama(
        "DeepseekV2", 61_696, first_k_dense_replace=1, **_GROUPS, **(_LATENT | {"num_key_value_heads": 4})
    ),
    "gemma3_multimodal": Family(
        config_of(
            "Gemma3",
            text_config=llama_like(head_dim=8, query_pre_attn_scalar=8, **_WINDOW),
            vision_config={
                "hidden_size": 32,
                "intermediate_size": 48,
                "num_hidden_layers": 2,
                "num_attention_heads": 4,
                "image_size": 16,
                "patch_size": 8,
            },
            mm_tokens_per_image=4,
        ),
        71_472,
    ),
    "vaultgemma": _llama("VaultGemma", 41_248, head_dim=8, **_WINDOW),
    "llama4": _llama(
        "Llama4Text",
        125_728,
        head_dim=8,
        intermediate_size_mlp=48,
        num_local_experts=4,
        num_experts_per_tok=1,
        attention_chunk_size=256,
    ),
    "ernie4_5": _llama("Ernie4_5", 41_248, head_dim=8),
    "ernie4_5_moe": _llama("Ernie4_5_Moe", 55_468, moe_intermediate_size=16, moe_num_experts=4, moe_k=2),
    "exaone_moe": _llama(
        "ExaoneMoe",
        61_152,
        num_experts=4,
        num_shared_experts=1,
        n_group=2,
        topk_group=1,
        first_k_dense_replace=1,
        layer_types=["sliding_attention", "full_attention"] * 2,
        **_TWO_OF_FOUR,
        **_WINDOW,
    ),
    "glm": _llama("Glm", 51_744, head_dim=8),
    "glm4_moe": _llama("Glm4Moe", 61_088, head_dim=8, first_k_dense_replace=1, **_GROUPS),
    "granitemoe": _llama("GraniteMoe", 107_296, num_local_experts=4, num_experts_per_tok=2, logits_scaling=4.0),
    "helium": _llama("Helium", 51_488, head_dim=8),
    "hunyuan": _llama("HunYuanDenseV1", 51_552, head_dim=8),
    "jetmoe": _llama("JetMoe", 106_016, num_local_experts=4, num_experts_per_tok=2, kv_channels=8),
    "ministral3": _llama("Ministral3", 51_488, head_dim=8),
    "nanochat": _llama("NanoChat", 45_056, final_logit_softcapping=0.5),
    "phimoe": _llama("Phimoe", 107_584, num_local_experts=4, num_experts_per_tok=2, **_WINDOW),
    "qwen2_moe": _llama("Qwen2Moe", 64_672, num_experts=4, shared_expert_intermediate_size=16, **_TWO_OF_FOUR),
    "seed_oss": _llama("SeedOss", 51_744, head_dim=8),
    "arcee": _llama("Arcee", 45_344),
    "diffllama": _llama("DiffLlama", 51_616),
    "dots1": _llama("Dots1", 61_152, first_k_dense_replace=1, **_GROUPS),
    "flex_olmo": _llama("FlexOlmo", 107_488, num_experts=4, num_experts_per_tok=2),
    "minimax_m2": _llama("MiniMaxM2", 107_488, head_dim=8, num_local_experts=4, num_experts_per_tok=2),
    "cohere2_moe": _llama("Cohere2Moe", 96_928, head_dim=8, num_experts=4, num_experts_per_tok=2, logit_scale=0.25),
    "persimmon": _bare("Persimmon", 50_688, num_attention_heads=4, intermediate_size=48),
    "biogpt": _bare("BioGpt", 48_576, num_attention_heads=4, intermediate_size=48, max_position_embeddings=256),
    "modernbert_decoder": _bare(
        "ModernBertDecoder",
        46_720,
        num_attention_heads=4,
        intermediate_size=48,
        sliding_window=6,
        cls_token_id=0,
        sep_token_id=1,
    ),
    "codegen": Family(
        config_of(
            "CodeGen",
            vocab_size=320,
            n_positions=256,
            n_ctx=256,
            n_embd=32,
            n_layer=4,
            n_head=4,
            rotary_dim=4,
            bos_token_id=0,
            eos_token_id=1,
        ),
        70_912,
    ),
    "ctrl": Family(config_of("CTRL", vocab_size=320, n_positions=256, n_embd=32, dff=48, n_layer=4, n_head=4), 40_640),
}
"""Families that keep keys and values."""

ALL_FAMILIES = FAMILIES | UNSHARED | SHARED


@functools.cache
def tiny_of(name: str) -> LoadedModel:
    """Return a tiny model of any family; the same one each time, so tests must not change it."""
    return loaded_of(random_model(ALL_FAMILIES[name].config()))
