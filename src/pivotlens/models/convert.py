"""GGUF to safetensors, once, into the cache."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
from pathlib import Path
from typing import Any

import orjson
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from pivotlens.artifacts.files import write_bytes, writing_errors
from pivotlens.errors import ModelError
from pivotlens.models.quiet import quiet_transformers
from pivotlens.progress import announce


def convert_gguf(gguf: Path, folder: Path, marker: str, sha256: str) -> None:
    """Write the model in a GGUF file as fp32 safetensors with config and tokenizer.

    Args:
        gguf: The file.
        folder: Where the model goes; appears whole or not at all.
        marker: Name of the file, written into it last, that lists the sizes of the others.
        sha256: Checksum of the GGUF file, recorded in the marker.

    Raises:
        ModelError: transformers cannot read the file.
    """
    announce(f"Converting {gguf.name} to safetensors, once (about half a minute).")
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    with writing_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
    quiet_transformers()
    try:
        try:
            with contextlib.redirect_stderr(io.StringIO()):  # a bar that no setting turns off
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
        # The weights are plain fp32 now; with the mark transformers would refuse to save them.
        model.hf_quantizer = None
        for owner in (model.config, model.config.get_text_config()):
            if hasattr(owner, "quantization_config"):
                del owner.quantization_config
        with writing_errors(folder):
            model.save_pretrained(temporary)
            tokenizer.save_pretrained(temporary)
            sizes = {path.name: path.stat().st_size for path in sorted(temporary.iterdir())}
            write_bytes(temporary / marker, orjson.dumps({"sha256": sha256, "files": sizes}))
            shutil.rmtree(folder, ignore_errors=True)
            temporary.replace(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
