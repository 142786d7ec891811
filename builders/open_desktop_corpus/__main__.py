"""Command line: `python -m open_desktop_corpus --out DIR`."""

import argparse
import logging
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from open_desktop_corpus import KINDS, LANGUAGES
from open_desktop_corpus.build import BuildError, build_corpus


def _kinds(value: str) -> list[str]:
    chosen = value.split(",")
    if unknown := sorted(set(chosen) - set(KINDS)):
        raise argparse.ArgumentTypeError(f"unknown kind {unknown[0]!r}; choose from {KINDS}")
    return [kind for kind in KINDS if kind in chosen]


def _table(manifest: dict[str, Any]) -> str:
    documents: Counter[tuple[str, str]] = Counter()
    size: Counter[tuple[str, str]] = Counter()
    for row in manifest["counts"]:
        for key in ((row["kind"], row["language"]), (row["kind"], "all"), ("all", "all")):
            documents[key] += row["documents"]
            size[key] += row["text_bytes"]
    lines = ["| kind | language | documents | text MB |", "|---|---|---:|---:|"]
    for kind in (*KINDS, "all"):
        for language in (*LANGUAGES, "all"):
            if documents[kind, language]:
                megabytes = size[kind, language] / 1e6
                lines.append(f"| {kind} | {language} | {documents[kind, language]:,} | {megabytes:.1f} |")
    return "\n".join(lines)


def main() -> int:
    """Build the corpus; return the exit status."""
    parser = argparse.ArgumentParser(prog="open_desktop_corpus", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder to make or replace")
    parser.add_argument("--cache", type=Path, help="downloads [OUT.cache]")
    parser.add_argument("--kinds", type=_kinds, default=list(KINDS), help="comma-separated [all]")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--hold-out", action="store_true", help="leave out the sentences of the sentence task")
    parser.add_argument("--strict", action="store_true", help="fail if a package is missing")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    out = arguments.out.absolute()
    cache = arguments.cache or out.with_name(f"{out.name}.cache")
    try:
        manifest = build_corpus(
            out,
            cache.absolute(),
            arguments.kinds,
            workers=arguments.workers,
            strict=arguments.strict,
            hold_out=arguments.hold_out,
        )
    except (BuildError, FileExistsError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(_table(manifest))
    if manifest["missing"]:
        print(f"\n{len(manifest['missing'])} missing: {', '.join(manifest['missing'])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
