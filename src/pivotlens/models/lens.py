"""Logit lens of any decoder: what the model's own head would say after each block (docs/method.md#logit-lens).

The final norm is found by order of execution, and the model's own head decodes the normed states.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from pivotlens.errors import ModelError
from pivotlens.models.checks import probe_ids, relative_difference, relative_tolerance
from pivotlens.models.head import OutputHead
from pivotlens.models.in_memory import loaded_from_memory
from pivotlens.models.intervention import Interventions, intervening, token_vectors
from pivotlens.models.library_internals import cut_off
from pivotlens.models.load import LoadedModel

# Padding that a probe gets, and how much more than rounding the other kernels that run under a mask may change.
_PADDING = 5
_OTHER_KERNELS = 10


@dataclass(frozen=True)
class SelfCheck:
    """What was checked when the lens was made.

    Attributes:
        norm_difference: Largest difference between norm(last block output) and the head's real input.
        early_exit_difference: Largest difference, in logits, between truncated models and the lens at their depths;
            None where the family cannot be truncated.
        early_exit_depths: Blocks of the truncated models.
        untestable: Why the family cannot be truncated; empty where it can.
        padding_difference: Difference that padding on the left makes to the head's input, relative to its largest
            number.
    """

    norm_difference: float
    early_exit_difference: float | None
    early_exit_depths: tuple[int, ...]
    untestable: str
    padding_difference: float

    def details(self) -> dict[str, Any]:
        """Return what a manifest records."""
        early_exit = self.early_exit_difference
        return {
            "norm_difference": self.norm_difference,
            "early_exit": "untestable: " + self.untestable if early_exit is None else early_exit,
            "early_exit_depths": list(self.early_exit_depths),
        }


def _tensor_of(output: Any) -> torch.Tensor:
    tensor = output[0] if isinstance(output, tuple) else output
    if not isinstance(tensor, torch.Tensor):
        raise ModelError(f"a block returns {type(output).__name__}, not hidden states", "This family cannot be read.")
    return tensor


def _input_of(inputs: tuple[Any, ...], named: dict[str, Any]) -> torch.Tensor:
    return _tensor_of(inputs[0] if inputs else named.get("hidden_states"))


@contextmanager
def keeping_layers(blocks: nn.ModuleList, keep: Callable[[torch.Tensor], torch.Tensor]) -> Iterator[list[torch.Tensor]]:
    """Keep what the first block gets and what every block hands on, while the model runs inside the ``with``.

    Args:
        blocks: Of the model.
        keep: Takes states, shape ``(batch, positions, hidden)``, and returns what is kept of them: a copy.

    Raises:
        ModelError: What a block gets or returns is no tensor.
    """
    kept: list[torch.Tensor] = []
    handles = [
        blocks[0].register_forward_pre_hook(
            lambda module, inputs, named: kept.append(keep(_input_of(inputs, named))), with_kwargs=True
        )
    ]
    handles += [
        block.register_forward_hook(lambda module, inputs, output: kept.append(keep(_tensor_of(output))))
        for block in blocks
    ]
    try:
        yield kept
    finally:
        for handle in handles:
            handle.remove()


def find_blocks(loaded: LoadedModel) -> tuple[nn.Module, str, nn.ModuleList]:
    """Return the list of a model's blocks with its owner and name.

    Raises:
        ModelError: There is no list of ``num_hidden_layers`` blocks.
    """
    model = loaded.model
    depth = getattr(model.config.get_text_config(), "num_hidden_layers", None)
    # The decoder first: a model that also sees has a second list of blocks.
    for part in (model.get_decoder(), model):  # type: ignore[no-untyped-call]
        found = [
            (name, module)
            for name, module in part.named_modules()
            if isinstance(module, nn.ModuleList) and len(module) == depth
        ]
        if found:
            path, blocks = min(found, key=lambda item: item[0].count("."))
            owner_path, _, name = path.rpartition(".")
            return part.get_submodule(owner_path), name, blocks
    raise ModelError(
        f"{type(model).__name__} has no list of {depth} blocks",
        "pivotlens reads decoders whose blocks are one torch.nn.ModuleList.",
    )


class LogitLens:
    """Reads what a model's own head makes of every layer.

    Layer 0 is the embeddings, layer ``l`` the output of block ``l``; the last layer is the model's answer.

    The model may hold adapters, be quantised, be offloaded or lie on several devices; it stays as it is. Where it is
    changed later, such as by turning an adapter off, the lens reads what it then is.

    Args:
        model: A causal language model, as `load_model` or transformers give it, or within PEFT's wrapper.
        tokenizer: Of a model given by itself, for what needs one; the lens does not.

    Attributes:
        after_blocks: The modules between the last block and the head, in the order in which they run: the final norm.

    Raises:
        ModelError: It is no causal language model, has no final norm, or a self-check fails: its lens would not be
            exact.
    """

    def __init__(self, model: LoadedModel | nn.Module, tokenizer: Any = None) -> None:
        self.loaded = loaded = model if isinstance(model, LoadedModel) else loaded_from_memory(model, tokenizer)
        self._owner, self._name, self._blocks = find_blocks(loaded)
        self.head = OutputHead(loaded)
        self.after_blocks = self._find_final_norm()
        self._padding_difference = 0.0
        self.n_layers = len(self._blocks) + 1
        self.check = self._self_check()

    # -- reading

    def states(self, **arguments: Any) -> torch.Tensor:
        """Run the model and return the head's input at the last position for every layer.

        Args:
            **arguments: Of the model's forward pass, such as ``input_ids`` and ``attention_mask``; rows of unequal
                length must be padded on the left. Positions are counted from each row's first token that the mask
                shows, unless ``position_ids`` are given.

        Returns:
            States in the head's dtype, shape ``(batch, layers, hidden)``: the final norm of each layer's output,
            and for the last layer what the head really gets.

        Raises:
            ModelError: The mask hides a row's last position or some between others, or rows of this model change
                where they are padded.
        """
        with torch.inference_mode():
            kept, real = self._run(arguments)
            normed = [self._norm(state) for state in kept[:-1]]
            # Some families hold their states in fp32 and cast what the head gets.
            return torch.stack([state.to(real) for state in (*normed, real)], dim=1)

    def decode(self, states: torch.Tensor) -> torch.Tensor:
        """Return the logits that the model's own head gives to states.

        Args:
            states: Normed states, shape ``(n, hidden)``.

        Returns:
            Logits in fp32, shape ``(n, vocabulary)``.
        """
        return self.head.decode(states)

    @property
    def blocks(self) -> nn.ModuleList:
        """The model's blocks, in order."""
        return self._blocks

    def normed(self, states: torch.Tensor) -> torch.Tensor:
        """Return the model's final norm of raw block outputs, shape ``(n, hidden)``; gradients pass through it."""
        return self._norm(states)

    # -- intervening

    def layers(self, **arguments: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """Run the model and return `block_states` with what the head gets at the last position, ``(batch, hidden)``."""
        with torch.inference_mode():
            kept, real = self._run(arguments)
            return torch.stack([state.to(real.device) for state in kept], dim=1), real

    def block_states(self, **arguments: Any) -> torch.Tensor:
        """Run the model and return every layer's raw output at the last position, shape ``(batch, layers, hidden)``."""
        return self.layers(**arguments)[0]

    def decode_blocks(self, states: torch.Tensor) -> torch.Tensor:
        """Return the lens of raw block outputs, shape ``(n, hidden)``: fp32 logits, shape ``(n, vocabulary)``."""
        with torch.inference_mode():
            return self.decode(self._norm(states))

    def token_vector(self, states: torch.Tensor, token_ids: torch.Tensor) -> torch.Tensor:
        """Return the vector that raises each token's lens logit most, at raw block outputs.

        It is the gradient of the logit with respect to the block's output, through the model's own norm and head, at
        unit length. A norm that only scales and centres makes it orthogonal to the state itself: it can be taken out
        of the *difference* between states (`Project` with an ``origin``), not out of the one it was computed at.

        Args:
            states: Raw block outputs, shape ``(n, hidden)``.
            token_ids: A token for each, int64, shape ``(n,)``.

        Returns:
            Unit vectors, fp32, shape ``(n, hidden)``.
        """
        return token_vectors(self._norm, self.head.module, states, token_ids)

    @contextmanager
    def intervene(self, interventions: Interventions, position: int = -1) -> Iterator[None]:
        """Change what blocks hand on, in every forward pass inside the ``with``; undone at its end, errors included.

        Args:
            interventions: By layer (1 is the first block's output), a function, `Project` or `Add`, or several in
                order. Each takes the states at the position, shape ``(batch, hidden)``, and returns the new ones.
                Nested calls on one layer run from the outer to the inner one.
            position: Index into the tokens of each forward pass, those in a cache not counted; -1 is the last.

        Raises:
            ConfigError: A layer or position that is not there, or vectors that do not fit the batch.
            ModelError: The family's blocks do not hand on plain states.
        """
        with intervening(self._blocks, interventions, position):
            yield

    def _norm(self, state: torch.Tensor) -> torch.Tensor:
        state = state[:, None].to(self._norm_device)  # as the model hands it on: with an axis of positions
        for module in self.after_blocks:
            state = module(state)
        return state[:, 0]

    def _padded(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return arguments with the positions of padded rows; the arguments as they are where nothing is padded."""
        mask = arguments.get("attention_mask")
        if not isinstance(mask, torch.Tensor) or mask.dim() != 2 or bool(mask.all()):
            return arguments
        shown = mask.bool()
        if not bool(shown[:, -1].all()):
            raise ModelError(
                f"the attention_mask hides the last position of row {int(shown[:, -1].int().argmin())}, which is read",
                "Pad on the left: tokenizer.padding_side = 'left'.",
            )
        if "position_ids" in arguments:
            return arguments
        if bool((shown[:, :-1] & ~shown[:, 1:]).any()):
            row = int((shown[:, :-1] & ~shown[:, 1:]).any(dim=1).int().argmax())
            raise ModelError(
                f"the attention_mask of row {row} hides positions after some that it shows",
                "Pad on the left only, or give position_ids that say where each token stands.",
            )
        if not self._padding_difference <= _OTHER_KERNELS * relative_tolerance(self.loaded.dtype):
            raise ModelError(
                f"{type(self.loaded.model).__name__} reads a row otherwise when it is padded on the left "
                f"(relative difference {self._padding_difference:.2g})",
                "Run rows of one length together, without padding.",
            )
        if "position_ids" not in inspect.signature(self.loaded.model.forward).parameters:
            return arguments
        # Families with learned positions would count the padding.
        tokens = arguments["input_ids" if arguments.get("input_ids") is not None else "inputs_embeds"].shape[1]
        return arguments | {"position_ids": (mask.long().cumsum(dim=1) - 1).clamp_min(0)[:, -tokens:]}

    def _difference_of_padding(self, real: torch.Tensor) -> float:
        """Return how far padding on the left changes what the head gets of the probe."""
        ids = self._probe()["input_ids"]
        mask = torch.ones(1, _PADDING + ids.shape[1], dtype=torch.long, device=ids.device)
        mask[:, :_PADDING] = 0
        padded = torch.cat([ids[:, -1:].expand(1, _PADDING), ids], dim=1)
        try:
            found = self._run({"input_ids": padded, "attention_mask": mask, "use_cache": False})[1]
        except Exception:  # noqa: BLE001 - whatever a family raises that takes no mask
            return math.inf
        return relative_difference(found, real)

    def _run(self, arguments: dict[str, Any]) -> tuple[list[torch.Tensor], torch.Tensor]:
        arguments = self._padded(arguments)
        head_input: list[torch.Tensor] = []
        handle = self.head.module.register_forward_pre_hook(
            lambda module, inputs: head_input.append(inputs[0][:, -1].clone())
        )
        try:
            with keeping_layers(self._blocks, lambda states: states[:, -1].clone()) as kept:
                self.loaded.model(**arguments, **self.loaded.last_only)
        finally:
            handle.remove()
        if len(kept) != len(self._blocks) + 1 or len(head_input) != 1:
            raise ModelError(
                f"{type(self.loaded.model).__name__} ran {len(kept) - 1} of its {len(self._blocks)} blocks",
                "Models that repeat or skip blocks cannot be read.",
            )
        return kept, head_input[0]

    # -- finding the norm, checking

    def _probe(self) -> dict[str, Any]:
        ids = probe_ids(self.loaded.model, self.loaded.device)
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "use_cache": False}

    def _find_final_norm(self) -> list[nn.Module]:
        """Return the modules that run one after the other between the last block and the head, outermost ones only."""
        model, head, last = self.loaded.model, self.head.module, self._blocks[-1]
        known = {id(module) for block in (*self._blocks, head) for module in block.modules()}
        known |= {id(module) for module in model.modules() if any(part in (last, head) for part in module.modules())}
        events: list[tuple[nn.Module, torch.device]] = []
        running: list[nn.Module] = []
        ended: list[list[tuple[nn.Module, torch.device]]] = []

        def begin(module: nn.Module, inputs: tuple[Any, ...]) -> None:
            running.append(module)
            if len(running) == 1 and inputs and isinstance(inputs[0], torch.Tensor):
                events.append((module, inputs[0].device))

        handles = [last.register_forward_hook(lambda module, inputs, output: events.clear())]
        for module in model.modules():
            if id(module) not in known:
                handles.append(module.register_forward_pre_hook(begin))
                handles.append(module.register_forward_hook(lambda module, inputs, output: running.remove(module)))
        handles.append(head.register_forward_pre_hook(lambda module, inputs: ended.append(list(events))))
        try:
            with torch.inference_mode():
                model(**self._probe())
        finally:
            for handle in handles:
                handle.remove()
        if not ended or not ended[0]:
            raise ModelError(
                f"{type(model).__name__} has no final norm between its last block and its head",
                "It normalises within its blocks alone (post-norm, as GPT-1 does); the lens is defined by a norm after "
                "them, so score can take this model, and trace, lens and ablate cannot.",
            )
        self._norm_device = ended[0][0][1]
        return [module for module, _ in ended[0]]

    def _self_check(self) -> SelfCheck:
        tolerance = relative_tolerance(self.loaded.dtype)
        name = type(self.loaded.model).__name__
        with torch.inference_mode():
            kept, real = self._run(self._probe())
            self._padding_difference = self._difference_of_padding(real)
            try:
                normed = self._norm(kept[-1]).to(real)
            except Exception as error:  # whatever modules raise that do not take each other's output
                raise ModelError(
                    f"self-check failed on {name}: what runs after its last block is no chain of modules ({error})",
                    "Something else happens between the last block and the head; this model cannot be read exactly.",
                ) from error
        difference = relative_difference(normed, real) if normed.shape == real.shape else math.inf
        if not difference <= tolerance:
            raise ModelError(
                f"self-check failed on {name}: the final norm of the last block differs from the head's input by "
                f"{difference:.2g}",
                "Something else happens between the last block and the head; this model cannot be read exactly.",
            )
        depths = sorted({max(1, count) for count in (1, len(self._blocks) // 2, len(self._blocks) - 1)})
        states = self.states(**self._probe())[0, [0, *depths]]
        alone = torch.cat([self.decode(state[None]) for state in states])
        if not relative_difference(self.decode(states), alone) <= tolerance:
            self.head.one_by_one = True  # such as of dynamic quantisation, which scales all states alike
        differences: dict[int, float] = {}
        untestable = ""
        for place, depth in enumerate(depths, 1):
            truncated, reason = self._truncated_logits(depth)
            if truncated is None:
                untestable = reason
            else:
                differences[depth] = relative_difference(alone[place], truncated)
                if not differences[depth] <= tolerance:
                    raise ModelError(
                        f"self-check failed on {name}: a model of its first {depth} blocks answers otherwise than the "
                        f"lens (relative difference {differences[depth]:.2g})",
                        "This model cannot be read exactly.",
                    )
        if not differences:
            return SelfCheck(difference, None, (), untestable, self._padding_difference)
        return SelfCheck(difference, max(differences.values()), tuple(differences), "", self._padding_difference)

    def _truncated_logits(self, depth: int) -> tuple[torch.Tensor | None, str]:
        """Return what a model of the first blocks says, or why there is none."""
        config = self.loaded.model.config.get_text_config()
        reasons = []
        # Some families reshape by the number of blocks in their config, others count blocks by it.
        for config_too in (True, False):
            try:
                with cut_off(self._owner, self._name, depth, config, config_too=config_too), torch.inference_mode():
                    return self.loaded.model(**self._probe(), **self.loaded.last_only).logits[0, -1].float(), ""
            except Exception as error:  # noqa: BLE001 - whatever a family raises when blocks are missing
                reasons.append(f"{type(error).__name__}: {error}")
        return None, reasons[0]
