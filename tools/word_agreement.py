"""How the words that rules find in documents agree with what a segmenter finds there (docs/method.md#matching-words).

    python -m tools.word_agreement DOCUMENTS.jsonl --segmenter kiwipiepy --words nouns.txt
    python -m tools.word_agreement CUT.jsonl --language he --words nouns.txt

The documents are JSON lines with ``text`` and ``language``, plain or .zst; of them those in the segmenter's language
are taken. Without a segmenter they hold as ``segments`` what another program cut the text into. To the segmenter a word
is in a document if it is one segment or several whole ones. A row each is printed for whole words alone and for the
rules: pairs of document and word that are found, precision and recall against the segmenter, with 95 % intervals of a
bootstrap over documents.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import orjson
import zstandard

from pivotlens.arrays import Integers
from pivotlens.text.longer_words import BUNDLED, read_longer_words
from pivotlens.text.matching import WordMatcher
from pivotlens.text.segmenters import segmented_languages, segmenter

_RESAMPLES = 1000


def read_documents(paths: Sequence[Path], language: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the text of each document in a language, and its segments where it holds them."""
    for path in paths:
        with path.open("rb") as raw:
            stream = zstandard.ZstdDecompressor().stream_reader(raw) if path.suffix == ".zst" else raw
            for line in io.BufferedReader(stream):
                document = orjson.loads(line)
                if document["language"] == language:
                    yield document["text"], document.get("segments", [])


def agreement(found: Integers, truth: Integers, n_words: int, n_documents: int) -> list[tuple[float, float, float]]:
    """Return precision and recall of pairs of document and word, each with the ends of its 95 % interval.

    Args:
        found: Document times the number of words plus word, each once.
        truth: The same of what is taken for right.
        n_words: The number of words.
        n_documents: The number of documents.
    """
    both = np.intersect1d(found, truth)
    counts = np.array([np.bincount(keys // n_words, minlength=n_documents) for keys in (both, found, truth)])
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(n_documents, np.full(n_documents, 1 / n_documents), size=_RESAMPLES) @ counts.T
    result = []
    for which in (1, 2):
        low, high = np.quantile(drawn[:, 0] / np.maximum(drawn[:, which], 1), [0.025, 0.975])
        result.append((both.size / max((found, truth)[which - 1].size, 1), float(low), float(high)))
    return result


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("documents", type=Path, nargs="+")
    cut_by = parser.add_mutually_exclusive_group(required=True)
    cut_by.add_argument("--segmenter")
    cut_by.add_argument("--language", help="of documents that are cut")
    parser.add_argument("--words", type=Path, required=True, help="a word a line")
    parser.add_argument("--most", type=int, default=5000, help="documents, evenly over all")
    options = parser.parse_args()
    language = options.language or next(iter(segmented_languages([options.segmenter])))
    documents = list(read_documents(options.documents, language))
    documents = documents[:: max(len(documents) // options.most, 1)][: options.most]
    texts = [text for text, _ in documents]
    cutter = segmenter(options.segmenter) if options.segmenter else lambda _: [segments for _, segments in documents]
    words = options.words.read_text(encoding="utf-8").split()
    matchers = {
        "whole words": WordMatcher({"und": words}),
        "rules": WordMatcher({language: words}, read_longer_words(BUNDLED).words),
        "segmenter": WordMatcher({language: words}, {}, {language: cutter}),
    }
    found_by = {name: matcher.match_batch(texts) for name, matcher in matchers.items()}
    keys = {name: of_texts * len(words) + found for name, (of_texts, found) in found_by.items()}
    truth = keys["segmenter"]
    print(f"{language}: {len(texts):,} documents, {len(words):,} words; {truth.size:,} pairs to the segmenter")
    for name in ("whole words", "rules"):
        cells = agreement(keys[name], truth, len(words), len(texts))
        shown = " | ".join(f"{value:.3f} ({low:.3f}–{high:.3f})" for value, low, high in cells)
        print(f"| {language}, {name} | {keys[name].size:,} | {shown} |", flush=True)


if __name__ == "__main__":
    main()
