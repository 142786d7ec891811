"""What is not installed: said before any work begins, with a line that installs it from wherever pivotlens came."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterable, Sequence
from importlib import metadata

from pivotlens.errors import PrerequisiteError

_EXTRA = re.compile(r"extra *== *['\"](?P<name>[\w-]+)['\"]")


def install_line(extra: str = "") -> str:
    """Return the command that installs what an extra holds, or pivotlens itself needs.

    It names the packages: `pivotlens[models]` is on no index for whoever works from a checkout.
    """
    wanted = []
    for line in metadata.requires("pivotlens") or ():
        requirement, _, marker = line.partition(";")
        found = _EXTRA.search(marker)
        if (found["name"] if found else "") == extra:
            wanted.append(requirement.strip())
    return "pip install " + " ".join(f"'{one}'" for one in wanted)


def install_hint(extra: str) -> str:
    """Return what to do where packages of an extra are missing."""
    return f"Install what the extra pivotlens[{extra}] holds: `{install_line(extra)}`."


def is_installed(package: str) -> bool:
    """Tell whether a package can be imported, without importing it."""
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):
        return False


def missing_for_models(*more: str) -> list[str]:
    """Return which packages that read a model, and which of ``more``, are not installed; imports nothing."""
    return [name for name in ("torch", "transformers", "safetensors", *more) if not is_installed(name)]


def require_models(reader: str, *more: str) -> None:
    """Check that what reads a model is installed.

    Args:
        reader: What needs it, for the message.
        *more: Packages that it needs beside torch and transformers.

    Raises:
        PrerequisiteError: Something is missing.
    """
    _refuse_missing(reader, missing_for_models(*more), "models")


def require_extra(reader: str, extra: str, packages: Iterable[str]) -> None:
    """Check that the packages of another extra are installed.

    Args:
        reader: What needs them, for the message.
        extra: Its name.
        packages: Those of it that are needed, as they are imported.

    Raises:
        PrerequisiteError: Something is missing.
    """
    _refuse_missing(reader, [name for name in packages if not is_installed(name)], extra)


def _refuse_missing(reader: str, missing: Sequence[str], extra: str) -> None:
    if missing:
        raise PrerequisiteError(
            f"{reader} needs {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed",
            install_hint(extra),
        )
