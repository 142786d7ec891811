"""Command line: `python -m open_desktop_corpus --out DIR`."""

import argparse
import sys
from collections import Counter
from functools import partial
from typing import Any

from open_desktop_corpus import KINDS, LANGUAGES
from open_desktop_corpus.build import build_corpus
from open_desktop_corpus.command import build_and_tell, parser_of


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
    parser = parser_of("open_desktop_corpus", __doc__)
    parser.add_argument("--kinds", type=_kinds, default=list(KINDS), help="comma-separated [all]")
    parser.add_argument("--hold-out", action="store_true", help="leave out the sentences of the sentence task")
    arguments = parser.parse_args()
    build = partial(
        build_corpus,
        kinds=arguments.kinds,
        workers=arguments.workers,
        strict=arguments.strict,
        hold_out=arguments.hold_out,
    )
    return build_and_tell(arguments, build, _table)


if __name__ == "__main__":
    sys.exit(main())
