"""The output head a slice of the vocabulary at a time: states meet some thousand tokens while both are in cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, cast

import torch
from torch import nn

from pivotlens.models.head import OutputHead
from pivotlens.models.library_internals import is_offloaded, running_instead

Logits = Callable[[torch.Tensor, "slice | torch.Tensor"], torch.Tensor]
"""From states, shape ``(n, hidden)``, and tokens to logits in fp32, shape ``(n, tokens)``."""

# Tokens of a slice. With as many states as `ROWS` their logits stay in a processor's cache.
WIDTH = 2048
ROWS = 1024
# Logits held at once where the head cannot be cut, in fp32 numbers: 64 MB.
_LOGITS = 1 << 24


class HeadSlices:
    """Logits of states, for consecutive slices of the vocabulary or for chosen tokens.

    A plain linear head is cut; what the model does with its head's output (soft-capping, scaling) is done by the
    model's own code, run with its blocks left out. Whether that gives what the whole model gives is tried first:
    where it does not, the head runs whole.

    Args:
        head: Of a model.
    """

    def __init__(self, head: OutputHead) -> None:
        self.head = head
        self._module = head.module
        self.sliced = self.can_be_cut()
        vocabulary: int = head.loaded.model.config.get_text_config().vocab_size
        self.vocabulary = self._weight.shape[0] if self.sliced else vocabulary
        self.rows = ROWS if self.sliced else max(1, _LOGITS // vocabulary)

    @property
    def _weight(self) -> torch.Tensor:
        return self._module.weight  # type: ignore[return-value]

    @contextmanager
    def open(self, grad: bool = False) -> Iterator[Logits]:
        """Give a function from states, shape ``(n, hidden)``, and tokens to logits in fp32, shape ``(n, tokens)``.

        Args:
            grad: Whether gradients pass from the logits to the states; only a head that can be cut does that.
        """
        if not self.sliced:
            yield _Whole(self.head).logits
            return
        with _without_blocks(self.head, grad) as run:
            yield run

    def slices(self) -> list[slice]:
        """Return the slices that make up the vocabulary."""
        width = WIDTH if self.sliced else self.vocabulary
        return [slice(begin, min(begin + width, self.vocabulary)) for begin in range(0, self.vocabulary, width)]

    def can_be_cut(self) -> bool:
        """Tell whether the head is one plain matrix, and a part of it gives what the whole model gives there."""
        module, loaded = self._module, self.head.loaded
        if type(module) is not nn.Linear or is_offloaded(module) or not module.weight.is_floating_point():
            return False
        vocabulary, hidden = module.weight.shape
        states = torch.randn(2, hidden, generator=torch.Generator().manual_seed(0)).to(
            loaded.device, module.weight.dtype
        )
        tokens = torch.arange(0, vocabulary, max(1, vocabulary // 64), device=loaded.device)
        whole = self.head.decode(states)
        if whole.shape[-1] != vocabulary:
            return False
        try:
            with _without_blocks(self.head) as run:
                cut = torch.cat([run(states, tokens), run(states, slice(0, 3))], dim=-1)
        except (AttributeError, IndexError, KeyError, NotImplementedError, RuntimeError, TypeError, ValueError):
            return False
        expected = torch.cat([whole[:, tokens], whole[:, :3]], dim=-1)
        tolerance = 1e-5 if module.weight.dtype == torch.float32 else 2e-2
        return cut.shape == expected.shape and torch.allclose(
            cut, expected, rtol=tolerance, atol=tolerance * float(expected.abs().max())
        )


class _Whole:
    """A head that runs whole; the last logits are kept, for other tokens of the same states."""

    def __init__(self, head: OutputHead) -> None:
        self._head = head
        self._last = (torch.empty(0), torch.empty(0))

    def logits(self, states: torch.Tensor, tokens: slice | torch.Tensor) -> torch.Tensor:
        if self._last[0] is not states:
            self._last = (states, self._head.decode(states))
        return self._last[1][:, tokens]


@contextmanager
def _without_blocks(head: OutputHead, grad: bool = False) -> Iterator[Logits]:
    model, module = head.loaded.model, head.module
    decoder: nn.Module = model.get_decoder()  # type: ignore[no-untyped-call]
    probe = torch.zeros(1, 1, dtype=torch.long, device=head.loaded.device)
    outputs: list[Any] = []
    handle = decoder.register_forward_hook(lambda module, inputs, output: outputs.append(output))
    try:
        with torch.inference_mode():
            model(input_ids=probe, use_cache=False, **head.loaded.last_only)
    finally:
        handle.remove()
    linear = cast("nn.Linear", module)
    chosen: list[tuple[torch.Tensor, slice | torch.Tensor]] = []

    def cut(*inputs: Any, **named: Any) -> torch.Tensor:
        states, tokens = chosen[-1]
        bias = None if linear.bias is None else linear.bias[tokens]
        return nn.functional.linear(states[None], linear.weight[tokens], bias)

    def run(states: torch.Tensor, tokens: slice | torch.Tensor) -> torch.Tensor:
        chosen[:] = [(states, tokens)]
        logits: torch.Tensor = model(input_ids=probe, use_cache=False, **head.loaded.last_only).logits
        return logits[0].float()

    with ExitStack() as restored, torch.inference_mode(not grad):
        restored.enter_context(running_instead(decoder, lambda *inputs, **named: outputs[0]))
        restored.enter_context(running_instead(module, cut))
        yield run
