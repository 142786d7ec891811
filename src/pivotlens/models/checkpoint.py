"""What a checkpoint holds and the model made from its config does not take."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from torch import nn
from transformers import PreTrainedModel

from pivotlens.errors import ModelError

# Tables and masks that older versions saved with the weights and that follow from the config, and scales of a cache in
# 8 bits, which is not used here.
_TABLES = re.compile(
    r"rotary_emb\.|inv_freq$|(^|\.)(masked_bias|causal_mask|position_ids|[kv]_scale)$|\.(attn|attention)\.bias$"
)
_IN_A_LIST = re.compile(r"(?P<name>.+?)\.(?P<number>\d+)\.")


def unused_weights(model: PreTrainedModel, unexpected: Iterable[str], name: str) -> list[str]:
    """Refuse weights that the decoder could have used; name the others.

    Args:
        model: As it was made from its config.
        unexpected: Keys of the checkpoint that it does not take.
        name: Of the model, for messages.

    Returns:
        Warnings: what was left out, such as a vision tower.

    Raises:
        ModelError: What is left out belongs into a block, or beyond the last one, or to a layer that is there.
    """
    keys = sorted(key for key in unexpected if not _TABLES.search(key))
    lists = {path: len(part) for path, part in _decoder_parts(model) if isinstance(part, nn.ModuleList)}
    layers = [path for path, part in _decoder_parts(model) if any(True for _ in part.parameters(recurse=False))]
    extra = int(getattr(model.config.get_text_config(), "num_nextn_predict_layers", None) or 0)
    wanted = [key for key in keys if _belongs(key, lists, layers, extra)]
    if wanted:
        depth = getattr(model.config.get_text_config(), "num_hidden_layers", "?")
        raise ModelError(
            f"{name} holds {len(wanted)} weights of its decoder that the model made from its config of {depth} blocks "
            f"does not take, such as {wanted[0]}",
            "Its config and its safetensors do not belong together, so figures would be of another model: put the "
            "config right (number of blocks, biases, norms), or fetch or convert the model again.",
        )
    return [f"{len(keys)} weights of the checkpoint were not used, such as {keys[0]}"] if keys else []


def _decoder_parts(model: PreTrainedModel) -> Iterator[tuple[str, nn.Module]]:
    """Yield the modules of the text decoder and the head: not those of towers that see or hear."""
    parts = (model.get_decoder(), model.get_output_embeddings())  # type: ignore[no-untyped-call]
    inside = {id(module) for part in parts if isinstance(part, nn.Module) for module in part.modules()}
    return ((path, module) for path, module in model.named_modules() if id(module) in inside)


def _belongs(key: str, lists: dict[str, int], layers: list[str], extra: int) -> bool:
    if found := _IN_A_LIST.match(key):
        number = int(found["number"])
        # Blocks that predict tokens further on, which the model never runs here.
        return any(
            _same(found["name"], path) and not length <= number < length + extra for path, length in lists.items()
        )
    return any(_same(key.rpartition(".")[0], path) for path in layers)


def _same(one: str, other: str) -> bool:
    """Tell whether two paths name one module; checkpoints are written with and without the prefix of the whole."""
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")
