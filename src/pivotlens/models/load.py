"""Load a causal language model with its fast tokenizer."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from pivotlens.artifacts import RunFolder
from pivotlens.errors import ConfigError, ModelError, PrerequisiteError
from pivotlens.models.checkpoint import unused_weights
from pivotlens.models.checks import check_decoder, embedded_tokens, output_head
from pivotlens.models.library_internals import classes_with_head, forget_lengths
from pivotlens.models.memory import is_out_of_memory
from pivotlens.models.quiet import recording_transformers
from pivotlens.models.resolve import ResolvedModel, conversion_warnings, refuse_adapter, resolve_model
from pivotlens.models.tokenizer import switch_off_saved_state

# Weights in one file and in several: transformers takes the one, others what the index names.
_TWICE = ("model.safetensors", "model.safetensors.index.json")


@dataclass(frozen=True)
class LoadedModel:
    """A causal language model ready to read.

    Attributes:
        model: In evaluation mode, on its device.
        tokenizer: Fast, so that it gives character offsets; None where a model was given without one.
        resolved: Where it came from.
        device: Where its inputs go.
        dtype: Of its weights.
        warnings: What came up while it was loaded and bears on figures.
    """

    model: PreTrainedModel
    tokenizer: Any
    resolved: ResolvedModel
    device: torch.device
    dtype: torch.dtype
    warnings: tuple[str, ...] = ()

    @functools.cached_property
    def last_only(self) -> dict[str, int]:
        """The argument that spares the logits before the last position, where the family takes it."""
        return {"logits_to_keep": 1} if "logits_to_keep" in inspect.signature(self.model.forward).parameters else {}

    def details(self) -> dict[str, Any]:
        """Return what a manifest records of the model."""
        return {
            "model": self.resolved.spec,
            "revision": self.resolved.revision,
            "model_fingerprint": self.resolved.fingerprint,
            "architecture": type(self.model).__name__,
            "dtype": str(self.dtype).removeprefix("torch."),
        }


def pick_device(device: str) -> torch.device:
    """Return the device; ``auto`` is CUDA where there is one, then MPS, then the CPU.

    Raises:
        ConfigError: There is no such device here.
    """
    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        chosen = torch.device(device)
        torch.empty(1, device=chosen)
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(f"device {device!r} cannot be used here", "Use cpu, cuda, cuda:N, mps or auto.") from error
    return chosen


def load_model(spec: str, dtype: str = "float32", device: str = "auto", near: RunFolder | None = None) -> LoadedModel:
    """Load a model for reading.

    Args:
        spec: A hub id, a folder, a ``.gguf`` file, a demo model or what a stage made (``run:STAGE/ARM@STEP``).
        dtype: ``float32``, ``bfloat16`` or ``float16``.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        near: The run folder that a reference leads into.

    Raises:
        ModelError: It is no causal language model, has no fast tokenizer, or cannot be read.
        PrerequisiteError: It cannot be fetched.
    """
    resolved = resolve_model(spec, near=near)
    refuse_adapter(resolved)
    place = pick_device(device)
    with recording_transformers() as said:
        config, tokenizer = _config_and_tokenizer(resolved)
        model, unexpected = _model(resolved, config, getattr(torch, dtype), place)
        warnings = conversion_warnings(resolved.folder) + _passed_over(resolved, config, model)
        warnings += unused_weights(model, unexpected, repr(spec))
        warnings += switch_off_saved_state(tokenizer.backend_tokenizer)
        _check_vocabulary(model, tokenizer, spec)
        check_decoder(model, place, repr(spec))
    warnings += [message.replace(str(resolved.folder), spec) for message in said]
    # A sliced input would make torch multiply row by row, reading the whole vocabulary matrix for each.
    output_head(model).register_forward_pre_hook(lambda module, inputs: (inputs[0].contiguous(), *inputs[1:]))
    number_type = model.dtype if _is_quantised(config) else getattr(torch, dtype)
    return LoadedModel(model, tokenizer, resolved, place, number_type, tuple(warnings))


def _is_quantised(config: Any) -> bool:
    return getattr(config, "quantization_config", None) is not None


@contextmanager
def _library_errors(message: str, hint: str) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise PrerequisiteError(
            f"{message}: {error}", "Install the package that it names into the environment of pivotlens."
        ) from error
    except Exception as error:  # the library raises whatever its parts raise
        if "trust_remote_code" in str(error):
            raise ModelError(
                f"{message}: it needs code of its own, and nothing that comes with a model is executed",
                "Give a model of an architecture that transformers has itself.",
            ) from error
        raise ModelError(f"{message}: {error}", hint) from error


def _config_and_tokenizer(resolved: ResolvedModel) -> tuple[Any, Any]:
    spec = resolved.spec
    with _library_errors(f"{spec!r} has no readable config", "Check the model, or update transformers."):
        config = AutoConfig.from_pretrained(resolved.folder, trust_remote_code=False)
    if getattr(config, "is_encoder_decoder", False):
        raise ModelError(
            f"{spec!r} is an encoder-decoder model ({config.model_type})",
            "pivotlens reads decoder-only language models.",
        )
    if headless := _saved_without_head(config):
        raise ModelError(
            f"{spec!r} was saved as {headless}, without an output head",
            "It is an embedding model or a bare decoder; pivotlens reads causal language models.",
        )
    with _library_errors(f"the tokenizer of {spec!r} cannot be loaded", "Check the model folder."):
        tokenizer = AutoTokenizer.from_pretrained(resolved.folder, trust_remote_code=False)
    if not getattr(tokenizer, "is_fast", False):
        raise ModelError(
            f"model {spec!r} has no fast tokenizer, so answers cannot be told from prompts by character",
            "Convert it with transformers: AutoTokenizer.from_pretrained(…, use_fast=True).save_pretrained(…).",
        )
    return config, tokenizer


def _model(
    resolved: ResolvedModel, config: Any, number_type: torch.dtype, place: torch.device
) -> tuple[PreTrainedModel, set[str]]:
    """Return the model on its device, and the keys of the checkpoint that it does not take."""
    spec, quantised = resolved.spec, _is_quantised(config)
    with _library_errors(f"{spec!r} cannot be loaded as a causal language model", "Check the model."):
        loading: Any = AutoModelForCausalLM.from_pretrained(
            resolved.folder,
            dtype=number_type,
            use_safetensors=True,
            trust_remote_code=False,  # or it asks whether to run what lies in the folder
            output_loading_info=True,
            device_map={"": place} if quantised else None,  # packed weights are not moved afterwards
        )
    model: PreTrainedModel = loading[0]
    if missing := sorted(loading[1]["missing_keys"]):
        # transformers would go on with random numbers in their place.
        raise ModelError(
            f"{spec!r} lacks {len(missing)} of its weights, such as {missing[0]}",
            "Its config and its safetensors do not belong together; fetch or convert the model again.",
        )
    try:
        if not quantised:
            model.to(place)  # type: ignore[arg-type]
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise ModelError(
            f"{spec!r} does not fit into the memory of {place}",
            "Use dtype = 'bfloat16', device = 'cpu', or a smaller model.",
        ) from error
    model.train(False)
    model.requires_grad_(False)
    forget_lengths(model)
    return model, loading[1]["unexpected_keys"]


def _passed_over(resolved: ResolvedModel, config: Any, model: PreTrainedModel) -> list[str]:
    """Return warnings of code and of weights in the folder that another loader would take for the model."""
    own = (getattr(config, "auto_map", None) or {}).get("AutoModelForCausalLM")
    warnings = [f"the model's own code ({own}) was not run: {type(model).__name__} of transformers was"] if own else []
    if all((resolved.folder / name).is_file() for name in _TWICE):
        warnings.append(f"{_TWICE[0]} was read, and not the files that {_TWICE[1]} beside it names")
    return warnings


def _check_vocabulary(model: PreTrainedModel, tokenizer: Any, spec: str) -> None:
    rows = embedded_tokens(model)
    # Added tokens beyond the matrix, such as those of pictures, are refused only where a text holds one.
    largest = max(tokenizer.backend_tokenizer.get_vocab(with_added_tokens=False).values(), default=-1)
    if largest >= rows:
        raise ModelError(
            f"the tokenizer of {spec!r} gives ids up to {largest}, but the model embeds only {rows} tokens",
            "They do not belong together: put the tokenizer that the model was trained with into its folder.",
        )


def _saved_without_head(config: Any) -> str:
    """Return the class a model was saved as where that class has no output head; empty where it has."""
    names = [str(name) for name in getattr(config, "architectures", None) or ()]
    with_head = classes_with_head()
    # A tied head would be there even so, and nothing would miss.
    headless = [name for name in names if name.endswith("Model") and name not in with_head]
    return headless[0] if len(headless) == len(names) and names else ""
