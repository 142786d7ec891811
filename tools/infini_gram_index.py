"""Index a corpus for infini-gram with any tokenizer: python -m tools.infini_gram_index CORPUS TOKENIZER TO.

The package's own indexer knows three tokenizers, which it fetches from a hub. Where the tokens are already there it
only sorts: they are written here, as it would (each document behind a separator, little-endian), and it is called. Of
tokens of four bytes it wants 34 GB of memory however few they are, so those are sorted here.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from pivotlens.arrays import Integers
from pivotlens.corpus import BadRow, Shard, list_corpus, read_documents
from pivotlens.models.tokenizer import load_tokenizer

_BATCH = 256
_OPEN_FILES, _MEMORY = 1024, 4
_PACKAGE_WIDTH, _SORTED = 2, 64


def write_tokens(texts: Iterator[str], spec: str, to: Path) -> int:
    """Write ``tokenized.0`` and ``offset.0``.

    Args:
        texts: The documents.
        spec: Whose tokenizer.
        to: The folder of the index.

    Returns:
        How many bytes a token has: 2, or 4 where the vocabulary is too large.
    """
    tokenizer = load_tokenizer(spec)
    width = 2 if tokenizer.vocab_size < 1 << 16 else 4
    separator = np.array([2 ** (8 * width) - 1], dtype=f"<u{width}").tobytes()
    to.mkdir(parents=True)
    place = 0
    with (to / "tokenized.0").open("wb") as tokens, (to / "offset.0").open("wb") as offsets:
        while batch := list(islice(texts, _BATCH)):
            for ids in tokenizer.encode_batch(batch):
                content = separator + ids.astype(f"<u{width}").tobytes()
                offsets.write(np.array([place], dtype="<u8").tobytes())
                tokens.write(content)
                place += len(content)
    return width


def sort_suffixes(folder: Path, width: int) -> None:
    """Have the package make ``table.0`` of tokens of two bytes.

    Args:
        folder: The index.
        width: Bytes of a token.

    Raises:
        CalledProcessError: It failed; what it printed is in it.
    """
    where = str(folder.resolve())  # it works in a folder of its own
    subprocess.run(
        [sys.executable, "-m", "infini_gram.indexing", "--data_dir", where, "--save_dir", where, "--token_dtype",
         f"u{8 * width}", "--cpus", "1", "--mem", str(_MEMORY), "--ulimit", str(_OPEN_FILES)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip


def sort_prefixes(folder: Path, width: int) -> None:
    """Make ``table.0`` by doubling prefixes (Manber and Myers 1993), up to `_SORTED` tokens; no query is longer.

    Args:
        folder: The index.
        width: Bytes of a token.
    """
    content = np.fromfile(folder / "tokenized.0", dtype=f">u{width}")  # the engine compares bytes, the first one first
    order = np.argsort(content, kind="stable")
    ranks = _ranks(order, content[order])
    known = 1
    while known < _SORTED and ranks.max() + 1 < ranks.size:
        behind = np.zeros_like(ranks)
        behind[:-known] = ranks[known:] + 1
        keys = ranks * (ranks.size + 1) + behind
        order = np.argsort(keys, kind="stable")
        ranks = _ranks(order, keys[order])
        known *= 2
    pointer = math.ceil(math.log2(content.nbytes) / 8)
    places = (order * width).astype("<u8").view(np.uint8).reshape(-1, 8)
    places[:, :pointer].tofile(folder / "table.0")


def _ranks(order: Integers, ordered: np.ndarray[Any, Any]) -> Integers:
    """Return the rank of each place, equal ones sharing theirs."""
    ranks = np.empty(order.size, dtype=np.int64)
    ranks[order] = np.concatenate([[0], np.cumsum(ordered[1:] != ordered[:-1])])
    return ranks


def build(corpus: str, spec: str, to: Path) -> None:
    """Index the readable documents of a corpus."""
    rows = (row for file in list_corpus(corpus) for row in read_documents(Shard.whole(file)))
    width = write_tokens((row.text for row in rows if not isinstance(row, BadRow)), spec, to)
    (sort_suffixes if width == _PACKAGE_WIDTH else sort_prefixes)(to, width)


def main(arguments: Sequence[str] | None = None) -> int:
    """Build an index."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", help="as `pivotlens count --corpus`")
    parser.add_argument("tokenizer", help="a model spec")
    parser.add_argument("to", type=Path, help="folder of the index; must not be there")
    options = parser.parse_args(arguments)
    build(options.corpus, options.tokenizer, options.to)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
