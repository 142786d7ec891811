"""The language of whole documents, told from the beginning of their text by a model (docs/method.md#labels)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from pivotlens.artifacts.files import expanded
from pivotlens.artifacts.fingerprint import sha256_of_file
from pivotlens.corpus.columns import BadRow, Document
from pivotlens.errors import ConfigError, DataError
from pivotlens.extras import require_extra
from pivotlens.text.languages import LID176_LABELS, language_code

BUNDLED = "lid.176"
"""The bundled model of fastText, by its name."""
CHARACTERS = 1000
"""Of a document that are looked at."""
_AT_ONCE = 256
_WEIGHTS = np.array([1, 3, 2, 1])  # of a character of kana, Han, Hangul and any other script, in letters of Latin

Identify = Callable[[Sequence[str]], list[str]]
"""Returns the BCP 47 code of each text, empty where nothing tells it."""


def with_languages(rows: Iterable[Document | BadRow], model: str) -> Iterator[Document | BadRow]:
    """Yield rows in their order, each document without a language with what its text tells, or as a bad row."""
    held: list[Document | BadRow] = []
    for row in rows:
        held.append(row)
        if len(held) == _AT_ONCE:
            yield from _with_languages(held, model)
            held = []
    yield from _with_languages(held, model)


def _with_languages(rows: Sequence[Document | BadRow], model: str) -> Iterator[Document | BadRow]:
    unlabelled = [row for row in rows if isinstance(row, Document) and not row.language]
    found = iter(identifier(model)([row.text for row in unlabelled]) if unlabelled else ())
    for row in rows:
        if isinstance(row, BadRow) or row.language:
            yield row
        elif code := next(found):
            yield Document(row.file, row.row, row.text, code, row.group, row.source)
        else:
            yield BadRow(row.file, row.row, "nothing in its text tells its language")


def language_model_input(model: str) -> str:
    """Return the fingerprint of a model of languages, which is looked for and not yet read.

    Raises:
        ConfigError: There is no such model.
        PrerequisiteError: The package that reads it is not installed.
    """
    if model == BUNDLED:
        return BUNDLED
    path = expanded(model)
    if not path.is_file():
        raise ConfigError(
            f"language_model = {model!r} is no file",
            f"Give {BUNDLED}, which is bundled, or the file of a fastText model, such as GlotLID's model.bin.",
        )
    require_extra(f"language_model = {model!r}", "languages", ("fasttext",))
    return sha256_of_file(path)


@functools.cache
def identifier(model: str) -> Identify:
    """Return what tells languages by a model; loaded once a process.

    Raises:
        DataError: The file is no model of fastText.
        PrerequisiteError: The package that reads it is not installed.
    """
    return _by_bundled_model if model == BUNDLED else _by_file(expanded(model))


def beginning(text: str) -> str:
    """Return as much of a document as is looked at, on one line."""
    return " ".join(text[:CHARACTERS].split())


def _by_bundled_model(texts: Sequence[str]) -> list[str]:
    from pivotlens.text.identification import line_identifier
    from pivotlens.text.line_kernels import HAN, HANGUL, KANA, OTHER

    identifier = line_identifier()
    lines = [beginning(text).encode("utf-8", "surrogatepass") + b"\n" for text in texts]
    ends = np.cumsum([len(line) for line in lines], dtype=np.int64)
    starts = ends - np.array([len(line) for line in lines], dtype=np.int64)
    evidence = identifier.read(np.frombuffer(b"".join(lines), dtype=np.uint8), starts, ends - 1)
    best, _ = identifier.best(evidence)
    codes = []
    for number, weights in zip(best.tolist(), (evidence.characters * _WEIGHTS).tolist(), strict=True):
        if max(weights[KANA] + weights[HAN], weights[HANGUL]) > weights[OTHER]:
            # Japanese writes Han with kana: three to ten tell it from Chinese that quotes it.
            east_asian = "ja" if 10 * weights[KANA] > weights[HAN] else "zh"
            codes.append("ko" if weights[HANGUL] > weights[KANA] + weights[HAN] else east_asian)
        else:
            codes.append(identifier.languages.codes[number] if number >= 0 else "")
    return codes


def _by_file(path: Path) -> Identify:
    require_extra(f"the model of languages {path}", "languages", ("fasttext",))
    import fasttext  # type: ignore[import-not-found, import-untyped, unused-ignore]

    try:
        model = fasttext.load_model(str(path))
    except Exception as error:  # the library raises whatever its parts raise
        raise DataError(
            f"{path} is no model of fastText: {error}", "Give the file of a supervised model, .bin or .ftz."
        ) from error

    def identify(texts: Sequence[str]) -> list[str]:
        return [_best(model.predict(line)[0]) if (line := beginning(text)) else "" for text in texts]

    return identify


def _best(labels: Sequence[str]) -> str:
    return _code(labels[0]) if labels else ""


@functools.cache
def _code(label: str) -> str:
    try:
        plain = label.removeprefix("__label__")
        return language_code(LID176_LABELS.get(plain, plain))
    except ConfigError:
        return ""
