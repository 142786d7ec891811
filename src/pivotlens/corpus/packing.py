"""Arrays as bytes, for parts: numpy's own format, without pickle."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

Arrays = dict[str, npt.NDArray[np.generic]]


def pack_arrays(arrays: Mapping[str, npt.NDArray[np.generic]]) -> bytes:
    """Return arrays as the bytes of an ``.npz`` file."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def unpack_arrays(path: Path) -> Arrays:
    """Read what `pack_arrays` wrote to a file."""
    with np.load(path, allow_pickle=False) as content:
        return {name: content[name] for name in content.files}


def pack_strings(values: list[str]) -> npt.NDArray[np.uint8]:
    """Return strings as UTF-8 bytes, each ended by a zero byte; they must not hold one."""
    content = b"".join(value.encode("utf-8", "surrogateescape") + b"\0" for value in values)
    return np.frombuffer(content, dtype=np.uint8)


def unpack_strings(content: npt.NDArray[np.generic]) -> list[str]:
    """Return the strings that `pack_strings` packed."""
    return [value.decode("utf-8", "surrogateescape") for value in content.tobytes().split(b"\0")[:-1]]
