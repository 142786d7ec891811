"""Going on where memory does not suffice: a batch that does not fit runs in halves."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol, Self, TypeVar

import torch

from pivotlens.errors import ModelError

# What CUDA, Apple's GPUs and the CPU's allocator say; only the first has an error of its own.
_MESSAGES = ("out of memory", "can't allocate memory")


class Divisible(Protocol):
    """A batch of rows that can run in parts."""

    def __len__(self) -> int:
        """Return how many rows there are."""

    def rows_between(self, start: int, stop: int) -> Self:
        """Return some of the rows as a batch of their own."""


Batch = TypeVar("Batch", bound=Divisible)
Result = TypeVar("Result")


def is_out_of_memory(error: Exception) -> bool:
    """Tell whether an error says that memory did not suffice."""
    return isinstance(error, torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and any(message in str(error) for message in _MESSAGES)
    )


@dataclass
class Memory:
    """Runs batches, and halves those that do not fit; remembers what did not.

    Attributes:
        most_rows: Most rows that run at once from now on, by kind of batch; empty as long as every batch has fitted.
    """

    most_rows: dict[str, int] = field(default_factory=dict, init=False)

    @property
    def warning(self) -> str | None:
        """Return what a manifest must say where a batch was halved; None where all have fitted."""
        if not self.most_rows:
            return None
        return (
            "memory did not suffice for the batches that `batch_tokens` allows: some were run in parts, which may "
            "change the last bits of the numbers"
        )

    def run(
        self, batch: Batch, work: Callable[[Batch], Result], kind: str = "contexts"
    ) -> Iterator[tuple[Batch, Result]]:
        """Run a batch, whole or in parts, in order.

        Args:
            batch: The rows.
            work: Runs rows; it must change nothing outside, as it may be called again for the same rows.
            kind: Of the batch: what did not fit for one kind says nothing of another.

        Yields:
            Each part that ran, with what it gave.

        Raises:
            ModelError: A single row does not fit.
        """
        start = 0
        while start < len(batch):
            rows = min(len(batch) - start, self.most_rows.get(kind, len(batch)))
            part = batch if rows == len(batch) else batch.rows_between(start, start + rows)
            try:
                result = work(part)
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                if rows == 1:
                    raise _too_little(error) from error
            else:
                yield part, result
                start += rows
                continue
            # Outside of the handler: the error's frames hold the batch's tensors.
            self.most_rows[kind] = rows // 2
            _release()


@contextmanager
def one_row() -> Iterator[None]:
    """Name what is wrong where memory does not suffice for what cannot be divided."""
    try:
        yield
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise _too_little(error) from error
        raise


def _too_little(error: Exception) -> ModelError:
    return ModelError(
        f"memory does not suffice for a single row of a batch: {str(error).splitlines()[0]}",
        "Lower batch_tokens or shots, use dtype = 'bfloat16', or a device with more memory.",
    )


def _release() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
