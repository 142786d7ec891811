"""The dictionaries behind the longer words: fetched with pip, pinned by sha256, read without running their code."""

from __future__ import annotations

import hashlib
import importlib
import struct
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

_JIEBA = "jieba-0.42.1"
_IPADIC = "ipadic-1.0.0"
_OPENCC = "opencc_python_reimplemented-0.1.7-py2.py3-none-any"
_JANOME = "Janome-0.5.0-py2.py3-none-any"
_ARCHIVES = {
    # name of the unpacked folder: (file, requirement, sha256)
    _JIEBA: (f"{_JIEBA}.tar.gz", "jieba==0.42.1", "055ca12f62674fafed09427f176506079bc135638a14e23e25be909131928db2"),
    _IPADIC: (f"{_IPADIC}.tar.gz", "ipadic==1.0.0", "f5923d31eca6131acaaf18ed28d8998665b1347b640d3a6476f64650e9a71c07"),
    _OPENCC: (
        f"{_OPENCC}.whl",
        "opencc-python-reimplemented==0.1.7",
        "41b3b92943c7bed291f448e9c7fad4b577c8c2eae30fcfe5a74edf8818493aa6",
    ),
    _JANOME: (f"{_JANOME}.whl", "janome==0.5.0", "d098670394a77881ce2f6b7d696c0ea5ff74c0c8cf74a8a882159ec82c0e6dc7"),
}
_PIP = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]


class Entry(NamedTuple):
    """A dictionary's word with its tags and its number: jieba's frequency, or IPADIC's smallest cost."""

    word: str
    tags: frozenset[str]
    number: int


class Sources:
    """The pinned archives, fetched into a cache folder when they are not there yet."""

    def __init__(self, cache: Path) -> None:
        """Remember the cache folder and create it."""
        self.cache = cache.resolve()
        self.cache.mkdir(parents=True, exist_ok=True)

    def jieba_entries(self) -> Iterator[Entry]:
        """Yield the entries of jieba's dictionary, in its order."""
        text = (self._folder(_JIEBA) / "jieba" / "dict.txt").read_text(encoding="utf-8")
        for line in text.splitlines():
            word, frequency, tag = line.split(" ")
            yield Entry(word, frozenset({tag}), int(frequency))

    def ipadic(self) -> Path:
        """Return IPADIC's compiled dictionary."""
        return self._folder(_IPADIC) / "ipadic" / "dicdir" / "sys.dic"

    def simplify(self) -> Callable[[str], str]:
        """Return OpenCC's conversion to simplified characters, which the sample corpus went through as well."""
        return self.conversion("t2s")

    def conversion(self, name: str) -> Callable[[str], str]:
        """Return one of OpenCC's conversions between Chinese characters, such as ``s2t``."""
        convert: Callable[[str], str] = self._module(_OPENCC, "opencc").OpenCC(name).convert
        return convert

    def jieba_cut(self) -> Callable[[str], list[str]]:
        """Return jieba's segmenter with its default settings."""
        jieba = self._module(_JIEBA, "jieba")
        jieba.setLogLevel("ERROR")
        jieba.dt.tmp_dir = str(self.cache)
        cut: Callable[[str], list[str]] = jieba.lcut
        return cut

    def janome_cut(self) -> Callable[[str], list[str]]:
        """Return Janome's segmenter with its default settings: a lattice over the words of IPADIC."""
        tokenizer = self._module(_JANOME, "janome.tokenizer").Tokenizer(wakati=True)
        return lambda text: list(tokenizer.tokenize(text))

    def _module(self, name: str, module: str) -> Any:
        folder = str(self._folder(name))
        if folder not in sys.path:
            sys.path.insert(0, folder)
        return importlib.import_module(module)

    def _folder(self, name: str) -> Path:
        file, requirement, sha256 = _ARCHIVES[name]
        path = self.cache / file
        if not path.exists():
            subprocess.run([*_PIP, requirement], cwd=self.cache, check=True, stdout=sys.stderr)
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != sha256:
            raise ValueError(f"{path}: sha256 is {found}, not {sha256}")
        folder = self.cache / name
        if not folder.exists():
            if file.endswith(".whl"):
                with zipfile.ZipFile(path) as wheel:
                    wheel.extractall(folder)
            else:
                with tarfile.open(path) as archive:
                    archive.extractall(self.cache, filter="data")
        return folder


_TOKEN = np.dtype([("ids", "<u2", 3), ("cost", "<i2"), ("feature", "<u4"), ("compound", "<u4")])
_HEADER = struct.Struct("<10I32s")


def read_ipadic(path: Path) -> Iterator[Entry]:
    """Yield the words of a compiled MeCab dictionary in UTF-8, sorted by their bytes.

    After a header of sizes stand a double array (whose leaves give number and place of a word's tokens), the tokens,
    and their features, each ended by a zero byte. A word's tags are the second parts of its parts of speech
    (``固有名詞`` for names); its number is the smallest cost of its tokens.

    Raises:
        ValueError: It is no such file.
    """
    content = path.read_bytes()
    _, version, _, n_words, _, _, array, token_bytes, feature_bytes, _, charset = _HEADER.unpack_from(content)
    if version != 102 or charset.rstrip(b"\0").lower() != b"utf8":
        raise ValueError(f"{path}: version {version} in {charset!r}, not 102 in utf8")
    tokens = np.frombuffer(content, _TOKEN, token_bytes // _TOKEN.itemsize, _HEADER.size + array)
    features = content[_HEADER.size + array + token_bytes :][:feature_bytes]
    found = 0
    for word, value in sorted(_double_array(np.frombuffer(content, "<i4", array // 4, _HEADER.size).reshape(-1, 2))):
        number, first = value & 0xFF, value >> 8
        found += number
        own = tokens[first : first + number]
        tags = {_part_of_speech(features, int(start)) for start in own["feature"]}
        yield Entry(word.decode("utf-8"), frozenset(tags), int(own["cost"].min()))
    if found != n_words:
        raise ValueError(f"{path}: {found} tokens found, not {n_words}")


def _part_of_speech(features: bytes, start: int) -> str:
    return features[start : features.index(b"\0", start)].decode("utf-8").split(",")[1]


def _double_array(units: np.ndarray[Any, np.dtype[np.int32]]) -> Iterator[tuple[bytes, int]]:
    """Yield the keys of a double array with their values; ``units`` are base and check, shape ``(units, 2)``."""
    bases, checks = units[:, 0].tolist(), units[:, 1]
    # A unit is a child of the node whose base it names in `check`; how far off it stands is its byte, and 1 more.
    children: dict[int, list[int]] = {}
    for place in np.flatnonzero(checks).tolist():
        children.setdefault(int(checks[place]), []).append(place)
    waiting = [(bases[0], b"")]
    while waiting:
        base, key = waiting.pop()
        for place in children.get(base, ()):
            if place == base:
                if bases[place] < 0:
                    yield key, -bases[place] - 1
            elif 1 <= place - base <= 256:
                waiting.append((bases[place], key + bytes([place - base - 1])))
