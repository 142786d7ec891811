"""The model that a training begins with: one that is there, or new weights from a configuration."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from pivotlens.artifacts import RunFolder
from pivotlens.artifacts.files import expanded
from pivotlens.errors import ConfigError, ModelError
from pivotlens.models.checks import check_decoder, embedded_tokens
from pivotlens.models.end_of_document import end_of_document
from pivotlens.models.limits import positions
from pivotlens.models.load import load_model
from pivotlens.models.quiet import recording_transformers
from pivotlens.models.resolve import tokenizer_file
from pivotlens.models.tokenizer import load_tokenizer
from pivotlens.train.config import TrainConfig
from pivotlens.train.packed import Frame

# What a folder keeps of a tokenizer, whatever its kind.
_TOKENIZER_FILES = (
    "tokenizer*.json", "tokenizer*.model", "special_tokens_map.json", "added_tokens.json", "vocab.*", "merges.txt",
    "chat_template*", "*.tiktoken", "spiece.model", "sentencepiece*.model",
)  # fmt: skip


@dataclass(frozen=True)
class Tokenizer:
    """The tokenizer of a training.

    Attributes:
        folder: Where its files are.
        frame: Tokens around every document.
        size: One more than its largest id.
    """

    folder: Path
    frame: Frame
    size: int

    def files(self) -> list[Path]:
        """Return its files, which every checkpoint takes over unchanged."""
        return sorted({path for pattern in _TOKENIZER_FILES for path in self.folder.glob(pattern) if path.is_file()})


def open_tokenizer(config: TrainConfig, near: RunFolder) -> Tokenizer:
    """Open the tokenizer that documents are cut with.

    Raises:
        ConfigError: It has no such token to end a document with, or none at all.
        ModelError: It cannot be read.
    """
    spec = config.tokenizer if config.configuration else config.model
    folder = tokenizer_file(spec, near).parent
    try:
        with recording_transformers():
            tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
            framed, bare = (tokenizer("a", add_special_tokens=added)["input_ids"] for added in (True, False))
    except Exception as error:  # the library raises whatever its parts raise
        raise ModelError(f"the tokenizer of {spec!r} cannot be used: {error}", "Check its folder.") from error
    end = end_of_document(load_tokenizer(str(folder)), config.end_of_document).token_id
    # What stands before the letter itself, which may be cut into a token that stands for anything unknown.
    begins = [at for at in range(len(framed)) if bare and framed[at : at + len(bare)] == bare]
    if not begins:
        raise ModelError(
            f"the tokenizer of {spec!r} cannot be used: it cuts 'a' into {bare}, and with what it adds into {framed}",
            "A text must stand unchanged amid what is added.",
        )
    return Tokenizer(folder, Frame(tuple(framed[: begins[0]]), end), max(tokenizer.get_vocab().values()) + 1)


@dataclass(frozen=True)
class Source:
    """A model to begin with.

    Attributes:
        model: Its weights in float32, on its device, in training mode.
        details: What a manifest records of it.
        warnings: What came up while it was loaded.
    """

    model: PreTrainedModel
    details: dict[str, Any]
    warnings: tuple[str, ...]

    def check_tokens(self, largest: int) -> None:
        """Check that the model embeds every token of an arm.

        Raises:
            ModelError: It does not.
        """
        if largest >= embedded_tokens(self.model):
            raise ModelError(
                f"the tokenizer gives token {largest}, but the model embeds only {embedded_tokens(self.model)} tokens",
                "They do not belong together: put the tokenizer that the model was trained with into its folder.",
            )


def open_model(config: TrainConfig, near: RunFolder, device: torch.device, tokenizer: Tokenizer, seed: int) -> Source:
    """Load the model that is trained further, or make the one of the configuration with new weights.

    Args:
        config: The settings.
        near: The run folder that a reference leads into.
        device: Where it goes.
        tokenizer: What it is trained with.
        seed: Of new weights.

    Raises:
        ConfigError: The configuration is none.
        ModelError: It cannot be loaded or trained.
    """
    if config.configuration:
        model, warnings = _from_scratch(config, tokenizer, seed)
        model.to(device)  # type: ignore[arg-type]
        check_decoder(model.train(False), device, repr(config.configuration))
        details: dict[str, Any] = {"configuration": config.configuration, "architecture": type(model).__name__}
    else:
        loaded = load_model(config.model, "float32", str(device), near)
        model, warnings, details = loaded.model, list(loaded.warnings), loaded.details()
    if not all(parameter.is_floating_point() for parameter in model.parameters()):
        raise ModelError(
            f"the weights of {config.model!r} are packed into few bits and cannot be trained",
            "Give the model in float32, bfloat16 or float16.",
        )
    warnings += _length_warnings(model, config.sequence_length)
    model.requires_grad_(True)
    details |= {"parameters": sum(parameter.numel() for parameter in model.parameters())}
    return Source(model.train(True), details, tuple(warnings))


def _length_warnings(model: PreTrainedModel, length: int) -> list[str]:
    """Warn of sequences longer than a model was made for; refuse those that it does not read."""
    most = positions(model)
    if most is None or length <= most:
        return []
    try:
        with torch.inference_mode():
            model(input_ids=torch.zeros((1, length), dtype=torch.int64, device=model.device))
    except (IndexError, RuntimeError) as error:
        raise ConfigError(
            f"the model reads {most} tokens at most, and sequence_length is {length}",
            f"Pass --sequence-length {most} or less.",
        ) from error
    return [f"sequence_length is {length}, but by its config the model was made for {most} tokens"]


def _from_scratch(config: TrainConfig, tokenizer: Tokenizer, seed: int) -> tuple[PreTrainedModel, list[str]]:
    name = config.configuration
    values = {"vocab_size": tokenizer.size, "eos_token_id": tokenizer.frame.end, "bos_token_id": None,
              "pad_token_id": None} | read_configuration(expanded(name))  # fmt: skip
    kind = values.pop("model_type", None)
    if not isinstance(kind, str):
        raise ConfigError(f"{name} does not say which model it is of", 'Add model_type = "llama", or another.')
    torch.manual_seed(seed)
    with recording_transformers() as said:
        try:
            model: PreTrainedModel = AutoModelForCausalLM.from_config(  # type: ignore[no-untyped-call]
                AutoConfig.for_model(kind, **values), dtype=torch.float32, trust_remote_code=False
            )
        except Exception as error:  # the library raises whatever its parts raise
            raise ConfigError(f"no model can be made from {name}: {error}", "Compare its keys with a model's own "
                              "config.json.") from error  # fmt: skip
    if embedded_tokens(model) < tokenizer.size:
        raise ConfigError(
            f"{name} has a vocabulary of {embedded_tokens(model)}, and the tokenizer gives ids up to "
            f"{tokenizer.size - 1}",
            "Leave out `vocab_size`: it is then the tokenizer's.",
        )
    return model, list(said)


def read_configuration(path: Path) -> dict[str, Any]:
    """Read a model's configuration from a JSON or TOML file.

    Raises:
        ConfigError: It cannot be read, or is no table.
    """
    try:
        content = path.read_bytes()
        found = orjson.loads(content) if path.suffix.lower() == ".json" else tomllib.loads(content.decode())
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read the configuration {path}: {error}", "Give a JSON or TOML file.") from error
    if not isinstance(found, dict):
        raise ConfigError(f"the configuration {path} is no table of keys and values", "Give a model's config.json.")
    return found
