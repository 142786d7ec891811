"""Segmenters of other projects, which cut text into words by dictionaries and models, where the user names one."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from itertools import pairwise
from typing import Any

import regex

from pivotlens.errors import ConfigError
from pivotlens.extras import require_extra

Spans = list[tuple[int, int]]
# Some take no more at once (SudachiPy: 49,149 bytes).
_CHARACTERS_AT_ONCE = 8000


@dataclass(frozen=True)
class _Library:
    """A package that cuts text.

    Attributes:
        language: Of the text.
        scripts: What text it is asked about holds, as a regular expression.
        modules: What is imported: its module, and those of its dictionary.
        packages: Whose versions tell what it does.
        load: Makes of its module what returns where segments begin and end.
    """

    language: str
    scripts: str
    modules: tuple[str, ...]
    packages: tuple[str, ...]
    load: Callable[[Any], Callable[[str], Spans]]


def _load_kiwi(module: Any) -> Callable[[str], Spans]:
    kiwi = module.Kiwi(num_workers=1)
    return lambda text: [(token.start, token.start + token.len) for token in kiwi.tokenize(text)]


def _load_jieba(module: Any) -> Callable[[str], Spans]:
    module.setLogLevel("WARNING")
    cutter = module.Tokenizer()
    return lambda text: [(start, end) for _, start, end in cutter.tokenize(text)]


def _load_sudachi(module: Any) -> Callable[[str], Spans]:
    cutter = module.Dictionary().tokenizer()
    return lambda text: [(morpheme.begin(), morpheme.end()) for morpheme in cutter.tokenize(text)]


def _load_fugashi(module: Any) -> Callable[[str], Spans]:
    tagger = module.Tagger()

    def spans(text: str) -> Spans:
        found, end = [], 0
        for word in tagger(text):
            start = text.index(word.surface, end)
            end = start + len(word.surface)
            found.append((start, end))
        return found

    return spans


_LIBRARIES = {
    "kiwipiepy": _Library("ko", r"\p{Hangul}", ("kiwipiepy",), ("kiwipiepy", "kiwipiepy_model"), _load_kiwi),
    "jieba": _Library("zh", r"\p{Han}", ("jieba",), ("jieba",), _load_jieba),
    "SudachiPy": _Library(
        "ja", r"[\p{Han}\p{Hiragana}\p{Katakana}]", ("sudachipy", "sudachidict_core"),
        ("SudachiPy", "SudachiDict-core"), _load_sudachi,
    ),
    "fugashi": _Library(
        "ja", r"[\p{Han}\p{Hiragana}\p{Katakana}]", ("fugashi", "unidic_lite"), ("fugashi", "unidic-lite"),
        _load_fugashi,
    ),
}  # fmt: skip


def segmented_languages(names: Iterable[str], where: str = "segmenters") -> Mapping[str, str]:
    """Return by language the segmenter of its text.

    Args:
        names: `kiwipiepy` (Korean), `jieba` (Chinese), `SudachiPy` or `fugashi` (Japanese).
        where: Where they came from, for the error.

    Raises:
        ConfigError: A name is unknown, or two are for one language.

    >>> segmented_languages(["jieba"])
    {'zh': 'jieba'}
    """
    found: dict[str, str] = {}
    for name in names:
        library = _LIBRARIES.get(name)
        if library is None:
            raise ConfigError(
                f"unknown segmenter {name!r} in {where}",
                f"Known: {', '.join(f'{known} ({one.language})' for known, one in _LIBRARIES.items())}.",
            )
        if found.setdefault(library.language, name) != name:
            raise ConfigError(
                f"{where} names two segmenters of {library.language}: {found[library.language]} and {name}",
                "Name one a language.",
            )
    return found


def segmenters_fingerprint(names: Iterable[str]) -> str:
    """Return what tells segmenters and their dictionaries apart; empty where none is named.

    Raises:
        ConfigError: As of `segmented_languages`.
        PrerequisiteError: One is not installed.
    """
    wanted = sorted(segmented_languages(names).values())
    for name in wanted:
        require_extra(f"segmenter {name}", "segmenters", _LIBRARIES[name].modules)
    packages = [package for name in wanted for package in _LIBRARIES[name].packages]
    return ", ".join(f"{package} {metadata.version(package)}" for package in packages)


@functools.cache
def segmenter(name: str) -> Callable[[Sequence[str]], Iterator[list[str]]]:
    """Return what cuts each of some texts into segments, one after another the whole text; loaded once a process.

    Text in which no character is of the language's scripts is not cut.
    """
    library = _LIBRARIES[name]
    spans_of = library.load(importlib.import_module(library.modules[0]))
    wanted = regex.compile(library.scripts)

    def cut(texts: Sequence[str]) -> Iterator[list[str]]:
        for text in texts:
            yield [
                segment
                for piece in _pieces(text)
                for segment in (_segments(piece, spans_of(piece)) if wanted.search(piece) else [piece])
            ]

    return cut


def _pieces(text: str) -> Iterator[str]:
    for line in text.splitlines(keepends=True):
        for start in range(0, len(line), _CHARACTERS_AT_ONCE):
            yield line[start : start + _CHARACTERS_AT_ONCE]


def _segments(text: str, spans: Spans) -> list[str]:
    # Spans may leave out white space, and overlap where Korean contracts: 했다 is 하 and 었다.
    cuts = sorted({0, len(text), *(place for span in spans for place in span if 0 < place < len(text))})
    return [text[start:end] for start, end in pairwise(cuts)]
