"""Loops over bytes and lines that numba compiles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba


def compiled(function: Callable[..., Any]) -> Any:
    """Return a function compiled when it is first called, and kept for later runs where there is a place to keep it.

    What is kept is made anew when the function's own file has changed, not when it calls what has changed in another:
    whoever changes such a function removes ``__pycache__``.
    """
    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # neither the package's folder nor the user's can be written
        return numba.njit(nogil=True)(function)


def inlined(function: Callable[..., Any]) -> Any:
    """Return a function that is compiled into each of those that call it: a call that hands on arrays costs 0.1 µs."""
    return numba.njit(inline="always", nogil=True)(function)
