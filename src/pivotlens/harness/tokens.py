"""The tokenizer that a harness run uses, and where the harness cuts a prompt from its answer."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pivotlens.errors import ConfigError, ModelError
from pivotlens.extras import require_models
from pivotlens.models.encoding import EncodedAnswer, encode_answers

# Where the harness's backends name the model whose tokenizer they use, the most particular first.
_NAME_KEYS = ("tokenizer", "pretrained", "model")
# What else of the model's arguments the harness hands its tokenizer, and under which name.
_LOADING = {
    "revision": "revision",
    "subfolder": "subfolder",
    "trust_remote_code": "trust_remote_code",
    "gguf_file": "gguf_file",
    "use_fast_tokenizer": "use_fast",
    "add_bos_token": "add_bos_token",
}


@dataclass(frozen=True)
class HarnessTokenizer:
    """A tokenizer and how the harness calls it.

    Attributes:
        tokenizer: A fast transformers tokenizer.
        special: Whether the harness asks for special tokens; None where it leaves that to the tokenizer.
    """

    tokenizer: Any
    special: bool | None = None

    def exact(self, prompts: Sequence[str], answer: str) -> list[EncodedAnswer]:
        """Cut each prompt from its answer as pivotlens does: by the character where the answer begins."""
        return encode_answers(self.tokenizer, prompts, [answer] * len(prompts))

    def as_harness(self, prompts: Sequence[str], answer: str) -> list[EncodedAnswer]:
        """Cut as lm-evaluation-harness does: after as many tokens as the prompt alone has.

        The harness also moves closing space from a prompt to its answer; these prompts end in a colon or a dash.
        """
        keywords = {} if self.special is None else {"add_special_tokens": self.special}
        alone: list[list[int]] = self.tokenizer(list(prompts), **keywords)["input_ids"]
        whole: list[list[int]] = self.tokenizer([prompt + answer for prompt in prompts], **keywords)["input_ids"]
        return [
            EncodedAnswer(tuple(before), tuple(both[len(before) :])) for before, both in zip(alone, whole, strict=True)
        ]


def tokenizer_of(metadata: Mapping[str, Any]) -> HarnessTokenizer:
    """Load the tokenizer that the harness will use.

    Args:
        metadata: What the harness hands a task: the model's arguments, and what was given as metadata.

    Raises:
        ConfigError: The metadata names no tokenizer.
        ModelError: It cannot be loaded or is not a fast one.
    """
    given = next((metadata[key] for key in _NAME_KEYS if metadata.get(key)), None)
    if given is None:
        raise ConfigError(
            "the score divides by the answer's number of tokens, and neither the model's arguments nor the metadata "
            "name a tokenizer",
            "Pass --model_args pretrained=…, or --metadata tokenizer=NAME; from Python, TaskManager(metadata=…).",
        )
    special = metadata.get("add_bos_token")
    if special is None and "model" in metadata and "pretrained" not in metadata:
        special = False  # the backends of remote models, which call theirs `model`, add nothing unless told to
    if not isinstance(given, str) and hasattr(given, "is_fast"):
        return HarnessTokenizer(_checked(given, type(given).__name__), special)
    name = given if isinstance(given, str) else str(getattr(given, "name_or_path", ""))
    loading = {ours: metadata[key] for key, ours in _LOADING.items() if metadata.get(key) is not None}
    return HarnessTokenizer(_load(name, tuple(sorted(loading.items()))), special)


@functools.lru_cache(maxsize=4)
def _load(name: str, loading: tuple[tuple[str, Any], ...]) -> Any:
    require_models("reading a tokenizer for lm-evaluation-harness")
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(name, **dict(loading))
    except Exception as error:  # the library raises whatever its parts raise
        raise ModelError(
            f"the tokenizer {name!r} cannot be loaded: {error}",
            "Name one with --metadata tokenizer=NAME: a folder, or the hub id of the model behind the backend.",
        ) from error
    return _checked(tokenizer, name)


def _checked(tokenizer: Any, name: str) -> Any:
    if not getattr(tokenizer, "is_fast", False):
        raise ModelError(
            f"the tokenizer {name!r} is not a fast one, so answers cannot be told from prompts by character",
            "Convert it with transformers: AutoTokenizer.from_pretrained(…, use_fast=True).save_pretrained(…).",
        )
    return tokenizer
