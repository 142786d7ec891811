"""What the commands that build a corpus have in common: their options, and what they say."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from open_desktop_corpus.build import BuildError


def parser_of(name: str, description: str | None) -> argparse.ArgumentParser:
    """Return a parser with the options that every such command has."""
    parser = argparse.ArgumentParser(prog=name, description=description)
    parser.add_argument("--out", type=Path, required=True, help="folder to make or replace")
    parser.add_argument("--cache", type=Path, help="downloads [OUT.cache]")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--strict", action="store_true", help="fail if a package is missing")
    return parser


def build_and_tell(
    arguments: argparse.Namespace,
    build: Callable[[Path, Path], dict[str, Any]],
    table: Callable[[dict[str, Any]], str],
) -> int:
    """Build a corpus, print what is in it and what is missing, and return the exit status.

    Args:
        arguments: What `parser_of` parsed.
        build: Takes the folder to make and that of downloads; returns the manifest.
        table: Returns the manifest as a table.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    out = arguments.out.absolute()
    cache = (arguments.cache or out.with_name(f"{out.name}.cache")).absolute()
    try:
        manifest = build(out, cache)
    except (BuildError, FileExistsError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(table(manifest))
    if manifest["missing"]:
        print(f"\n{len(manifest['missing'])} missing: {', '.join(manifest['missing'])}")
    return 0
