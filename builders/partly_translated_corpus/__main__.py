"""Command line: `python -m partly_translated_corpus --out DIR`."""

import argparse
import logging
import os
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

from open_desktop_corpus.build import BuildError, Inputs, Task, write_corpus
from open_desktop_corpus.pages import page_documents
from partly_translated_corpus.sources import PAGE_SETS, label_of

NAME = "partly translated corpus"
MINIMUM_TEXT_BYTES = 40_000_000


def _plan(cache: Path, inputs: Inputs) -> dict[str, list[Task]]:
    return {
        "manuals": [
            partial(page_documents, pages, deb, label_of=label_of, as_it_comes=True)
            for pages in PAGE_SETS
            for deb in inputs.debian(pages.packages, cache / "debian")
        ]
    }


def _table(manifest: dict[str, Any]) -> str:
    documents: Counter[str] = Counter()
    size: Counter[str] = Counter()
    for row in manifest["counts"]:
        for key in (row["language"], "all"):
            documents[key] += row["documents"]
            size[key] += row["text_bytes"]
    lines = ["| label | documents | text MB |", "|---|---:|---:|"]
    for key in sorted(documents, key=lambda key: (key == "all", key)):
        lines.append(f"| {key} | {documents[key]:,} | {size[key] / 1e6:.1f} |")
    return "\n".join(lines)


def main() -> int:
    """Build the corpus; return the exit status."""
    parser = argparse.ArgumentParser(prog="partly_translated_corpus", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder to make or replace")
    parser.add_argument("--cache", type=Path, help="downloads [OUT.cache]")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--strict", action="store_true", help="fail if a package is missing")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    out = arguments.out.absolute()
    cache = (arguments.cache or out.with_name(f"{out.name}.cache")).absolute()
    try:
        manifest = write_corpus(
            NAME,
            out,
            partial(_plan, cache),
            workers=arguments.workers,
            strict=arguments.strict,
            minimum_bytes=MINIMUM_TEXT_BYTES,
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
