"""Arrays as files, for parts: numpy's own format, without pickle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pivotlens.arrays import Bytes
from pivotlens.artifacts.files import atomic_path

Arrays = dict[str, npt.NDArray[np.generic]]


def write_arrays(path: Path, arrays: Mapping[str, npt.NDArray[np.generic]]) -> None:
    """Write arrays as an ``.npz`` file, whatever its name ends in: whole, or not at all."""
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def read_arrays(path: Path, names: Iterable[str] | None = None) -> Arrays:
    """Read what `write_arrays` wrote: all of it, or only the arrays of these names."""
    with np.load(path, allow_pickle=False) as content:
        return {name: content[name] for name in (content.files if names is None else names)}


def pack_strings(values: list[str]) -> Bytes:
    """Return strings as UTF-8 bytes, each ended by a zero byte; they must not hold one."""
    content = b"".join(value.encode("utf-8", "surrogateescape") + b"\0" for value in values)
    return np.frombuffer(content, dtype=np.uint8)


def unpack_strings(content: npt.NDArray[np.generic]) -> list[str]:
    """Return the strings that `pack_strings` packed."""
    return [value.decode("utf-8", "surrogateescape") for value in content.tobytes().split(b"\0")[:-1]]
