"""Checkpoints as folders that transformers and every model spec of pivotlens read."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import torch
from transformers import PreTrainedModel

from pivotlens.artifacts import sha256_of_file
from pivotlens.artifacts.files import remove_tree, writing_errors
from pivotlens.artifacts.manifest import Output
from pivotlens.train.kept import told_as_system_error
from pivotlens.train.source import Tokenizer

CARD = "README.md"


def write_checkpoint(
    folder: Path, model: PreTrainedModel, tokenizer: Tokenizer, weights: dict[str, torch.Tensor] | None, card: str
) -> None:
    """Write a model with its tokenizer, so that the folder is there whole or not at all.

    Args:
        folder: Where; nothing is done where it is there.
        model: The model.
        tokenizer: Its files are taken over unchanged.
        weights: Its weights by name, where they are not whole in the model.
        card: Text of its model card; none where empty.

    Raises:
        ArtifactError: The disk is full or the folder cannot be written.
    """
    if folder.exists():
        return
    half = folder.with_name(f".{folder.name}.half")
    with writing_errors(folder):
        remove_tree(half)
        half.mkdir(parents=True)
        with told_as_system_error():
            model.save_pretrained(half, state_dict=weights)
        for path in tokenizer.files():
            shutil.copyfile(path, half / path.name)
        if card:
            (half / CARD).write_text(card, encoding="utf-8")
        for path in half.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        half.replace(folder)


def files_of(folder: Path) -> dict[str, Output]:
    """Return what the files of a checkpoint are, by name."""
    return {
        path.name: Output(bytes=path.stat().st_size, sha256=sha256_of_file(path)) for path in sorted(folder.iterdir())
    }
