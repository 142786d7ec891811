"""The record of the corpus, and the cleaning every record passes through."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import asdict, dataclass

import orjson

MINIMUM_CHARACTERS = 60

# Format characters that split or glue words without being seen.
_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ufffd]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_CJK = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")
_KANA = re.compile("[\u3040-\u30ff]")
_CYRILLIC = re.compile("[\u0400-\u04ff]")
_LETTER = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"[^\W\d_]+")


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text, for constants that read better in a row."""
    return frozenset(text.split())


_STOP_WORDS = {
    "en": word_set("the of and to is in that for it with this be on are as by"),
    "fr": word_set("le la les de des et est une un dans que pour du en pas par"),
    "de": word_set("der die das und ist nicht ein eine mit von zu den auf im wird"),
    "es": word_set("el la los las de y es una un en que para con por se del"),
}


@dataclass(frozen=True, slots=True)
class Document:
    """One record of the corpus.

    Attributes:
        id: Unique within the corpus.
        text: NFC text without control characters.
        source: The collection of packages it comes from.
        group: Shared by documents that translate one another.
        language: BCP 47 code; for bilingual text, the side that is not English.
        license: SPDX expression, as far as the package states one.
        kind: `documentation`, `catalogs`, `tatoeba` or `manuals`.
    """

    id: str
    text: str
    source: str
    group: str
    language: str
    license: str
    kind: str

    def to_line(self) -> bytes:
        """Return the record as one JSON line."""
        return orjson.dumps(asdict(self), option=orjson.OPT_APPEND_NEWLINE)


def clean_text(text: str) -> str:
    """Bring text to NFC, drop invisible characters and empty or padded lines."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    text = _INVISIBLE.sub("", _CONTROL.sub("", unicodedata.normalize("NFC", text)))
    lines = (line.strip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def join_lines(lines: Iterable[str]) -> str:
    """Join the lines of a paragraph, without a space between Chinese or Japanese characters."""
    joined = ""
    for line in lines:
        tight = joined and line and _CJK.match(joined[-1]) and _CJK.match(line[0])
        joined += line if tight or not joined else f" {line}"
    return joined


def has_cjk(text: str) -> bool:
    """Tell whether text holds a Chinese or Japanese character."""
    return _CJK.search(text) is not None


def is_in_language(text: str, language: str) -> bool:
    """Tell whether a page is written in the language its path promises.

    Translated packages hold pages nobody has translated yet; those are English.
    """
    if language in ("ja", "zh", "ru"):
        letters = len(_LETTER.findall(text))
        script = {"ja": _CJK, "zh": _CJK, "ru": _CYRILLIC}[language]
        if len(script.findall(text)) < 0.15 * letters:
            return False
        kana = len(_KANA.findall(text))
        return kana > 0.02 * letters if language == "ja" else kana < 0.02 * letters + 1
    words = _WORD.findall(text.lower())
    counts = {code: sum(word in stops for word in words) for code, stops in _STOP_WORDS.items()}
    return counts[language] >= max(counts.values())
