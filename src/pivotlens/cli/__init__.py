"""The command line: one verb a stage, and `run`, `init`, `show`, `verify`, `doctor`, `demo`."""

from pivotlens.cli.main import main

__all__ = ["main"]
