"""The text that is measured on, and the words that are looked for in it."""

from __future__ import annotations

import io
import struct
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
import regex
import zstandard

from pivotlens.artifacts import Benchmark
from pivotlens.bench.config import BenchConfig
from pivotlens.bench.stage import build_benchmark
from tools.word_agreement.cutters import Cutter

_SHORTCUT = regex.compile(r"[~_](?=\p{L})")
# Nouns that are taken for words where there is no benchmark, and in how many places they must stand at least.
_MOST_NOUNS, _LEAST_PLACES = 500, 5


@dataclass(frozen=True)
class Lines:
    """Lines of documents, each line of a document once.

    Attributes:
        texts: The lines.
        documents: Of each line the number of its document.
        kinds: Of each document what it is: the corpus's own word for it.
    """

    texts: list[str]
    documents: list[int]
    kinds: list[str]

    @classmethod
    def of(cls, documents: Sequence[tuple[str, str]]) -> Lines:
        """Cut documents, each a kind and a text, into lines."""
        pairs = [
            (line, number)
            for number, (_, text) in enumerate(documents)
            for line in dict.fromkeys(text.splitlines())
            if line.strip()
        ]
        return cls([line for line, _ in pairs], [number for _, number in pairs], [kind for kind, _ in documents])


def read_documents(paths: Sequence[Path], language: str) -> Iterator[tuple[str, str]]:
    """Yield kind and text of what is in a language: rows of .jsonl and .jsonl.zst, messages of catalogs (.mo)."""
    for path in paths:
        if path.suffix == ".mo":
            yield from (("messages", text) for text in _messages(path.read_bytes()))
            continue
        with path.open("rb") as raw:
            stream = zstandard.ZstdDecompressor().stream_reader(raw) if path.suffix == ".zst" else raw
            for line in io.BufferedReader(stream):
                row = orjson.loads(line)
                if row["language"] == language:
                    yield row["kind"], row["text"]


def _messages(content: bytes) -> Iterator[str]:
    """Yield the translations of a catalog of gettext, without plural forms and marks of shortcuts."""
    _, _, count, _, table = struct.unpack_from("<5I", content)
    for row in range(1, count):  # the first is the header
        length, start = struct.unpack_from("<2I", content, table + 8 * row)
        yield _SHORTCUT.sub("", content[start : start + length].decode().partition("\0")[0])


def drawn(documents: Sequence[tuple[str, str]], most: int) -> list[tuple[str, str]]:
    """Return of each kind as many documents at most, evenly over all of it."""
    kinds = sorted({kind for kind, _ in documents})
    by_kind = [[one for one in documents if one[0] == kind] for kind in kinds]
    return [one for listed in by_kind for one in listed[:: max(-(-len(listed) // most), 1)]]


def measured_and_words(
    documents: Sequence[tuple[str, str]], cutter: Cutter, most: int
) -> tuple[list[tuple[str, str]], Sequence[Sequence[str]]]:
    """Return the documents to measure on, and the words, each by the forms that it is counted in.

    The words are those of the bundled benchmark that `count` looks for; where it has none in the language, the
    commonest nouns, by the same segmenter, of every second document, and what is measured on are the others.
    """
    if cutter.nouns is None:
        with tempfile.TemporaryDirectory() as run:
            build_benchmark(BenchConfig(words="word-translation"), Path(run))
            concepts = Benchmark.load(Path(run)).test_concepts()
        return drawn(documents, most), [concept.counted(cutter.language) for concept in concepts]
    documents = list(dict.fromkeys(documents))
    nouns = cutter.nouns([text for _, text in drawn(documents[1::2], most)])
    common = [(word,) for word, places in nouns.most_common(_MOST_NOUNS) if places >= _LEAST_PLACES and len(word) > 1]
    return drawn(documents[::2], most), common
