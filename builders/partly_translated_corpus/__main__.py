"""Command line: `python -m partly_translated_corpus --out DIR`."""

import sys
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

from open_desktop_corpus.build import Inputs, Task, write_corpus
from open_desktop_corpus.command import build_and_tell, parser_of
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
    arguments = parser_of("partly_translated_corpus", __doc__).parse_args()

    def build(out: Path, cache: Path) -> dict[str, Any]:
        return write_corpus(
            NAME,
            out,
            partial(_plan, cache),
            workers=arguments.workers,
            strict=arguments.strict,
            minimum_bytes=MINIMUM_TEXT_BYTES,
        )

    return build_and_tell(arguments, build, _table)


if __name__ == "__main__":
    sys.exit(main())
