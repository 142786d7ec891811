"""What the commands of the experiments share: errors are told in words."""

from __future__ import annotations

import sys
from collections.abc import Callable

from pivotlens.errors import PivotLensError


def told(work: Callable[[], None]) -> int:
    """Do work, tell of its error in words, and return the exit code."""
    try:
        work()
    except PivotLensError as error:
        print(f"Error: {error.message}\n  → {error.hint}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("Interrupted; the same command goes on from there.", file=sys.stderr)
        return 130
    return 0
