"""GGUF to safetensors, once, into the cache."""

from __future__ import annotations

import contextlib
import io
import re
import shutil
from pathlib import Path
from typing import Any

import orjson
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from pivotlens.artifacts.files import process_name, write_bytes, writing_errors
from pivotlens.errors import ModelError
from pivotlens.models.checkpoint import unused_weights
from pivotlens.models.library_internals import forget_quantisation
from pivotlens.models.quiet import recording_transformers
from pivotlens.progress import announce


def convert_gguf(gguf: Path, folder: Path, marker: str, sha256: str) -> None:
    """Write the model in a GGUF file as fp32 safetensors with config and tokenizer.

    Args:
        gguf: The file.
        folder: Where the model goes; appears whole or not at all.
        marker: Name of the file, written into it last, that lists the sizes of the others.
        sha256: Checksum of the GGUF file, recorded in the marker with what is to be warned of.

    Raises:
        ModelError: transformers cannot read the file, or leaves weights of it out.
    """
    announce(f"Converting {gguf.name} to safetensors, once (about half a minute).")
    temporary = folder.with_name(f".{folder.name}.{process_name()}.tmp")
    with writing_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
    try:
        try:
            # A bar that no setting turns off goes to stderr.
            with contextlib.redirect_stderr(io.StringIO()), recording_transformers() as said:
                loading: Any = AutoModelForCausalLM.from_pretrained(
                    gguf.parent, gguf_file=gguf.name, dtype=torch.float32, output_loading_info=True
                )
                tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
        except Exception as error:  # the library raises whatever its parts raise
            raise ModelError(
                f"transformers cannot read {gguf}: {error}",
                "Check that the file is whole and that its architecture is supported.",
            ) from error
        model = loading[0]
        if missing := sorted(loading[1]["missing_keys"]):
            # transformers would go on with random numbers in their place.
            raise ModelError(
                f"{gguf} lacks {len(missing)} of the model's weights, such as {missing[0]}",
                "Check that the file is whole and that transformers reads its architecture.",
            )
        warnings = [*said, *unused_weights(model, loading[1]["unexpected_keys"], str(gguf))]
        warnings += _left_out(gguf, model)
        # The weights are plain fp32 now; with the mark transformers would refuse to save them.
        forget_quantisation(model)
        with writing_errors(folder):
            model.save_pretrained(temporary)
            tokenizer.save_pretrained(temporary)
            sizes = {path.name: path.stat().st_size for path in sorted(temporary.iterdir())}
            write_bytes(temporary / marker, orjson.dumps({"sha256": sha256, "files": sizes, "warnings": warnings}))
            shutil.rmtree(folder, ignore_errors=True)
            temporary.replace(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _left_out(gguf: Path, model: PreTrainedModel) -> list[str]:
    """Refuse a file of whose blocks transformers, which passes over what it has no name for, left weights out.

    Returns:
        Warnings: tables of the rotary positions, which it does not read.
    """
    from gguf import GGUFReader

    held = {str(tensor.name): int(tensor.n_elements) for tensor in GGUFReader(gguf).tensors}
    in_blocks = sum(size for name, size in held.items() if name.startswith("blk."))
    taken = sum(weight.numel() for name, weight in model.state_dict().items() if re.search(r"\.\d+\.", name))
    if in_blocks != taken:
        raise ModelError(
            f"the blocks of {gguf} hold {in_blocks:,} weights, and the model that transformers makes takes {taken:,}",
            "It would leave out blocks, biases or norms: give the model as safetensors, or update transformers.",
        )
    return [f"{name} of {gguf.name} was not read: angles of far positions are those without it" for name in held
            if name.startswith("rope_")]  # fmt: skip
