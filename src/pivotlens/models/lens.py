"""Logit lens of any decoder: what the model's own head would say after each block (METHOD §2).

The final norm is found by order of execution, and the model's own head decodes the normed states.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from pivotlens.errors import ModelError
from pivotlens.models.head import OutputHead
from pivotlens.models.load import LoadedModel

# The probe's tokens: any will do, they only have to run through the model.
_PROBE_LENGTH = 4
_RELATIVE_TOLERANCE = {torch.float32: 1e-4, torch.bfloat16: 5e-2, torch.float16: 1e-2}


@dataclass(frozen=True)
class SelfCheck:
    """What was checked when the lens was made.

    Attributes:
        norm_difference: Largest difference between norm(last block output) and the head's real input.
        early_exit_difference: Largest difference, in logits, between a truncated model and the lens at its depth;
            None where the family cannot be truncated.
        early_exit_depth: Blocks of the truncated model.
        untestable: Why the family cannot be truncated; empty where it can.
    """

    norm_difference: float
    early_exit_difference: float | None
    early_exit_depth: int
    untestable: str

    def details(self) -> dict[str, Any]:
        """Return what a manifest records."""
        early_exit = self.early_exit_difference
        return {
            "norm_difference": self.norm_difference,
            "early_exit": "untestable: " + self.untestable if early_exit is None else early_exit,
            "early_exit_depth": self.early_exit_depth,
        }


def _tensor_of(output: Any) -> torch.Tensor:
    tensor = output[0] if isinstance(output, tuple) else output
    if not isinstance(tensor, torch.Tensor):
        raise ModelError(f"a block returns {type(output).__name__}, not hidden states", "This family cannot be read.")
    return tensor


def find_blocks(loaded: LoadedModel) -> tuple[nn.Module, str, nn.ModuleList]:
    """Return the list of a model's blocks with its owner and name.

    Raises:
        ModelError: There is no list of ``num_hidden_layers`` blocks.
    """
    model = loaded.model
    depth = model.config.get_text_config().num_hidden_layers
    decoder: nn.Module = model.get_decoder()  # type: ignore[no-untyped-call]
    found = [
        (name, module)
        for name, module in decoder.named_modules()
        if isinstance(module, nn.ModuleList) and len(module) == depth
    ]
    if not found:
        raise ModelError(
            f"{type(model).__name__} has no list of {depth} blocks",
            "pivotlens reads decoders whose blocks are one torch.nn.ModuleList.",
        )
    path, blocks = min(found, key=lambda item: item[0].count("."))
    owner_path, _, name = path.rpartition(".")
    return decoder.get_submodule(owner_path) if owner_path else decoder, name, blocks


class LogitLens:
    """Reads what a model's own head makes of every layer.

    Layer 0 is the embeddings, layer ``l`` the output of block ``l``; the last layer is the model's answer.

    Args:
        loaded: A loaded causal language model.

    Raises:
        ModelError: The model has no final norm, or a self-check fails: its lens would not be exact.
    """

    def __init__(self, loaded: LoadedModel) -> None:
        self.loaded = loaded
        self._owner, self._name, self._blocks = find_blocks(loaded)
        self._output = OutputHead(loaded)
        self._head = self._output.module
        self._after_blocks = self._find_final_norm()
        self.n_layers = len(self._blocks) + 1
        self.check = self._self_check()

    # -- reading

    def states(self, **arguments: Any) -> torch.Tensor:
        """Run the model and return the head's input at the last position for every layer.

        Args:
            **arguments: Of the model's forward pass, such as ``input_ids`` and ``attention_mask``.

        Returns:
            States in the head's dtype, shape ``(batch, layers, hidden)``: the final norm of each layer's output,
            and for the last layer what the head really gets.
        """
        with torch.inference_mode():
            kept, real = self._run(arguments)
            normed = [self._norm(state) for state in kept[:-1]]
            return torch.stack([*normed, real], dim=1)

    def decode(self, states: torch.Tensor) -> torch.Tensor:
        """Return the logits that the model's own head gives to states.

        Args:
            states: Normed states, shape ``(n, hidden)``.

        Returns:
            Logits in fp32, shape ``(n, vocabulary)``.
        """
        return self._output.decode(states)

    def _norm(self, state: torch.Tensor) -> torch.Tensor:
        for module in self._after_blocks:
            state = module(state)
        return state

    def _run(self, arguments: dict[str, Any]) -> tuple[list[torch.Tensor], torch.Tensor]:
        kept: list[torch.Tensor] = []
        head_input: list[torch.Tensor] = []
        handles = [
            self._blocks[0].register_forward_pre_hook(
                lambda module, inputs, named: kept.append(
                    (inputs[0] if inputs else named["hidden_states"])[:, -1].clone()
                ),
                with_kwargs=True,
            ),
            self._head.register_forward_pre_hook(lambda module, inputs: head_input.append(inputs[0][:, -1].clone())),
        ]
        handles += [
            block.register_forward_hook(lambda module, inputs, output: kept.append(_tensor_of(output)[:, -1].clone()))
            for block in self._blocks
        ]
        try:
            self.loaded.model(**arguments, logits_to_keep=1)
        finally:
            for handle in handles:
                handle.remove()
        if len(kept) != len(self._blocks) + 1 or len(head_input) != 1:
            raise ModelError(
                f"{type(self.loaded.model).__name__} ran {len(kept) - 1} of its {len(self._blocks)} blocks",
                "Models that repeat or skip blocks cannot be read.",
            )
        return kept, head_input[0]

    # -- finding the norm, checking

    def _probe(self) -> dict[str, Any]:
        vocabulary = self.loaded.model.config.get_text_config().vocab_size
        ids = torch.arange(3, 3 + _PROBE_LENGTH, device=self.loaded.device)[None] % vocabulary
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "use_cache": False}

    def _find_final_norm(self) -> list[nn.Module]:
        inside = {id(module) for block in self._blocks for module in block.modules()}
        events: list[nn.Module] = []
        leaves = [
            module
            for module in self.loaded.model.modules()
            if not list(module.children()) and id(module) not in inside and module is not self._head
        ]
        handles = [
            module.register_forward_hook(lambda module, inputs, output: events.append(module)) for module in leaves
        ]
        handles.append(self._blocks[-1].register_forward_hook(lambda module, inputs, output: events.clear()))
        ended: list[list[nn.Module]] = []
        handles.append(self._head.register_forward_pre_hook(lambda module, inputs: ended.append(list(events))))
        try:
            with torch.inference_mode():
                self.loaded.model(**self._probe())
        finally:
            for handle in handles:
                handle.remove()
        if not ended or not ended[0]:
            raise ModelError(
                f"{type(self.loaded.model).__name__} has no final norm between its last block and its head",
                "The lens is defined by that norm; this model cannot be read.",
            )
        return ended[0]

    def _self_check(self) -> SelfCheck:
        with torch.inference_mode():
            kept, real = self._run(self._probe())
            difference = _relative_difference(self._norm(kept[-1]), real)
        limit = _RELATIVE_TOLERANCE[self.loaded.dtype]
        name = type(self.loaded.model).__name__
        if not difference <= limit:
            raise ModelError(
                f"self-check failed on {name}: the final norm of the last block differs from the head's input by "
                f"{difference:.2g}",
                "Something else happens between the last block and the head; this model cannot be read exactly.",
            )
        depth = max(1, len(self._blocks) // 2)
        expected = self.decode(self.states(**self._probe())[0])[depth]
        try:
            with self._truncated(depth), torch.inference_mode():
                truncated = self.loaded.model(**self._probe(), logits_to_keep=1).logits[0, -1].float()
        except Exception as error:  # noqa: BLE001 - whatever a family raises when blocks are missing
            return SelfCheck(difference, None, depth, f"{type(error).__name__}: {error}")
        exit_difference = _relative_difference(expected, truncated)
        if not exit_difference <= limit:
            raise ModelError(
                f"self-check failed on {name}: a model of its first {depth} blocks answers otherwise than the lens "
                f"(relative difference {exit_difference:.2g})",
                "This model cannot be read exactly.",
            )
        return SelfCheck(difference, exit_difference, depth, "")

    @contextmanager
    def _truncated(self, depth: int) -> Iterator[None]:
        config = self.loaded.model.config.get_text_config()
        full = config.num_hidden_layers
        setattr(self._owner, self._name, nn.ModuleList(list(self._blocks)[:depth]))
        config.num_hidden_layers = depth
        try:
            yield
        finally:
            setattr(self._owner, self._name, self._blocks)
            config.num_hidden_layers = full


def _relative_difference(value: torch.Tensor, reference: torch.Tensor) -> float:
    scale = reference.abs().max().clamp_min(1e-12)
    return float(((value - reference).abs().max() / scale).item())
