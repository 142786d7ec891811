"""Precision and recall of the rules of matching against segmenters (docs/method.md#matching-words).

    python -m tools.word_agreement measure jieba corpus/open-desktop/*.jsonl.zst       # jieba.json in measured/
    python -m tools.word_agreement measure kiwipiepy corpus/partly-translated/*.zst --to kept/ --most 500
    python -m tools.word_agreement page                                                # docs/results/word-matching.md

Documents are JSON lines with ``text``, ``language`` and ``kind``, plain or .zst, of which those in the segmenter's
language are taken, or catalogs of messages (.mo) that all are in it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import orjson

from tools.word_agreement.compare import compared
from tools.word_agreement.cutters import cutter
from tools.word_agreement.page import MEASURED, PAGE, page
from tools.word_agreement.texts import Lines, measured_and_words, read_documents


def measure(name: str, paths: Sequence[Path], source: str, most: int) -> bytes:
    """Return what is kept of a comparison, as JSON.

    Args:
        name: Of the segmenter.
        paths: Of documents.
        source: What the documents are called on the page.
        most: Documents of a kind, evenly over all.
    """
    with_it = cutter(name)
    documents, words = measured_and_words(list(read_documents(paths, with_it.language)), with_it, most)
    lines = Lines.of(documents)
    about = {"language": with_it.language, "segmenter": name, "versions": with_it.versions, "source": source}
    found = compared(lines, words, with_it.language, list(with_it.cut(lines.texts)))
    return orjson.dumps(about | found, option=orjson.OPT_INDENT_2) + b"\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(dest="step", required=True)
    measuring = steps.add_parser("measure", help="compare the rules with a segmenter")
    measuring.add_argument("segmenter", help="kiwipiepy, jieba, SudachiPy, fugashi, hspell or qalsadi")
    measuring.add_argument("documents", type=Path, nargs="+")
    measuring.add_argument("--source", help="what they are called on the page; without it, their folder")
    measuring.add_argument("--most", type=int, default=1500, help="documents of a kind, evenly over all")
    measuring.add_argument("--to", type=Path, default=MEASURED, help="folder of the figures")
    steps.add_parser("page", help="write the page")
    options = parser.parse_args(arguments)
    if options.step == "measure":
        source = options.source or options.documents[0].resolve().parent.name
        kept = measure(options.segmenter, options.documents, source, options.most)
        (options.to / f"{options.segmenter}.json").write_bytes(kept)
    else:
        PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
