"""The errors a user can meet, each with the exit code of its kind."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class PivotLensError(Exception):
    """Base of all errors that are not bugs.

    Args:
        message: What is wrong; names the value and where it came from.
        hint: What to do about it, one sentence; may be empty.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message

    def __reduce__(self) -> tuple[type[PivotLensError], tuple[str, str]]:
        # Errors cross process boundaries when a worker fails.
        return type(self), (self.message, self.hint)


class ConfigError(PivotLensError):
    """A setting is unknown, malformed or out of range."""

    exit_code = 2


class PrerequisiteError(PivotLensError):
    """Something that must be there first is missing: a package, the network, an earlier stage."""

    exit_code = 3


class DataError(PivotLensError):
    """An input file of the user's is unreadable or does not hold what it must (names file and line)."""

    exit_code = 4


class ModelError(PivotLensError):
    """A model cannot be loaded, or cannot be read exactly."""

    exit_code = 5


class ArtifactError(PivotLensError):
    """A file in a run folder is missing, damaged, in use or cannot be written."""

    exit_code = 6


class UnfinishedError(PivotLensError):
    """Nothing is wrong, but there is no result yet: parts of other portions are missing, or are still to be merged."""

    exit_code = 7


def did_you_mean(value: str, known: Iterable[str]) -> str:
    """Return ``did you mean 'x'?`` for the closest known name, or the list of known names."""
    names = sorted(known)
    close = closest(value, names)
    return f"did you mean {' or '.join(map(repr, close))}?" if close else f"known: {', '.join(names)}."


def closest(value: str, known: Iterable[str]) -> list[str]:
    """Return the known name that a name is a slip of, the one or two that go on where it ends, or the most alike one.

    >>> closest("limit", ["limit_concepts", "limit_documents", "unit"])
    ['limit_concepts', 'limit_documents']
    """
    names = sorted(known)
    slip, alike = (difflib.get_close_matches(value, names, n=1, cutoff=cutoff) for cutoff in (0.85, 0.6))
    longer = [name for name in names if name.startswith((f"{value}_", f"{value}-"))]
    return slip or (longer if len(longer) <= 2 else []) or alike
