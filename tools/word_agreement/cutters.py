"""What cuts text into words to hold the rules of matching against: the product's segmenters, and two more.

hspell (Debian's package) and qalsadi (PyPI's) analyse a token of Hebrew or Arabic by itself. Of its readings the one
with the shortest prefix is taken, and among these the one whose stem is the most frequent, where that is known.
"""

from __future__ import annotations

import importlib
import subprocess
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any, NamedTuple

import regex

from pivotlens.errors import PrerequisiteError
from pivotlens.text.segmenters import segmented_languages, segmenter, segmenters_fingerprint

_VOWEL_SIGNS = regex.compile(r"\p{Mn}|\u0640")


class Cutter(NamedTuple):
    """What cuts text.

    Attributes:
        language: Of the text.
        versions: Of the program and its dictionary.
        cut: Returns the segments of each of some texts, all of it.
        nouns: Counts the nouns in some texts, without what is written together with them; None for a language that the
            bundled benchmark has words of.
    """

    language: str
    versions: str
    cut: Callable[[Sequence[str]], Iterator[list[str]]]
    nouns: Callable[[Sequence[str]], Counter[str]] | None


class _Reading(NamedTuple):
    """What a token is: its parts, and whether the middle one is a noun in its base form."""

    before: str
    word: str
    after: str = ""
    is_noun: bool = False


@dataclass(frozen=True)
class _Tokens:
    """Cuts the tokens of a script that an analyser has read."""

    pattern: str
    analyse: Callable[[Sequence[str]], dict[str, _Reading]]

    def _read(self, texts: Sequence[str]) -> tuple[list[str], dict[str, _Reading]]:
        bare = [_VOWEL_SIGNS.sub("", text) for text in texts]
        return bare, self.analyse(sorted({token for text in bare for token in regex.findall(self.pattern, text)}))

    def cut(self, texts: Sequence[str]) -> Iterator[list[str]]:
        """Return the segments of each text."""
        bare, readings = self._read(texts)
        for text in bare:
            pieces = regex.split(f"({self.pattern})", text)
            yield [part for piece in pieces for part in readings.get(piece, _Reading("", piece))[:3] if part]

    def nouns(self, texts: Sequence[str]) -> Counter[str]:
        """Count the nouns."""
        bare, readings = self._read(texts)
        read = (readings.get(token) for text in bare for token in regex.findall(self.pattern, text))
        return Counter(reading.word for reading in read if reading is not None and reading.is_noun)


def _hspell(tokens: Sequence[str]) -> dict[str, _Reading]:
    try:
        said = subprocess.run(
            ["hspell", "-l"], input="\n".join(tokens).encode("iso-8859-8"), capture_output=True, check=True
        ).stdout.decode("iso-8859-8")
    except FileNotFoundError:
        raise PrerequisiteError("hspell is not installed", "Install it: apt-get install hspell.") from None
    readings: dict[str, _Reading] = {}
    nouns: set[str] = set()
    word = ""
    for line in said.splitlines():
        if read := regex.match(r"(?:מילה חוקית: |צירוף חוקי: (\S+)\+)(\S+)$", line):
            before, word = read[1] or "", read[2]
            known = readings.get(before + word)
            if known is None or len(before) < len(known.before):
                readings[before + word] = _Reading(before, word)
        elif regex.match(rf"\t{regex.escape(word)}\(ע,.,יחיד\)", line):
            nouns.add(word)
    return {token: reading._replace(is_noun=reading.word in nouns) for token, reading in readings.items()}


def _qalsadi() -> Callable[[Sequence[str]], dict[str, _Reading]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        analyser = importlib.import_module("qalsadi.analex").Analex()

    def analyse(tokens: Sequence[str]) -> dict[str, _Reading]:
        return dict(_best(token, analyser.check_word(token)) for token in tokens)

    return analyse


def _best(token: str, read: Iterable[Any]) -> tuple[str, _Reading]:
    best, rank = _Reading("", token), (len(token), 0)
    for one in read:
        before, _, _, after = (_VOWEL_SIGNS.sub("", part) for part in one.affix)
        before = before.replace("لال", "لل")
        end = len(token) - len(after)
        if one.is_unknown() or not token.startswith(before) or not token.endswith(after) or len(before) >= end:
            continue
        if (len(before), -one.freq) < rank:
            rank, word = (len(before), -one.freq), token[len(before) : end]
            best = _Reading(before, word, after, one.type.startswith("Noun") and word == one.stem)
    return token, best


def _kiwi_nouns(texts: Sequence[str]) -> Counter[str]:
    kiwi = importlib.import_module("kiwipiepy").Kiwi(num_workers=1)
    return Counter(token.form for tokens in kiwi.tokenize(texts) for token in tokens if token.tag == "NNG")


def cutter(name: str) -> Cutter:
    """Return what cuts text: hspell, qalsadi, or a segmenter that `count` knows.

    Raises:
        PivotLensError: It is unknown or not installed.
    """
    if name == "hspell":
        tokens = _Tokens(r"[\u05d0-\u05ea]+", _hspell)
        said = subprocess.run(["hspell", "-V"], capture_output=True, check=True).stdout.decode("iso-8859-8")
        return Cutter("he", said.splitlines()[0], tokens.cut, tokens.nouns)
    if name == "qalsadi":
        tokens = _Tokens(r"[\u0621-\u064a]+", _qalsadi())
        packages = ", ".join(f"{package} {metadata.version(package)}" for package in ("qalsadi", "arramooz-pysqlite"))
        return Cutter("ar", packages, tokens.cut, tokens.nouns)
    language = next(iter(segmented_languages([name])))
    versions = segmenters_fingerprint([name])
    return Cutter(language, versions, segmenter(name), _kiwi_nouns if language == "ko" else None)
