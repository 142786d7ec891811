"""Tiny random language models of many families, with a tokenizer trained in memory."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers as hf
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from pivotlens.models.load import LoadedModel
from pivotlens.models.quiet import quiet_transformers
from pivotlens.models.resolve import ResolvedModel

VOCABULARY = 320
_TEXTS = (
    "Please translate words from French to Chinese.\n\nFrench: eau\nChinese: 水\n\nFrench: hiver\nChinese: 冬",
    "English: water\nFrench: eau\n\nEnglish: winter\nFrench: hiver\n\nEnglish: bank\nFrench: banque",
    "the river and the house, the dog and the book, the water of the river: la maison, le chien, le livre, la rivière",
)


@functools.cache
def byte_level_tokenizer() -> hf.PreTrainedTokenizerFast:
    """A byte-level BPE of 300 tokens; adds nothing to a text."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_TEXTS, trainer)
    return hf.PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>")


def llama_like(**more: Any) -> dict[str, Any]:
    return {
        "vocab_size": VOCABULARY,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 256,
        "pad_token_id": 0,
        "bos_token_id": 0,
        "eos_token_id": 1,
    } | more


def _without(values: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


_NO_KV = functools.partial(_without, llama_like())


@dataclass(frozen=True)
class Family:
    """How to make a tiny model of a family, and how many parameters it then has."""

    config: Callable[[], Any]
    parameters: int


def config_of(name: str, **values: Any) -> Callable[[], Any]:
    return lambda: getattr(hf, f"{name}Config")(**values)


_ROPE = {"rope_type": "default", "rope_theta": 10000.0}
_WINDOW = {"sliding_window": 6}
_LAYERS = ["sliding_attention", "sliding_attention", "sliding_attention", "full_attention"]

FAMILIES: dict[str, Family] = {
    "llama": Family(config_of("Llama", **llama_like()), 51_488),
    "olmo": Family(config_of("Olmo", **llama_like(clip_qkv=8.0)), 51_200),
    "olmo2": Family(config_of("Olmo2", **llama_like()), 51_680),
    "olmo3": Family(config_of("Olmo3", **llama_like(layer_types=_LAYERS, **_WINDOW)), 51_680),
    "gemma": Family(config_of("Gemma", **llama_like(head_dim=8)), 41_248),
    "gemma2": Family(
        config_of(
            "Gemma2",
            **llama_like(
                head_dim=8, final_logit_softcapping=0.5, attn_logit_softcapping=2.0, query_pre_attn_scalar=8, **_WINDOW
            ),
        ),
        41_504,
    ),
    "gemma3": Family(
        config_of(
            "Gemma3Text",
            **llama_like(
                head_dim=8, query_pre_attn_scalar=8, layer_types=_LAYERS, final_logit_softcapping=0.7, **_WINDOW
            ),
        ),
        41_568,
    ),
    "qwen2": Family(config_of("Qwen2", **llama_like()), 51_744),
    "qwen3": Family(config_of("Qwen3", **llama_like(head_dim=8)), 51_552),
    "qwen3_moe": Family(
        config_of("Qwen3Moe", **llama_like(head_dim=8, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=16)),
        58_208,
    ),
    "mistral": Family(config_of("Mistral", **llama_like(**_WINDOW)), 51_488),
    "mixtral": Family(config_of("Mixtral", **llama_like(num_local_experts=4, num_experts_per_tok=2)), 107_296),
    "olmoe": Family(config_of("Olmoe", **llama_like(num_experts=4, num_experts_per_tok=2)), 107_488),
    "gpt_oss": Family(
        config_of(
            "GptOss",
            **llama_like(
                head_dim=8,
                num_local_experts=4,
                num_experts_per_tok=2,
                layer_types=_LAYERS,
                rope_parameters=_ROPE,
                **_WINDOW,
            ),
        ),
        109_760,
    ),
    "cohere": Family(config_of("Cohere", **llama_like(logit_scale=0.0625)), 41_120),
    "cohere2": Family(config_of("Cohere2", **llama_like(logit_scale=0.25, layer_types=_LAYERS, **_WINDOW)), 41_120),
    "granite": Family(
        config_of(
            "Granite",
            **llama_like(
                logits_scaling=8.0, embedding_multiplier=12.0, residual_multiplier=0.22, attention_multiplier=0.3
            ),
        ),
        51_488,
    ),
    "phi": Family(config_of("Phi", **llama_like(partial_rotary_factor=0.5)), 46_400),
    "phi3": Family(config_of("Phi3", **llama_like()), 51_488),
    "stablelm": Family(config_of("StableLm", **llama_like()), 51_776),
    "starcoder2": Family(config_of("Starcoder2", **llama_like()), 36_096),
    "smollm3": Family(config_of("SmolLM3", **llama_like()), 41_248),
    "nemotron": Family(config_of("Nemotron", **llama_like()), 45_632),
    "glm4": Family(config_of("Glm4", **llama_like(head_dim=8)), 52_000),
    "exaone4": Family(
        config_of("Exaone4", **llama_like(layer_types=_LAYERS, sliding_window_pattern=4, **_WINDOW)), 51_552
    ),
    "apertus": Family(config_of("Apertus", **llama_like(rope_parameters=_ROPE)), 45_416),
    "deepseek_v3": Family(
        config_of(
            "DeepseekV3",
            **llama_like(
                num_key_value_heads=4,
                kv_lora_rank=8,
                q_lora_rank=16,
                qk_rope_head_dim=4,
                qk_nope_head_dim=8,
                v_head_dim=8,
                n_routed_experts=4,
                num_experts_per_tok=2,
                n_group=2,
                topk_group=1,
                moe_intermediate_size=16,
                first_k_dense_replace=1,
            ),
        ),
        61_696,
    ),
    "falcon": Family(
        config_of("Falcon", **_NO_KV("num_key_value_heads", "intermediate_size"), new_decoder_architecture=False),
        53_568,
    ),
    "falcon_alibi": Family(
        config_of("Falcon", **_NO_KV("num_key_value_heads", "intermediate_size"), alibi=True, multi_query=False), 59_712
    ),
    "gpt_neox": Family(config_of("GPTNeoX", **_NO_KV("num_key_value_heads"), rotary_pct=0.5), 50_560),
    "bloom": Family(
        config_of("Bloom", vocab_size=VOCABULARY, hidden_size=32, n_layer=4, n_head=4, bos_token_id=0, eos_token_id=1),
        61_184,
    ),
    "gpt2": Family(
        config_of(
            "GPT2",
            vocab_size=VOCABULARY,
            n_positions=256,
            n_embd=32,
            n_layer=4,
            n_head=4,
            bos_token_id=0,
            eos_token_id=1,
        ),
        69_312,
    ),
    "gptj": Family(
        config_of(
            "GPTJ",
            vocab_size=VOCABULARY,
            n_positions=256,
            n_embd=32,
            n_layer=4,
            n_head=4,
            rotary_dim=4,
            bos_token_id=0,
            eos_token_id=1,
        ),
        70_912,
    ),
    "gpt_neo": Family(
        config_of(
            "GPTNeo",
            vocab_size=VOCABULARY,
            max_position_embeddings=256,
            hidden_size=32,
            num_layers=4,
            num_heads=4,
            attention_types=[[["global", "local"], 2]],
            window_size=6,
            bos_token_id=0,
            eos_token_id=1,
        ),
        68_928,
    ),
    "gpt_bigcode": Family(
        config_of(
            "GPTBigCode",
            vocab_size=VOCABULARY,
            n_positions=256,
            n_embd=32,
            n_layer=4,
            n_head=4,
            bos_token_id=0,
            eos_token_id=1,
        ),
        62_976,
    ),
    "opt": Family(
        config_of(
            "OPT",
            vocab_size=VOCABULARY,
            hidden_size=32,
            ffn_dim=48,
            num_hidden_layers=4,
            num_attention_heads=4,
            max_position_embeddings=256,
            word_embed_proj_dim=16,
            bos_token_id=0,
            eos_token_id=1,
            pad_token_id=0,
        ),
        44_480,
    ),
    "xglm": Family(
        config_of(
            "XGLM",
            vocab_size=VOCABULARY,
            d_model=32,
            ffn_dim=48,
            num_layers=4,
            attention_heads=4,
            max_position_embeddings=256,
            bos_token_id=0,
            eos_token_id=1,
            pad_token_id=0,
        ),
        40_320,
    ),
    "mpt": Family(config_of("Mpt", vocab_size=VOCABULARY, d_model=32, n_layers=4, n_heads=4, max_seq_len=256), 59_680),
}
"""Families by name; every one with four blocks."""


def random_model(config: Any, seed: int = 0) -> hf.PreTrainedModel:
    """Make a model whose weights are large enough for its layers to differ."""
    torch.manual_seed(seed)
    quiet_transformers()
    model = hf.AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.15)
    model.train(False)
    model.requires_grad_(False)
    return model


def save(model: hf.PreTrainedModel, folder: Path, tokenizer: Any = None) -> None:
    """Write a model folder with tokenizer, as a user would have it."""
    quiet_transformers()
    model.save_pretrained(folder)
    (tokenizer or byte_level_tokenizer()).save_pretrained(folder)


def loaded_of(model: hf.PreTrainedModel, tokenizer: Any = None) -> LoadedModel:
    """Wrap a model as `load_model` would."""
    return LoadedModel(
        model=model,
        tokenizer=tokenizer or byte_level_tokenizer(),
        resolved=ResolvedModel("tiny", Path("tiny"), "tiny", ""),
        device=torch.device("cpu"),
        dtype=torch.float32,
    )


@functools.cache
def tiny(name: str) -> LoadedModel:
    """Return a tiny model of a family; the same one each time, so tests must not change it."""
    return loaded_of(random_model(FAMILIES[name].config()))
