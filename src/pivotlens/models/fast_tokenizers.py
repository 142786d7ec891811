"""Tokenizers written for speed, used where they are installed and cut every sample text as the model's own does.

They are young, and each knows only some kinds of ``tokenizer.json``: what one cannot load is left to the next, and
what one cuts differently is dropped with a warning. Their ids are the same, so a result does not tell which one ran.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import orjson
from tokenizers import Tokenizer

from pivotlens.arrays import Integers
from pivotlens.extras import is_installed

EncodeFlat = Callable[[Sequence[str]], tuple[Integers, Integers]]
"""Turns texts into the token ids of all, one after another, and the number of tokens of each."""

_SAMPLED_TOKENS = 4096
_SAMPLED_MARKS = 64
_SAMPLES = (
    "",
    " ",
    "The quick brown fox can't jump over 1234567 lazy dogs; it's 3.14159, isn't it?",
    "  two  spaces\tand\t\ttabs \n\n\n and lines\r\nof\rall kinds   \n",
    "L'été déjà là: naïve cœur, ÉLAN, Straße, ŻÓŁĆ; e\u0301 a\u0308 decomposed, \ufb01 ligature",
    "Быстрая лиса, п'ять, Ελληνικά, العربيّة מים हिन्दी ไทย 한국어 낱말",
    "水と書籍。漢字かな交じり文、１２３ＡＢＣ ｶﾅ 的我是不一个人",
    "👩‍👩‍👧‍👦 👍🏽 🇫🇷 \U00010348 \ufffd \u200b \u00ad \ufeff \u2028 \x00 \x01 \x7f",
    "def f(x):\n    return x**2  # `code` <b>&amp;</b> {'a': [1, 2]} https://example.org/?q=1#x\n",
    "snake_case camelCase HTTPServer v1.2.3-rc4 ---- ==== ....... !!!!! \\n %s $HOME a" + "b" * 300,
)


def use_hugging_face(tokenizer: Tokenizer) -> EncodeFlat:
    """Return the model's own tokenizer as an `EncodeFlat`."""

    def encode(texts: Sequence[str]) -> tuple[Integers, Integers]:
        ids = [encoding.ids for encoding in tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]
        lengths = np.array([len(of_text) for of_text in ids], dtype=np.int64)
        flat = np.fromiter((token for of_text in ids for token in of_text), dtype=np.int64, count=int(lengths.sum()))
        return flat, lengths

    return encode


def fastest(tokenizer: Tokenizer) -> tuple[EncodeFlat, list[str]]:
    """Return the first installed fast tokenizer that cuts every sample as ``tokenizer`` does, or that one.

    Args:
        tokenizer: The model's own, with nothing left of truncation, padding and dropout.

    Returns:
        It, and a warning for each that was dropped since an id differed.
    """
    own = use_hugging_face(tokenizer)
    warnings: list[str] = []
    content = _without_special_tokens(tokenizer)
    samples = sample_texts(tokenizer)
    expected: tuple[Integers, Integers] | None = None
    for package, load in LOADERS.items():
        if not is_installed(package):
            continue
        try:
            encode = load(content)
            found = encode(samples)
        except Exception:  # noqa: BLE001 - each has errors of its own for a kind of tokenizer that it does not know
            continue
        expected = own(samples) if expected is None else expected
        if all(np.array_equal(one, other) for one, other in zip(found, expected, strict=True)):
            return encode, warnings
        warnings.append(
            f"the package {package} cuts sample texts into other tokens than the model's own tokenizer: it is not used"
        )
    return own, warnings


def _without_special_tokens(tokenizer: Tokenizer) -> str:
    """Return a tokenizer's file with no special tokens to look for: what switches them off is not part of it."""
    content = orjson.loads(tokenizer.to_str())
    content["added_tokens"] = [added for added in content["added_tokens"] if not added["special"]]
    return orjson.dumps(content).decode()


def sample_texts(tokenizer: Tokenizer) -> list[str]:
    """Return what fast tokenizers are checked on: kinds of text, marks of the tokenizer, and pieces of its vocabulary.

    The pieces are in every script that the vocabulary knows, in an order that meets no merge by rote.
    """
    marks = [added.content for added in tokenizer.get_added_tokens_decoder().values()][:_SAMPLED_MARKS]
    size = tokenizer.get_vocab_size(with_added_tokens=False)
    drawn = np.random.default_rng(0).integers(0, max(size, 1), _SAMPLED_TOKENS)
    pieces = [tokenizer.decode([token], skip_special_tokens=False) for token in drawn.tolist()]
    lines = ["".join(pieces[start : start + 64]) for start in range(0, len(pieces), 64)]
    spaced = [" ".join(pieces[start : start + 64]) for start in range(0, len(pieces), 64)]
    return [*_SAMPLES, *(f"a{mark} b {mark}" for mark in marks), *lines, *spaced]


def _load_fastokens(content: str) -> EncodeFlat:
    tokenizer: Any = importlib.import_module("fastokens").Tokenizer.from_json_str(content)

    def encode(texts: Sequence[str]) -> tuple[Integers, Integers]:
        ids, offsets = tokenizer.encode_batch_flat(list(texts), add_special_tokens=False)
        ends = np.frombuffer(offsets, dtype="<u8").astype(np.int64)
        return np.frombuffer(ids, dtype="<u4").astype(np.int64), ends[1:] - ends[:-1]

    return encode


def _load_gigatoken(content: str) -> EncodeFlat:
    tokenizer: Any = importlib.import_module("gigatoken").Tokenizer.from_json(content)

    def encode(texts: Sequence[str]) -> tuple[Integers, Integers]:
        layout = tokenizer.encode_batch(list(texts)).layout.to_ListOffsetArray64(True)
        offsets = np.asarray(layout.offsets.data, dtype=np.int64)
        return np.asarray(layout.content.data, dtype=np.int64)[: int(offsets[-1])], offsets[1:] - offsets[:-1]

    return encode


def _load_tokie(content: str) -> EncodeFlat:
    module: Any = importlib.import_module("tokie")
    with TemporaryDirectory() as folder:  # it reads files alone
        path = Path(folder) / "tokenizer.json"
        path.write_text(content, encoding="utf-8")
        tokenizer = module.Tokenizer.from_json(str(path))

    def encode(texts: Sequence[str]) -> tuple[Integers, Integers]:
        ids, lengths = tokenizer.encode_batch_flat(list(texts), add_special_tokens=False)
        return ids.astype(np.int64), lengths.astype(np.int64)

    return encode


LOADERS: dict[str, Callable[[str], EncodeFlat]] = {
    "gigatoken": _load_gigatoken,
    "fastokens": _load_fastokens,
    "tokie": _load_tokie,
}
"""By package, the one that is asked first being the fastest where it knows the tokenizer."""
